"""What a training would be: the data divided, the weights read, every number chosen."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch

from saccade.data.sources import Source
from saccade.data.split import Split, fewest_held_out
from saccade.data.split import split as divide
from saccade.jobs.job import Job
from saccade.planning.facts import Facts, look
from saccade.planning.fine_tune import require_same_model
from saccade.planning.plan import Plan, plan
from saccade.planning.recipe import Recipe
from saccade.run.device import num_cores
from saccade.run.start import Start, needs_new_head, read_start
from saccade.verbs.wish import Said, make_wish


class Planned(NamedTuple):
    """A training that has not begun.

    Attributes:
        start: the weights it would start from; None: from scratch.
        has_new_head: whether their head is left behind.
        parts: which pictures are where.
        plan: every number.
        facts: what the numbers follow from.
    """

    start: Start | None
    has_new_head: bool
    parts: Split
    plan: Plan
    facts: Facts


def plan_training(
    said: Said,
    job: Job,
    pictures: Source,
    *,
    device: torch.device,
    training_seconds: Callable[[float | None], float | None],
    recipe: Recipe | None = None,
) -> Planned:
    """Divides the data and chooses what the words left open; nothing is written.

    Args:
        said: what was asked for.
        job: to learn.
        pictures: fit for it.
        device: where to train; with a budget its speed is measured.
        training_seconds: what is left of a budget for training.
        recipe: instead of the job's own.

    Raises:
        UsageError: the wish does not fit together, or does not fit the weights.
        DataError: the data, or the weights, are bad.
    """
    recipe = recipe or job.recipe(said.settings)
    wish = make_wish(said, default_model=recipe.default_model)
    class_names = pictures.class_names or ()
    start = None if said.init is None else read_start(said.init)
    has_new_head = False
    if start is not None:
        if said.model is not None:
            require_same_model(said.model, start)
        has_new_head = needs_new_head(
            start, job.name, class_names, source=pictures.path, is_agreed=said.new_head
        )
    shares = wish.held_out()
    parts = divide(
        pictures,
        val_fraction=shares.val_fraction,
        test_fraction=shares.test_fraction,
        seed=wish.seed,
        fewest=fewest_held_out(job.name),
    )
    held_out = tuple(len(part) for part in (parts.val, parts.test) if part is not None)
    facts = replace(look(parts.train, num_classes=len(class_names)), num_held_out=held_out)
    planned = plan(
        wish,
        facts,
        recipe=recipe,
        source=pictures.path,
        training_seconds=training_seconds(wish.budget_seconds),
        device=device,
        num_threads=num_cores(),
        start=start,
    )
    return Planned(start, has_new_head, parts, planned, facts)
