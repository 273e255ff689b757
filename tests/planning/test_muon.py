"""Muon is the rule from scratch, and nowhere else, and gives way to what was asked for."""

import pytest

from saccade.jobs.find import find_job
from saccade.planning.muon import CONV_LR, LR, by_muon
from tests import tiny


@pytest.mark.parametrize("family", ["vit", "rag"])
def test_blocks_take_somewhat_larger_steps(family: str) -> None:
    config = tiny.config(f"{family}-pico4")

    found = by_muon(config, {})

    assert config.optim.name == "adamw"
    assert (found.optim.name, found.optim.lr) == ("muon", LR * config.optim.lr)


@pytest.mark.parametrize("family", ["cnn", "attncnn"])
def test_kernels_take_larger_steps(family: str) -> None:
    config = tiny.config(f"{family}-pico4")

    found = by_muon(config, {"optim.momentum": "0.9"})

    assert (found.optim.name, found.optim.lr) == ("muon", CONV_LR * config.optim.lr)


@pytest.mark.parametrize("settings", [{"optim.name": "sgd"}, {"shard": "true"}])
def test_what_says_otherwise_leaves_the_recipe_alone(settings: dict[str, str]) -> None:
    config = tiny.config("cnn-pico4")

    assert by_muon(config, settings) is config


def test_classification_learns_by_it_and_other_jobs_do_not() -> None:
    config = tiny.config("rag-pico4")

    names = {
        job: find_job(job).recipe({}).from_scratch(config, {}).optim.name
        for job in ("classify", "video", "detect", "segment", "embed", "pretrain")
    }

    assert {job for job, name in names.items() if name == "muon"} == {"classify"}
