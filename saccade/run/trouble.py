"""What is done about a step whose loss or gradient is not a finite number."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from saccade.errors import SaccadeError, UsageError, nearest

OnNan = Literal["stop", "skip", "rewind"]
"""End the training; go on with the next batch; go back to the last checkpoint, and from there on
with other batches (as in arXiv 2204.02311)."""

MOST_IN_A_ROW = 10
"""Steps skipped without a good one between: then it is not the batch."""

MOST_REWINDS = 3
"""From one checkpoint."""

_SHOWN = 8


def on_nan_named(name: str) -> OnNan:
    """The answer of that name.

    Raises:
        UsageError: there is none.
    """
    for known in get_args(OnNan):
        if name == known:
            return known
    raise UsageError(f"on_nan is {name!r}; {nearest(name, get_args(OnNan))}")


def not_finite(figures: Mapping[str, float]) -> list[str]:
    """The names of the figures that are NaN or infinite."""
    return [name for name, value in figures.items() if not math.isfinite(value)]


def what_happened(broken: Sequence[str], *, step: int, pictures: Sequence[str]) -> str:
    """One sentence: which figure, at which step, of which pictures.

    Args:
        broken: names of figures.
        step: the number of the step, from 1.
        pictures: the names of those in the batch.
    """
    shown = ", ".join(pictures[:_SHOWN])
    more = f" and {len(pictures) - _SHOWN} more" if len(pictures) > _SHOWN else ""
    return f"{', '.join(broken)} is not finite at step {step}, of {shown}{more}"


def stopped_for(what: str) -> SaccadeError:
    """The error that ends a training; the weights before the step are saved by then."""
    return SaccadeError(
        f"{what}; the step was not made, and what was before it is saved. Look at these pictures, "
        "go on without them with --resume --on-nan skip, or start a new run with a lower optim.lr "
        "or with precision=fp32"
    )


def hopeless(what: str, tried: str) -> SaccadeError:
    """The error when skipping or rewinding did not help.

    Args:
        what: happened last.
        tried: what was done about it, or why nothing could be.
    """
    return SaccadeError(
        f"{what}; {tried}. Start a new run with a lower optim.lr or with precision=fp32"
    )
