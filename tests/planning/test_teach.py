"""A teacher changes nothing of a recipe but what is said about it."""

from dataclasses import replace

import torch

from saccade.config.check import check
from saccade.config.run import UNTAUGHT, RunConfig
from saccade.config.task import PretrainConfig, TeachConfig
from saccade.jobs.classify.job import ClassifyJob
from saccade.planning.recipe import ConfigMaker, Recipe
from saccade.planning.teach import seeing, taught
from saccade.run.teacher import Teacher
from tests import tiny

TEACH = TeachConfig(method="features", width=96)
TEACHER = Teacher(
    tiny.task(tiny.config("vit-pico4")),
    preprocess=tiny.preprocess(),
    precision="fp32",
    device=torch.device("cpu"),
    config=TEACH,
    class_names=(),
)


def planned(recipe: Recipe) -> RunConfig:
    assert isinstance(recipe.config, ConfigMaker)
    return check(
        recipe.config(
            tiny.facts(),
            source="pictures",
            model="cnn-pico4",
            image_size=16,
            steps=10,
            budget_seconds=None,
            precision="fp32",
            num_threads=1,
            seed=0,
        )
    )


def test_a_taught_classifier_is_trained_as_any_other() -> None:
    recipe = ClassifyJob().recipe({})
    with_teacher = taught(recipe, TEACHER)

    assert with_teacher.teacher is TEACHER
    assert planned(with_teacher) == replace(planned(recipe), teach=TEACH)
    assert planned(recipe).teach == UNTAUGHT


def test_a_backbone_is_trained_as_a_classifier_without_labels() -> None:
    recipe = ClassifyJob().recipe({})
    config, alone = planned(seeing(recipe, TEACHER)), planned(recipe)

    assert (config.job, config.task) == ("pretrain", PretrainConfig(method="features"))
    assert config.teach == TEACH
    assert (config.optim.lr, config.augment) == (alone.optim.lr, alone.augment)
