"""How well classes of pixels are told apart: fed picture by picture, asked once at the end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64, Shaped, UInt8

from saccade.data.annotations import IGNORED_CLASS
from saccade.metrics.intervals import Estimate, percentile_estimate, resample_weights

BACKGROUND = "background"
"""A class of this name is what is left over: it counts in ``miou`` and not in ``dice``."""

NUM_RESAMPLES = 500


@dataclass(frozen=True)
class MapRow:
    """One class of an evaluation; what is undefined is None.

    Attributes:
        name: the class.
        pixels: how many pixels truly belong to it.
        iou: its pixels found, over those that are or were said to be.
        dice: twice the pixels found over those that are plus those said to be; the mean over the
            pictures in which it is or was said to be.
        precision: share of the pixels said to be of this class that are.
        recall: share of its pixels that were found.
    """

    name: str
    pixels: int
    iou: float | None
    dice: float | None
    precision: float | None
    recall: float | None


class MapMetrics:
    """Counts pixels, three numbers for each class of each picture.

    Args:
        class_names: the K names, in the order of the class ids.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        self.confusion = np.zeros((len(class_names),) * 2, dtype=np.int64)
        self._counts: list[Int64[np.ndarray, "3 K"]] = []

    @property
    def n(self) -> int:
        """How many pictures were counted."""
        return len(self._counts)

    def update(self, predicted: UInt8[np.ndarray, "H W"], truth: UInt8[np.ndarray, "H W"]) -> None:
        """Adds one picture.

        Args:
            predicted: class ids, or ``IGNORED_CLASS`` where nothing was said: all of that is wrong.
            truth: class ids, or ``IGNORED_CLASS`` for pixels that do not count.
        """
        num_classes = len(self.class_names)
        is_known = truth != IGNORED_CLASS
        said, true = predicted[is_known], truth[is_known].astype(np.int64)
        is_said = said != IGNORED_CLASS
        pairs = true[is_said] * num_classes + said[is_said]
        confusion = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, -1)
        self.confusion += confusion
        counts = (
            confusion.diagonal(),
            confusion.sum(axis=0),
            np.bincount(true, minlength=num_classes),
        )
        self._counts.append(np.stack(counts))

    def extend(self, other: "MapMetrics") -> None:
        """Adds the pictures of another, behind those that are here."""
        self.confusion += other.confusion
        self._counts += other._counts

    def dice_of_pictures(self) -> Float[np.ndarray, "n K"]:
        """Of each class in each picture; NaN where it neither is nor was said to be."""
        return _dice(np.stack(self._counts))

    def mean_dice_of_pictures(self) -> Float[np.ndarray, " n"]:
        """Over the classes that are there or were said to be, the background left out; 1 if none.

        With nothing there and nothing said, all is right.
        """
        dice = self.dice_of_pictures()[:, self._shown()]
        return np.where(np.isnan(dice).all(axis=1), 1.0, _mean(dice))

    def accuracy_of_pictures(self) -> Float[np.ndarray, " n"]:
        """The share of the known pixels that was right; 1 where nothing is known."""
        both, _, true = np.moveaxis(np.stack(self._counts), 1, 0).sum(axis=2)
        return np.where(true > 0, both / np.maximum(true, 1), 1.0)

    def per_class(self) -> tuple[MapRow, ...]:
        """One row per class, in order."""
        both, said, true = np.stack(self._counts).sum(axis=0).tolist()
        dice = self.dice_of_pictures()
        return tuple(
            MapRow(
                name=name,
                pixels=true[k],
                iou=_ratio(both[k], said[k] + true[k] - both[k]),
                dice=None if np.isnan(dice[:, k]).all() else float(np.nanmean(dice[:, k])),
                precision=_ratio(both[k], said[k]),
                recall=_ratio(both[k], true[k]),
            )
            for k, name in enumerate(self.class_names)
        )

    def metrics(self) -> dict[str, Estimate]:
        """``miou``, ``dice`` and ``pixel_accuracy``, as fractions.

        ``miou`` pools the pixels of all pictures and is the mean over the classes that are there
        or were said to be. ``dice`` is the mean over such classes of the mean over pictures, the
        background left out. Intervals: pictures drawn again, 500 times.
        """
        counts = np.stack(self._counts).astype(np.float64)  # n 3 K
        everything = self._figures(counts, np.ones((1, len(counts))))
        generator = np.random.default_rng(0)
        resampled = [
            self._figures(counts, weights)
            for weights in resample_weights(
                len(counts), num_resamples=NUM_RESAMPLES, generator=generator
            )
        ]
        return {
            name: percentile_estimate(
                float(values[0]), np.concatenate([each[name] for each in resampled])
            )
            for name, values in everything.items()
        }

    def _figures(
        self, counts: Float[np.ndarray, "n 3 K"], weights: Float[np.ndarray, "R n"]
    ) -> dict[str, Float[np.ndarray, " R"]]:
        """The figures of R samples of the pictures, each picture counted as often as it says."""
        both, said, true = np.moveaxis(np.einsum("rn,njk->rjk", weights, counts), 1, 0)  # R K each
        ious = _divided(both, said + true - both)
        dice = _dice(counts)  # n K
        is_there = ~np.isnan(dice)
        of_classes = _divided(weights @ np.nan_to_num(dice), weights @ is_there)  # R K
        return {
            "miou": _mean(ious),
            "dice": _mean(of_classes[:, self._shown()]),
            "pixel_accuracy": np.nan_to_num(_divided(both.sum(axis=1), true.sum(axis=1))),
        }

    def _shown(self) -> list[int]:
        """The classes that are not background; all, where there is nothing else."""
        shown = [k for k, name in enumerate(self.class_names) if name.lower() != BACKGROUND]
        return shown or list(range(len(self.class_names)))


def _dice(counts: Shaped[np.ndarray, "n 3 K"]) -> Float[np.ndarray, "n K"]:
    both, said, true = np.moveaxis(counts, 1, 0)
    return _divided(2 * both, said + true)


def _divided(above: np.ndarray, below: np.ndarray) -> Float[np.ndarray, "*shape"]:
    """NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def _mean(values: Float[np.ndarray, "R K"]) -> Float[np.ndarray, " R"]:
    """Over the classes that are defined; 0 where none is."""
    is_there = ~np.isnan(values)
    return np.nan_to_num(values).sum(axis=1) / np.maximum(is_there.sum(axis=1), 1)


def _ratio(above: int, below: int) -> float | None:
    return float(above / below) if below else None
