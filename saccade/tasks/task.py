"""What the training loop needs to know of any job; there is nothing to inherit."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from saccade.backbones.build import AnyBackbone
from saccade.backbones.query_vit import QueryVit
from saccade.config.model import Pool
from saccade.data.batch import Batch
from saccade.tokens.tokens import Tokens


@runtime_checkable
class Collected(Protocol):
    """What is remembered of pictures, in their order; it can be sent to another process."""

    def extend(self, other: Any, /) -> None:
        """Adds the pictures of another of its kind, behind those that are here."""
        ...


@runtime_checkable
class Measure(Protocol):
    """Collects predictions over a data set and turns them into figures."""

    def update(self, batch: Batch) -> None:
        """Predicts one batch with targets and remembers what the figures need."""
        ...

    def figures(self) -> dict[str, float]:
        """The figures so far, by name."""
        ...

    def collected(self) -> tuple[Collected, ...]:
        """All that ``figures`` needs beside the task."""
        ...


@runtime_checkable
class Task(Protocol):
    """A job to learn: any ``nn.Module`` with these methods.

    Attributes:
        best_figure: the name of the figure by which the best weights are chosen.
        best_is_low: whether a smaller one is better.
        most_judged: how many held-out pictures choose the best weights; None: all of them.
    """

    best_figure: str
    best_is_low: bool
    most_judged: int | None

    @property
    def takes_parts(self) -> bool:
        """Whether the loss of a batch is the mean of those of its parts.

        Exactly, or but for how many objects each part holds; then a batch can be computed in parts
        where memory is short. Not where pictures of a batch are compared with each other.
        """
        ...

    def loss(self, batch: Batch, *, progress: float) -> Mapping[str, Tensor]:
        """Scalars of a training batch: ``loss``, to be made small, and others worth logging.

        Args:
            batch: augmented, on the task's device.
            progress: the share of the training that is done, from 0 to below 1. What changes in
                the course of a training is a function of it and not of the step, since the number
                of steps may change on the way.

        Random choices come from torch's global generator, which the learner seeds by the step.
        """
        ...

    def metrics(self) -> Measure:
        """An empty collector of this job's figures, which asks this task."""
        ...


@runtime_checkable
class Explained(Protocol):
    """A task whose answers can be traced back to the patches they come from.

    Attributes:
        backbone: pictures, or clips, to tokens.
        reads: which tokens the answers are read from: ``mean`` for the patches, all alike.
    """

    @property
    def backbone(self) -> AnyBackbone | QueryVit:
        """See above."""
        ...

    @property
    def reads(self) -> Pool:
        """See above."""
        ...

    def normalise(
        self, images: UInt8[Tensor, "B C H W"] | UInt8[Tensor, "B T C H W"]
    ) -> Float[Tensor, "B C H W"] | Float[Tensor, "B T C H W"]:
        """Bytes to the numbers that the backbone is given."""
        ...

    def score(self, tokens: Tokens, asked: Int64[Tensor, " B"]) -> Float[Tensor, " B"]:
        """How much an answer speaks for what was asked, such as the logit of a class.

        Args:
            tokens: what the backbone returns; or, normalised alike, the output of an earlier block.
            asked: what to explain of each picture, usually a class id.
        """
        ...
