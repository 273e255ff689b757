"""What a classifier knows its pictures by, and from where on a picture is no longer one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import safetensors
import safetensors.torch
import torch
from jaxtyping import Float, Float16, Float32
from torch import Tensor

from saccade.errors import SaccadeError, UsageError, nearest
from saccade.run.folder import write_atomic

Score = Literal["knn", "energy", "probability"]
"""How familiar a picture is, the higher the more: minus the distance to the nearest pictures of the
training (arXiv 2204.06507), minus the energy of the logits (arXiv 2010.03759), and the probability
of the class predicted (arXiv 1610.02136). The last two are there to be compared with."""

SCORES: tuple[Score, ...] = get_args(Score)

NUM_KEPT = 2048
"""Pictures of the training that are remembered, in half precision: 1 to 10 megabytes."""

NUM_NEIGHBOURS = 5
"""Which of the nearest counts: one copy of a picture in the training says nothing."""

MOST_HELD_OUT = 10_000
"""Scores of held-out pictures that are remembered."""

_PLACE = "held_out."


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """From which score on an answer is refused.

    Attributes:
        by: the score.
        share: of pictures like those of the training, at most so many are refused.
        limit: answers below it are refused.
    """

    by: Score
    share: float
    limit: float

    def reason(self, score: float) -> str | None:
        """Why an answer with this score is refused; None where it is not."""
        if score >= self.limit:
            return None
        most = f"{100 * (1 - self.share):.6g} % of known pictures"
        match self.by:
            case "knn":
                return (
                    "unlike the pictures it learned from: distance "
                    f"{-score:.3f}, of {most} at most {-self.limit:.3f}"
                )
            case "energy":
                return (
                    f"no class speaks up: logits sum to {score:.3f} (log-sum-exp), of {most} to "
                    f"at least {self.limit:.3f}"
                )
            case "probability":
                return f"unsure: probability {score:.3f}, of {most} at least {self.limit:.3f}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Known:
    """Training pictures as vectors, and how held-out pictures scored.

    A picture's vector has two parts of equal weight: statistics of its pixels (what it is like),
    and what the head reads (what it shows). Each number is standardised by the training pictures,
    so that one that never varies there speaks up when it does. What the head reads, at unit length
    as in the paper, is not enough: a classifier of few classes learns to ignore all that does not
    tell these apart. `python -m benchmarks trust` has both.

    Attributes:
        mean, scale: what is taken from a vector, and then multiplied with.
        vectors: of some training pictures, standardised.
        held_out: by score, those of pictures that were held out, in ascending order.
    """

    mean: Float32[Tensor, " D"]
    scale: Float32[Tensor, " D"]
    vectors: Float16[Tensor, "n D"]
    held_out: Mapping[Score, Float32[Tensor, " m"]]

    def familiarity(self, parts: Sequence[Float32[Tensor, "B _"]]) -> Float32[Tensor, " B"]:
        """Minus the distance to the fifth-nearest of the remembered pictures; at most 0."""
        query = (torch.cat(list(parts), dim=1) - self.mean) * self.scale
        # Products of matrices would be quicker, and give a picture another distance in each batch.
        distances = torch.cdist(
            query, self.vectors.float(), compute_mode="donot_use_mm_for_euclid_dist"
        )
        count = min(NUM_NEIGHBOURS, distances.shape[1])
        return -distances.topk(count, dim=1, largest=False).values[:, -1]

    def refusal(self, share: float, *, by: str = "knn") -> Refusal:
        """The limit that refuses at most a share of pictures like those of the training.

        A new picture of the same kind is as likely to come at any place among the m held-out ones.
        So the k-th smallest of their scores is above it with probability k / (m + 1), and the
        largest k is taken for which that is no more than the share.

        Args:
            share: above 0 and below 1.
            by: the score; see ``Score``.

        Raises:
            UsageError: there is no such score, or too few pictures were held out for the share.
        """
        name = next((each for each in SCORES if each == by), None)
        if name is None:
            raise UsageError(f"no score is called {by!r}; {nearest(by, SCORES)}")
        if not 0 < share < 1:
            raise UsageError(
                f"--reject is {share:g}; expected the share of known pictures that may be refused, "
                "above 0 and below 1, such as 0.05"
            )
        scores = self.held_out[name]
        count = int(share * (len(scores) + 1) + 1e-9)
        if count == 0:
            raise UsageError(
                f"--reject is {share:g}, and with the {len(scores)} pictures that training held "
                f"out no share below {1 / (len(scores) + 1):.3f} can be told; give a larger one"
            )
        return Refusal(by=name, share=share, limit=float(scores[count - 1]))

    def save(self, path: Path) -> None:
        """Writes it as safetensors, atomically."""
        tensors = {"mean": self.mean, "scale": self.scale, "vectors": self.vectors}
        tensors |= {f"{_PLACE}{name}": scores for name, scores in self.held_out.items()}
        data = safetensors.torch.save({k: v.contiguous() for k, v in tensors.items()})
        try:
            write_atomic(path, data)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SaccadeError(
                f"could not write {path}: {reason}; make room and try again"
            ) from error


def load_known(path: Path) -> Known | None:
    """Reads what ``save`` wrote; None where there is no such file, as in runs of older versions.

    Raises:
        UsageError: the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        tensors = safetensors.torch.load_file(path)
        return Known(
            mean=tensors["mean"],
            scale=tensors["scale"],
            vectors=tensors["vectors"],
            held_out={name: tensors[f"{_PLACE}{name}"] for name in SCORES},
        )
    except (safetensors.SafetensorError, KeyError) as error:
        raise UsageError(
            f"{path} is damaged: {error}; restore it, or remove it and do without --reject"
        ) from None


def standardise(
    parts: Sequence[Float32[Tensor, "n _"]],
) -> tuple[Float32[Tensor, " D"], Float32[Tensor, " D"], Float16[Tensor, "n D"]]:
    """Vectors whose every number varies by 1, and each part counts the same, however wide.

    Args:
        parts: of the vectors of training pictures.

    Returns:
        Mean, scale and the vectors, as ``Known`` has them.
    """
    vectors = torch.cat(list(parts), dim=1)
    scales = []
    for part in parts:
        spread = part.std(dim=0, correction=0)
        # A channel that is dead in training must not decide alone by a breath of something.
        spread = spread.clamp(min=max(1e-2 * float(spread.mean()), 1e-6))
        scales.append(1 / (spread * part.shape[1] ** 0.5))
    mean, scale = vectors.mean(dim=0), torch.cat(scales)
    return mean, scale, ((vectors - mean) * scale).half()


def kept_scores(scores: Float[np.ndarray, " m"]) -> Float32[Tensor, " n"]:
    """In ascending order, and at most ``MOST_HELD_OUT`` of them, evenly taken."""
    ordered = np.sort(scores)
    if len(ordered) > MOST_HELD_OUT:
        places = np.linspace(0, len(ordered) - 1, MOST_HELD_OUT).round().astype(np.int64)
        ordered = ordered[places]
    return torch.from_numpy(ordered.astype(np.float32))
