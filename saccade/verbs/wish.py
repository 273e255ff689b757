"""What `train` was asked for: checked before anything is done, and again when a run goes on."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from saccade.backbones.sizes import parse_name
from saccade.config.json import override
from saccade.config.run import RunConfig
from saccade.errors import UsageError
from saccade.planning.budget import DEFAULT_BUDGET_SECONDS, parse_seconds
from saccade.planning.fine_tune import is_called
from saccade.planning.plan import Wish, steps_of
from saccade.run.contract import Contract

DEFAULT_MODEL = "rag"


@dataclass(frozen=True, kw_only=True)
class Said:
    """The words of a call of ``train``, None where nothing was said; see there."""

    job: str | None
    model: str | None
    budget: str | None
    epochs: float | None
    steps: int | None
    settings: Mapping[str, str]
    seed: int | None
    init: str | None
    new_head: bool
    teacher: str | None = None


def make_wish(said: Said, *, default_model: str = DEFAULT_MODEL) -> Wish:
    """What the words ask for.

    Args:
        said: the words.
        default_model: of the job, where none is named.

    Raises:
        UsageError: they do not fit together, or one of them is no number that a run can use.
    """
    given = {"budget": said.budget, "epochs": said.epochs, "steps": said.steps}
    named = [f"--{name} {value}" for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} were given; one of them says how long to train")
    for name, value in (("epochs", said.epochs), ("steps", said.steps)):
        if value is not None and not 0 < value < math.inf:
            raise UsageError(f"--{name} is {value}; it must be a number above 0")
    for name, option in (("steps", "--steps"), ("budget_seconds", "--budget")):
        if name in said.settings:
            raise UsageError(f"--set {name} cannot say how long to train; use {option}")
    if said.new_head and said.init is None:
        raise UsageError(
            "--new-head replaces the head of the weights that --init names; add --init"
        )
    seconds = parse_seconds(said.budget) if said.budget is not None else DEFAULT_BUDGET_SECONDS
    return Wish(
        model=said.model or default_model,
        budget_seconds=seconds if said.epochs is None and said.steps is None else None,
        epochs=said.epochs,
        steps=said.steps,
        settings=dict(said.settings),
        seed=_seed(said.settings, said.seed or 0),
    )


def require_same_wish(said: Said, config: RunConfig, contract: Contract) -> None:
    """``--resume`` may repeat the words of the run it goes on with, but not change them.

    Args:
        said: what is asked for now.
        config, contract: of the run.

    Raises:
        UsageError: with the options that ask for something else.
    """
    wish, origin = make_wish(said), contract.origin
    changed = {
        "--job": said.job is not None and said.job != config.job,
        "--model": said.model is not None and not _is_model_of(said.model, config, contract),
        "--budget": said.budget is not None and wish.budget_seconds != config.budget_seconds,
        "--epochs": said.epochs is not None
        and not _is_as_long(steps_of(said.epochs, config, contract.data.splits["train"]), config),
        "--seed": said.seed is not None and said.seed != config.seed,
        "--steps": said.steps is not None and not _is_as_long(said.steps, config),
        "--set": override(config, wish.settings) != config,
        "--init": said.init is not None and not (origin and _is_same(said.init, origin.source)),
        "--new-head": said.new_head and (origin is None or not origin.has_new_head),
        "--teacher": said.teacher is not None
        and not (contract.teacher and _is_same(said.teacher, contract.teacher.source)),
    }
    if any(changed.values()):
        options = ", ".join(option for option, is_changed in changed.items() if is_changed)
        raise UsageError(
            f"--resume goes on with the numbers in the run's config.json, and {options} asks for "
            "others; leave that out, or start a new run with another --out"
        )


def _is_as_long(steps: int, config: RunConfig) -> bool:
    """Whether a run was to have so many steps, whatever the clock says."""
    return config.budget_seconds is None and steps == config.steps


def _is_model_of(model: str, config: RunConfig, contract: Contract) -> bool:
    """Whether a name, as far as it goes, is that of the run."""
    if contract.origin is not None:  # its name may be one of another library
        return is_called(config.model, model)
    named, stored = parse_name(model), parse_name(contract.model_name)
    return all(a is None or a == b for a, b in zip(named, stored, strict=True))


def _seed(settings: Mapping[str, str], seed: int) -> int:
    """``--set seed=3`` and ``--seed 3`` are one thing: the split depends on it too."""
    text = settings.get("seed", str(seed))
    if not text.isdecimal() or int(text) >= 2**63:
        raise UsageError(f"seed is {text!r}; expected a whole number from 0 to below 2**63")
    return int(text)


def _is_same(said: str, source: str) -> bool:
    """Whether two texts name one thing; the shell ends a folder with a slash."""
    return said == source or ("://" not in said and Path(said) == Path(source))
