"""A run's config is frozen data, complete, with no defaults to be surprised by."""

import dataclasses
from typing import Any

import pytest

from saccade.config.run import CLASSIFY, UNTAUGHT, Preprocess, RunConfig


def parts(run: RunConfig) -> list[Any]:
    return [run, run.data, run.augment, run.optim]


def test_no_part_of_a_run_can_be_changed(run: RunConfig) -> None:
    for part in parts(run):
        name = dataclasses.fields(part)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, name, getattr(part, name))


# What came later than the first runs; the default is what they did.
LATER = {
    "freeze": (),
    "judging_seconds": 0.0,
    "gradient_checkpointing": False,
    "task": CLASSIFY,
    "name": "adamw",
    "momentum": 0.95,
    "layer_decay": 1.0,
    "micro_batch": 0,
    "compile": False,
    "shard": False,
    "teach": UNTAUGHT,
    "mixup": 0.0,
    "cutmix": 0.0,
}


def test_no_number_of_a_run_has_a_default(run: RunConfig) -> None:
    """What is not written in a recipe must not be decided here."""
    for part in parts(run):
        for field in dataclasses.fields(part):
            assert field.default == LATER.get(field.name, dataclasses.MISSING), field.name
            assert field.default_factory is dataclasses.MISSING, field.name


def test_preprocessing_holds_one_mean_and_deviation_per_channel_and_can_be_a_key() -> None:
    grey = Preprocess(height=8, width=6, channels=1, fit="pad", mean=(0.5,), std=(0.25,))

    assert len({grey, dataclasses.replace(grey)}) == 1
    assert (len(grey.mean), len(grey.std)) == (grey.channels, grey.channels)


def test_preprocessing_that_knows_no_more_than_the_first_is_what_it_was() -> None:
    grey = Preprocess(height=8, width=6, channels=1, fit="crop", mean=(0.5,), std=(0.25,))

    assert (grey.resize_side, grey.interpolation) == (0, "bilinear")
