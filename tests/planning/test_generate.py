"""The recipe of generation changes nothing in the pictures but mirrors, and takes a plain vit."""

from dataclasses import replace

import pytest

from saccade.config.check import check
from saccade.config.model import VitConfig
from saccade.config.run import RunConfig
from saccade.config.task import GenerateConfig
from saccade.errors import UsageError
from saccade.planning.facts import Facts
from saccade.planning.generate import (
    flow_epochs,
    from_minus_one_to_one,
    generate,
    judged_within,
    judging_cost,
    label_targets,
    only_mirrors,
)
from tests import tiny


def config(model: str = "vit-nano4", *, facts: Facts | None = None, steps: int = 100) -> RunConfig:
    return generate(
        facts or tiny.facts(),
        source="pictures",
        model=model,
        image_size=16,
        steps=steps,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=3,
    )


def test_it_is_complete_and_for_generation() -> None:
    made = check(config())

    assert (made.job, made.seed, made.steps) == ("generate", 3, 100)
    assert made.task == judged_within(100 * min(made.data.batch_size, tiny.facts().num_pictures))
    assert made.optim.weight_decay == 0


def test_judging_and_validation_follow_the_length_of_the_training() -> None:
    facts = replace(tiny.facts(), num_pictures=54_000)

    for steps, num_judged, num_real, num_validations in (
        (20, 64, 500, 1),
        (500, 500, 6400, 3),
        (2500, 500, 32_000, 10),
    ):
        made = config(facts=facts, steps=steps)
        assert isinstance(made.task, GenerateConfig)
        assert (made.task.num_judged, made.task.num_real) == (num_judged, num_real)
        assert made.steps // made.evaluate_every == num_validations


def test_judging_costs_as_much_as_the_network_is_asked() -> None:
    facts = replace(tiny.facts(), num_classes=0, num_held_out=(300, 9000))
    made = config(facts=facts, steps=20)
    assert isinstance(made.task, GenerateConfig)
    assert (made.task.num_judged, made.task.num_real) == (64, 500)
    assert judging_cost(made, facts) == pytest.approx((64 * 49 + 4 * (300 + 500)) / 3)
    guided = replace(facts, num_classes=10)
    assert judging_cost(made, guided) == pytest.approx((64 * 49 * 2 + 4 * 800) / 3)


def test_a_long_training_is_judged_in_full() -> None:
    assert judged_within(10_000_000) == GenerateConfig()


def test_the_model_stands_on_raw_patches_with_normalised_queries_and_keys() -> None:
    model = config("vit-pico4").model  # which has a convolutional stem elsewhere

    assert isinstance(model, VitConfig)
    assert (model.stem, model.has_qk_norm, model.patch_size) == ("patches", True, 4)


@pytest.mark.parametrize("model", ["rag-nano4", "cnn-nano4", "attncnn-nano4"])
def test_other_families_are_refused_with_what_to_do(model: str) -> None:
    with pytest.raises(UsageError, match="vit-nano4"):
        config(model)


def test_only_mirrors_that_keep_their_class_are_learned() -> None:
    safe, unsafe = (only_mirrors(tiny.facts(mirror_ratio=ratio)) for ratio in (1.0, 0.1))

    assert (safe.flip, unsafe.flip) == (0.5, 0.0)
    rest = {name: value for name, value in vars(safe).items() if name != "flip"}
    assert not any(rest.values())


def test_pixels_are_from_minus_one_to_one_whatever_their_colours() -> None:
    preprocess = from_minus_one_to_one(config(), tiny.facts())

    assert preprocess.mean == preprocess.std == (0.5, 0.5, 0.5)
    assert (preprocess.height, preprocess.width) == (16, 16)


def test_made_up_labels_are_class_ids_and_absent_without_classes() -> None:
    made = config()
    preprocess = from_minus_one_to_one(made, tiny.facts())

    labels = label_targets(made, preprocess, 3, 5)

    assert labels is not None
    assert labels.tolist() == [0, 1, 2, 0, 1]
    assert label_targets(made, preprocess, 0, 5) is None


def test_few_pictures_are_seen_more_often_than_many() -> None:
    assert flow_epochs(1000) > flow_epochs(50_000) == 30 > flow_epochs(10**7)


def test_grey_pictures_have_one_channel() -> None:
    grey = replace(tiny.facts(), is_grey=True)
    made = generate(
        grey,
        source="pictures",
        model="vit-nano4",
        image_size=16,
        steps=100,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )

    assert made.data.channels == 1
