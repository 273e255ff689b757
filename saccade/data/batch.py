"""The border between data and task: many pictures of one size, as they leave the loader."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from saccade.data.targets import BlendedLabels, Targets, Told, each_tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Many examples of one size.

    Attributes:
        images: pictures as bytes, 0 to 255, grey (C = 1) or RGB (C = 3); or clips of T frames.
        targets: the class id of each picture, 0 to K - 1, or what else is to be learned; None where
            nothing is known (prediction, pretraining).
        ids: each picture's place in its source; random choices about a picture depend on it alone.
        sizes: height and width of each picture before it was fitted; None where nobody asks.
        told: what a teacher says about these very pictures; None where there is none.
    """

    images: UInt8[Tensor, "B C H W"] | UInt8[Tensor, "B T C H W"]
    targets: Targets | None
    ids: Int64[Tensor, " B"]
    sizes: Int64[Tensor, "B 2"] | None = None
    told: Told | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> Int64[Tensor, " B"]:
        """The class ids, of a batch that has them; of two pictures in one the larger's."""
        classes = self.classes
        return classes.larger if isinstance(classes, BlendedLabels) else classes

    @property
    def classes(self) -> Int64[Tensor, " B"] | BlendedLabels:
        """The class ids as they are to be learned, of a batch that has them."""
        assert isinstance(self.targets, Tensor | BlendedLabels)
        return self.targets

    def spelt(self, class_names: Sequence[str]) -> list[str]:
        """The class of each picture in words; of two pictures in one both, with their shares."""
        classes = self.classes
        if not isinstance(classes, BlendedLabels):
            return [class_names[label] for label in classes.tolist()]
        rows = zip(
            classes.labels.tolist(), classes.others.tolist(), classes.share.tolist(), strict=True
        )
        return [
            class_names[label]
            if share == 1 or label == other
            else f"{class_names[label]} {share:.0%}, {class_names[other]} {1 - share:.0%}"
            for label, other, share in rows
        ]

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device; the sizes stay where they are."""
        return self._changed(lambda tensor: tensor.to(device, non_blocking=True), sizes=self.sizes)

    def pinned(self) -> "Batch":
        """The same batch in memory that a GPU reads by itself."""
        return self._changed(lambda tensor: tensor.pin_memory(), sizes=self.sizes)

    def used_in(self, stream: torch.cuda.Stream) -> None:
        """Keeps the memory of the batch until a stream is done with it, which did not make it."""

        def keep(tensor: Tensor) -> Tensor:
            tensor.record_stream(stream)
            return tensor

        self._changed(keep, sizes=self.sizes)

    def parts(self, size: int) -> list["Batch"]:
        """The same pictures in order, at most so many in each."""
        slices = [slice(start, start + size) for start in range(0, len(self), size)]
        return [
            self._changed(
                lambda tensor, rows=rows: tensor[rows],
                sizes=None if self.sizes is None else self.sizes[rows],
            )
            for rows in slices
        ]

    def _changed(
        self, change: Callable[[Tensor], Tensor], *, sizes: Int64[Tensor, "_b 2"] | None
    ) -> "Batch":
        targets = self.targets
        if isinstance(targets, Tensor):
            targets = change(targets)
        elif targets is not None:
            targets = each_tensor(targets, change)
        return Batch(
            images=change(self.images),
            targets=targets,
            ids=change(self.ids),
            sizes=sizes,
            told=None if self.told is None else each_tensor(self.told, change),
        )
