"""recipes: what `train` would do, and why, without doing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.config.json import to_json
from saccade.data.annotated import guess_job
from saccade.jobs.find import find_job, open_for
from saccade.planning.reasons import reasons
from saccade.run.device import choose_device
from saccade.verbs.planned import plan_training
from saccade.verbs.train import FINISHING_SECONDS
from saccade.verbs.wish import Said


@dataclass(frozen=True, kw_only=True)
class RecipeResult:
    """A training that was planned and not begun.

    Attributes:
        source: the data.
        job: what would be learned.
        model: the full name.
        tried: the models that were timed, from the cheapest: ``model``, ``image_size`` (pixels a
            side), ``pictures_per_second`` in training and the ``epochs`` that the time suffices
            for. Without a budget nothing is timed.
        epochs_wanted: before a bigger model is worth its time.
        numbers: ``name``, ``value`` and ``why`` of those that decide most.
        notes: about the data, and what the training will not come to.
        config: every number.
    """

    source: str
    job: str
    model: str
    tried: list[dict[str, Any]]
    epochs_wanted: float
    numbers: list[dict[str, Any]]
    notes: list[str]
    config: dict[str, Any]


def recipes(
    source: str | Path,
    *,
    job: str | None = None,
    model: str | None = None,
    budget: str | None = None,
    epochs: float | None = None,
    steps: int | None = None,
    settings: Mapping[str, str] | None = None,
    seed: int | None = None,
    init: str | Path | None = None,
    new_head: bool = False,
    device: str | None = None,
) -> RecipeResult:
    """Chooses every number of a training as ``train`` would, and says why; nothing is written.

    The arguments are those of ``train``. With a budget, models are timed for a few steps, so on a
    machine that does other things meanwhile ``train`` may come to another choice.

    Raises:
        UsageError: the call does not fit together.
        DataError: the data, or the weights, are bad.
    """
    torch_device = choose_device(device)
    found = find_job(job or guess_job(source) or "classify")
    said = Said(
        job=job,
        model=model,
        budget=budget,
        epochs=epochs,
        steps=steps,
        settings=settings or {},
        seed=seed,
        init=None if init is None else str(init),
        new_head=new_head,
    )
    pictures = open_for(found, source)
    planned = plan_training(
        said,
        found,
        pictures,
        device=torch_device,
        training_seconds=lambda budget: None if budget is None else budget - FINISHING_SECONDS,
    )
    plan, facts = planned.plan, planned.facts
    numbers = reasons(
        plan.config, facts, said.settings, has_weights=planned.start is not None
    )  # fmt: skip
    return RecipeResult(
        source=pictures.path,
        job=found.name,
        model=plan.model_name,
        tried=[
            {
                "model": tried.candidate.model,
                "image_size": tried.candidate.image_size,
                "pictures_per_second": round(tried.pictures_per_second, 1),
                "epochs": round(tried.epochs, 2),
            }
            for tried in plan.choice.tried
        ],
        epochs_wanted=round(plan.epochs_wanted, 1),
        numbers=[number._asdict() for number in numbers],
        notes=[*pictures.notes, *planned.parts.notes, *plan.notes],
        config=to_json(plan.config),
    )
