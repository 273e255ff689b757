"""What the planner needs to know of a job."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from saccade.config.model import ModelConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.data.targets import Targets
from saccade.planning.budget import Choice
from saccade.planning.classify import PHOTO_SIDES, patch_for
from saccade.planning.facts import Facts
from saccade.run.teacher import Teacher


@runtime_checkable
class ConfigMaker(Protocol):
    """A recipe proper: from a few facts to a complete config; see ``planning.classify``."""

    def __call__(
        self,
        facts: Facts,
        *,
        source: str,
        model: str | ModelConfig,
        image_size: int,
        steps: int,
        budget_seconds: float | None,
        precision: str,
        num_threads: int,
        seed: int,
    ) -> RunConfig:
        """See ``planning.classify.classify`` for the arguments."""
        ...


class Instead(NamedTuple):
    """Another way, where the usual one would come to nothing.

    Attributes:
        settings: what makes it the other way.
        reason: a line of the plan: what is done, why, and how to get the usual one nonetheless.
    """

    settings: dict[str, str]
    reason: str


def _usual(config: RunConfig, choice: Choice, settings: Mapping[str, str]) -> None:
    """The usual way will do."""


def _as_it_is(config: RunConfig, settings: Mapping[str, str]) -> RunConfig:  # noqa: ARG001
    """No difference."""
    return config


def _is_cheap(config: RunConfig, facts: Facts) -> float:  # noqa: ARG001  as in Recipe
    """Judging asks the model once for each picture."""
    return 0.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a job is planned.

    Attributes:
        config: from facts to all numbers.
        preprocess: from the config and the pictures' colours to how a picture becomes input.
        targets: made-up targets for a batch of so many pictures (config, preprocess, number of
            classes, batch size), to time a training step with; None where a job has none.
        wanted_epochs: from the number of training pictures: how often each should be seen before
            a bigger model is worth its time.
        default_model: when the user names none.
        largest_unplanned_side: pixels a side when there is no budget to judge by.
        photo_sides: pixels a side that photographs may be trained at, from the cheapest.
        patch_for: from the pictures' side to the model's patch, both in pixels.
        instead: from the config, the choice behind it and what the user fixed to another way, for
            trainings from scratch; None where the usual one will do.
        judging: from the config and the facts to what the figures at the end cost, in pictures of
            training: a budget is kept for them where they cost much.
        from_scratch: what is changed where a training starts from no weights; also given is what
            the user fixed.
        reads_clips: whether the job may start from weights of a model that reads clips.
        teacher: who is asked about each batch too, which takes its time; None: nobody.
    """

    config: ConfigMaker
    preprocess: Callable[[RunConfig, Facts], Preprocess]
    targets: Callable[[RunConfig, Preprocess, int, int], Targets | None]
    wanted_epochs: Callable[[int], float]
    default_model: str = "rag"
    largest_unplanned_side: int = 128
    photo_sides: Sequence[int] = PHOTO_SIDES
    patch_for: Callable[[int], int] = patch_for
    instead: Callable[[RunConfig, Choice, Mapping[str, str]], Instead | None] = _usual
    judging: Callable[[RunConfig, Facts], float] = _is_cheap
    from_scratch: Callable[[RunConfig, Mapping[str, str]], RunConfig] = _as_it_is
    reads_clips: bool = False
    teacher: Teacher | None = None
