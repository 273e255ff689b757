"""Learning from a teacher: the recipe of a job, with what the teacher says in its loss."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from saccade.config.model import ModelConfig
from saccade.config.run import RunConfig
from saccade.config.task import PretrainConfig, TeachConfig
from saccade.planning.facts import Facts
from saccade.planning.recipe import ConfigMaker, Recipe
from saccade.run.teacher import Teacher


def taught(recipe: Recipe, teacher: Teacher) -> Recipe:
    """The same recipe with a teacher."""
    return _with(recipe, teacher, partial(_add_teacher, teach=teacher.config))


def seeing(recipe: Recipe, teacher: Teacher) -> Recipe:
    """A classifier's recipe for a backbone that learns to see what a teacher sees.

    A teacher's vectors say as much of a picture as a label does and more, so it is learned as long
    and as hard as a classifier is.
    """
    return _with(recipe, teacher, partial(_for_backbone, teach=teacher.config))


def _with(recipe: Recipe, teacher: Teacher, change: Callable[[RunConfig], RunConfig]) -> Recipe:
    return replace(
        recipe, config=partial(_changed, maker=recipe.config, change=change), teacher=teacher
    )


def _add_teacher(config: RunConfig, *, teach: TeachConfig) -> RunConfig:
    return replace(config, teach=teach)


def _for_backbone(config: RunConfig, *, teach: TeachConfig) -> RunConfig:
    return replace(
        config,
        job="pretrain",
        task=PretrainConfig(method="features"),
        optim=replace(config.optim, label_smoothing=0.0),
        teach=teach,
    )


def _changed(
    facts: Facts,
    *,
    maker: ConfigMaker,
    change: Callable[[RunConfig], RunConfig],
    source: str,
    model: str | ModelConfig,
    image_size: int,
    steps: int,
    budget_seconds: float | None,
    precision: str,
    num_threads: int,
    seed: int,
) -> RunConfig:
    """What a recipe says, changed."""
    return change(
        maker(
            facts,
            source=source,
            model=model,
            image_size=image_size,
            steps=steps,
            budget_seconds=budget_seconds,
            precision=precision,
            num_threads=num_threads,
            seed=seed,
        )
    )
