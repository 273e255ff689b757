"""A recipe holds what the planner asks for, and nothing more is needed to plan a job."""

import torch

from saccade.config.check import check
from saccade.jobs.classify.job import ClassifyJob
from saccade.planning.recipe import ConfigMaker, Recipe
from tests import tiny


def test_from_facts_to_a_batch_that_a_step_can_be_timed_with():
    recipe = ClassifyJob().recipe({})
    assert isinstance(recipe, Recipe)
    assert isinstance(recipe.config, ConfigMaker)
    facts = tiny.facts()
    config = recipe.config(
        facts,
        source="pictures",
        model="vit-pico4",
        image_size=16,
        steps=10,
        budget_seconds=None,
        precision="fp32",
        num_threads=1,
        seed=0,
    )
    assert check(config) is config
    preprocess = recipe.preprocess(config, facts)
    targets = recipe.targets(config, preprocess, 3, 8)
    assert isinstance(targets, torch.Tensor)
    assert targets.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    assert recipe.wanted_epochs(50_000) == 12
