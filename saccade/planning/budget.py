"""One dial: from seconds to model, size, resolution, batch and steps."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from saccade.backbones.sizes import ModelName
from saccade.errors import UsageError
from saccade.planning.classify import PHOTO_SIDES, natural_side
from saccade.planning.classify import patch_for as usual_patch

DEFAULT_BUDGET_SECONDS = 600.0

SHORTEST_SECONDS = 30.0

SIZES = ("pico", "nano", "ti", "s")

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Candidate(NamedTuple):
    """One model at one resolution."""

    model: str
    image_size: int


class Tried(NamedTuple):
    """What came of timing a candidate.

    Attributes:
        candidate: model and resolution.
        pictures_per_second: in training, measured.
        epochs: that the time suffices for.
    """

    candidate: Candidate
    pictures_per_second: float
    epochs: float


class Choice(NamedTuple):
    """What fits.

    Attributes:
        candidate: model and resolution.
        seconds_per_step: measured; None when there was no budget to measure for.
        steps: to make.
        tried: all candidates that were timed, from the cheapest.
    """

    candidate: Candidate
    seconds_per_step: float | None
    steps: int
    tried: tuple[Tried, ...] = ()


def parse_seconds(text: str) -> float:
    """``90s``, ``10m``, ``1.5h`` or ``1h30m`` in seconds.

    Raises:
        UsageError: it is not a duration, or shorter than 30 seconds.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        raise UsageError(f"{text!r} is not a duration; write it as 90s, 10m, 1.5h or 1h30m")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds < SHORTEST_SECONDS:
        raise UsageError(
            f"a budget of {text} is too short: loading, evaluating and the report alone take "
            f"some 20 s; give at least {SHORTEST_SECONDS:.0f}s"
        )
    return seconds


def candidates(
    name: ModelName,
    *,
    side: int,
    image_size: int | None,
    photo_sides: Sequence[int] = PHOTO_SIDES,
    patch_for: Callable[[int], int] = usual_patch,
) -> Iterator[Candidate]:
    """Models worth trying for pictures of this side, from the cheapest to the dearest.

    Small pictures keep their size and the model grows; for photographs both grow in turn.

    Args:
        name: the family, and what else the user has fixed.
        side: median short side of the pictures in pixels.
        image_size: fixed by the user, or None.
        photo_sides: that photographs may be trained at, from the smallest.
        patch_for: from a side to the patch, where the name has none.
    """
    natural = natural_side(side)
    is_photo = natural >= PHOTO_SIDES[0]
    sides = [s for s in photo_sides if s <= natural] if is_photo else [natural]
    sides = sides if image_size is None else [image_size]
    sizes = SIZES if name.size is None else (name.size,)
    for rung in range(len(sizes) + len(sides) - 1):
        # A bigger picture and a bigger model in turn, until both are at their end.
        at_side = max(min((rung + 1) // 2, len(sides) - 1), rung - len(sizes) + 1)
        patch_size = name.patch_size or patch_for(sides[at_side])
        model = f"{name.family}-{sizes[rung - at_side]}{patch_size}"
        yield Candidate(model, sides[at_side])


def wanted_epochs(num_pictures: int) -> float:
    """How often each picture should be seen before a bigger model is worth its time.

    12 times at 50,000 pictures, and more, by the square root, when there are fewer.
    """
    return min(100.0, max(6.0, 12 * math.sqrt(50_000 / max(num_pictures, 1))))


def choose(
    options: Iterator[Candidate],
    *,
    num_pictures: int,
    batch_size: int,
    epochs: float,
    seconds: float,
    measure: Callable[[Candidate], float],
) -> Choice:
    """The dearest candidate that still sees the data often enough; else the cheapest.

    Args:
        options: from the cheapest to the dearest.
        num_pictures: to train on.
        batch_size: pictures a step.
        epochs: how often each picture should be seen, such as ``wanted_epochs``.
        seconds: for training.
        measure: seconds a step of a candidate takes.
    """
    best: Choice | None = None
    tried: list[Tried] = []
    for candidate in options:
        measured = measure(candidate)
        choice = Choice(candidate, measured, max(1, int(seconds / measured)))
        seen = choice.steps * batch_size / num_pictures
        tried.append(Tried(candidate, batch_size / measured, seen))
        sees_enough = seen >= epochs
        if best is None or sees_enough:
            best = choice
        if not sees_enough:
            break
    assert best is not None
    return best._replace(tried=tuple(tried))
