"""A translator learns pairs both ways, and makes its own from plain pictures, always alike."""

from dataclasses import replace

import pytest
import torch

from saccade.config.task import EditConfig, FlowConfig, TranslateConfig
from saccade.data.batch import Batch
from saccade.data.targets import PictureTargets
from saccade.tasks.flow.build import build_translator
from saccade.tasks.flow.edits import degraded, grey
from saccade.tasks.flow.pixels import to_range
from saccade.tasks.flow.translate import Translate
from saccade.transformer.modulate import Modulation
from tests.contract.worlds.world import SIDE, VIT, noise, tiny_preprocess

STEPS = 3
PAIRS = EditConfig()


def task(edit: EditConfig = PAIRS, class_names: tuple[str, ...] = ()) -> Translate:
    """With random numbers where a fresh one has zeros, so that it says something."""
    made = build_translator(
        VIT,
        TranslateConfig(edit=edit, flow=FlowConfig(num_steps=STEPS)),
        class_names=class_names,
        preprocess=tiny_preprocess(),
        seed=0,
    )
    torch.manual_seed(1)
    for module in made.modules():
        if isinstance(module, Modulation):
            torch.nn.init.normal_(module.project.weight, std=0.3)
    for head in (made.head, made.regression.head):
        torch.nn.init.normal_(head.project.weight, std=0.1)
    return made.eval()


def pairs(count: int = 4) -> Batch:
    return Batch(
        images=noise(count, 3, SIDE, SIDE),
        targets=PictureTargets(images=noise(count, 3, SIDE, SIDE, seed=1)),
        ids=torch.arange(count),
    )


def plain(count: int = 4) -> Batch:
    return replace(pairs(count), targets=None)


def test_pairs_of_a_source_are_taken_as_they_are() -> None:
    given = pairs()

    condition, picture = task().pair(given)

    assert isinstance(given.targets, PictureTargets)
    assert torch.equal(condition, given.images)
    assert torch.equal(picture, given.targets.images)


@pytest.mark.parametrize("kind", ["colourise", "denoise", "enlarge"])
def test_an_edit_makes_the_same_pair_of_a_picture_in_any_batch(kind: str) -> None:
    edit = EditConfig(kind=kind)  # pyrefly: ignore[bad-argument-type]
    made, given = task(edit), plain()

    condition, picture = made.pair(given)
    alone = made.pair(replace(given, images=given.images[2:3], ids=given.ids[2:3]))

    assert torch.equal(picture, given.images)
    assert condition.shape[2:] == picture.shape[2:]
    assert torch.equal(alone.condition[0], condition[2])
    assert condition.shape != picture.shape or not torch.equal(condition, picture)


def test_while_training_a_picture_meets_other_noise_each_time() -> None:
    made, given = task(EditConfig(kind="denoise")), plain()
    torch.manual_seed(0)

    first, second = (made.pair(given, noise=torch.randn(4, 3, SIDE, SIDE)) for _ in range(2))

    assert not torch.equal(first.condition, second.condition)


def test_both_learn_and_neither_through_the_other() -> None:
    made = task().train()

    made.loss(pairs(), progress=0.0)["flow_loss"].backward()

    for name, parameter in made.named_parameters():
        assert (parameter.grad is not None) == name.startswith(("backbone.", "head.")), name


def test_the_baseline_is_the_mean_absolute_error_of_one_step() -> None:
    made, given = task(), pairs()
    condition, picture = (to_range(part) for part in made.pair(given))

    losses = made.judge(made.pair(given), given.ids)

    expected = (made.regression(condition) - picture).abs().mean(dim=(1, 2, 3))
    torch.testing.assert_close(losses[:, 1], expected)


def test_the_flow_listens_to_the_condition() -> None:
    made, ids = task(), torch.tensor([3])

    first, second = (
        made.translate(noise(1, 3, SIDE, SIDE, seed=k), ids, seed=0, num_steps=3) for k in (0, 1)
    )

    assert not torch.equal(first.pictures, second.pictures)
    assert not torch.equal(first.regression, second.regression)


def test_another_seed_is_another_answer_of_the_flow_and_the_same_of_the_baseline() -> None:
    made, condition, ids = task(), noise(1, 3, SIDE, SIDE), torch.tensor([3])

    first, second = (made.translate(condition, ids, seed=seed, num_steps=3) for seed in (0, 1))

    assert not torch.equal(first.pictures, second.pictures)
    assert torch.equal(first.regression, second.regression)


def test_pictures_that_a_user_gives_are_not_degraded_again() -> None:
    made, given = task(EditConfig(kind="denoise")), plain()

    found = made.predict(given)
    expected = made.translate(given.images, given.ids, seed=0, num_steps=STEPS)

    assert torch.equal(found.pictures, expected.pictures)


def test_colours_of_pictures_to_be_colourised_are_not_looked_at() -> None:
    made, given = task(EditConfig(kind="colourise")), plain()
    bleached = replace(given, images=grey(given.images).expand(-1, 3, -1, -1).contiguous())

    found, expected = made.predict(given), made.predict(bleached)

    gap = (found.pictures.int() - expected.pictures.int()).abs()
    assert gap.max() <= 1  # the brightness of grey is itself to one rounding


def test_classes_teach_the_observer_nothing() -> None:
    """A network that knows digits by their shape would not see that their colours are wrong."""
    made = task(EditConfig(kind="denoise"), class_names=("ant", "bee")).train()
    given = replace(plain(), targets=torch.arange(4) % 2)

    assert set(made.loss(given, progress=0.0)) == {"loss", "flow_loss", "regression_loss"}
    assert not made.observer.has_learned


def test_figures_are_both_losses() -> None:
    made, given = task(), pairs()
    measure = made.metrics()
    measure.update(given)

    flow, regression = made.judge(made.pair(given), given.ids).mean(dim=0).tolist()
    assert measure.figures() == pytest.approx({"flow_loss": flow, "regression_loss": regression})


def test_degrading_by_hand_is_what_the_pair_holds() -> None:
    edit = EditConfig(kind="enlarge", factor=2)
    given = plain()

    by_hand = degraded(given.images, torch.zeros(4, 3, SIDE, SIDE), edit)
    assert torch.equal(task(edit).pair(given).condition, by_hand)
