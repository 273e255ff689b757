"""Every number that is shown says where it comes from, and what was asked for is said to be."""

from dataclasses import replace

import pytest

from saccade.config.json import flat, override, to_json
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.planning.facts import Facts
from saccade.planning.reasons import ASKED, Reason, reasons
from tests import tiny

FACTS = Facts(
    num_pictures=500,
    num_classes=3,
    side=28,
    is_grey=False,
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
    mirror_ratio=0.1,
)


def by_name(config: RunConfig, settings: dict[str, str], **words: bool) -> dict[str, Reason]:
    found = reasons(override(config, settings), FACTS, settings, **{"has_weights": False, **words})
    return {reason.name: reason for reason in found}


def test_what_was_asked_for_is_shown_and_said_to_be() -> None:
    settings = {"optim.lr": "0.01", "model.drop_path": "0.1"}

    found = by_name(tiny.config("vit-pico4"), settings)

    assert found["optim.lr"] == Reason("optim.lr", 0.01, ASKED)
    assert found["model.drop_path"].why == ASKED
    assert found["optim.weight_decay"].why != ASKED
    assert "model.drop_path" not in by_name(tiny.config("vit-pico4"), {})


def test_all_numbers_are_those_of_the_config_in_its_order() -> None:
    config = tiny.config("vit-pico4")
    values = flat(to_json(config))

    found = by_name(config, {})

    assert {name: reason.value for name, reason in found.items()}.items() <= values.items()
    assert list(found) == [name for name in values if name in found]
    assert all(reason.why and not reason.why.isspace() for reason in found.values())


def test_reasons_hold_what_they_follow_from() -> None:
    found = by_name(replace(tiny.config("vit-pico4"), steps=1000), {"data.batch_size": "50"})

    assert "100.0 passes over 500 pictures" in found["steps"].why
    assert "here 100.0" in found["augment.colour"].why
    assert "28" in found["data.image_size"].why
    assert "lose their class" in found["augment.flip"].why
    assert "96" in found["optim.lr"].why  # the width of pico


@pytest.mark.parametrize("job", ["pretrain", "detect"])
def test_other_jobs_do_not_get_the_reasons_of_classification(job: JobName) -> None:
    config = tiny.config("vit-pico4")
    found = by_name(replace(config, job=job), {})

    assert {"steps", "data.image_size", "optim.name"} <= set(found)
    assert not {"optim.lr", "augment.flip", "data.batch_size"} & set(found)


def test_weights_explain_the_learning_rate() -> None:
    assert (
        "0.1 of what it would be"
        in by_name(tiny.config("vit-pico4"), {}, has_weights=True)["optim.lr"].why
    )
