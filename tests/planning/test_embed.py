"""The recipe of metric learning is that of classification, with another task."""

from dataclasses import replace

from saccade.config.check import check
from saccade.config.task import EmbedConfig
from saccade.planning.classify import classify
from saccade.planning.embed import embed
from saccade.tasks.build import build_task
from saccade.tasks.embed import Embed
from tests import tiny

WISH = {
    "source": "pictures",
    "model": "rag-pico4",
    "image_size": 16,
    "steps": 100,
    "budget_seconds": None,
    "precision": "fp32",
    "num_threads": 1,
    "seed": 3,
}


def test_only_the_job_and_its_loss_differ_from_classification() -> None:
    found, base = embed(tiny.facts(), **WISH), classify(tiny.facts(), **WISH)

    assert found.job == "embed"
    assert isinstance(found.task, EmbedConfig)
    assert found.optim.label_smoothing == 0
    like = replace(found, job="classify", task=base.task, optim=base.optim)
    assert like == base


def test_it_can_be_built() -> None:
    config = check(embed(tiny.facts(), **WISH))

    task = build_task(config, class_names=tiny.CLASSES, preprocess=tiny.preprocess())

    assert isinstance(task, Embed)
    assert isinstance(config.task, EmbedConfig)
    assert task.head.project.out_features == config.task.out_dim
