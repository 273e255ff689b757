"""What a batch of pictures is to be taken for: annotations of one size, as tensors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int32, Int64, UInt8
from torch import Tensor

from saccade.data.annotations import Annotation, Boxes, ClassMap, Partner, Segments
from saccade.data.warp import Warp

PADDING = -1
"""The label of a row that only fills up: pictures have different numbers of objects."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlendedLabels:
    """The classes of pictures that are each blended from two.

    Attributes:
        labels: class ids of the pictures themselves.
        others: those of the pictures that were blended in.
        share: of the first, 0 to 1; 1 where nothing was blended in.
    """

    labels: Int64[Tensor, " B"]
    others: Int64[Tensor, " B"]
    share: Float32[Tensor, " B"]

    @property
    def larger(self) -> Int64[Tensor, " B"]:
        """The class that has the larger share of each picture."""
        return torch.where(self.share >= 0.5, self.labels, self.others)


@dataclass(frozen=True, kw_only=True, eq=False)
class ToldLogits:
    """A teacher's logits of the pictures as they are, for the classes that are learned."""

    logits: Float32[Tensor, "B K"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ToldFeatures:
    """A teacher's vectors of unit length: of its patches, or one of each whole picture (1 x 1)."""

    vectors: Float32[Tensor, "B h w D"]


Told = ToldLogits | ToldFeatures
"""What a teacher says about a batch."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BoxTargets:
    """The objects of each picture, as many rows as the picture with the most has.

    Attributes:
        boxes_xyxy: left, top, right, bottom in the input's pixels.
        labels: class ids; ``PADDING`` in rows that hold no object.
        is_crowd: boxes round many objects, which neither teach nor count.
    """

    boxes_xyxy: Float32[Tensor, "B M 4"]
    labels: Int64[Tensor, "B M"]
    is_crowd: Bool[Tensor, "B M"]

    def warp(self, warp: Warp) -> "BoxTargets":
        """Follows the pictures; objects that have left them become padding."""
        boxes, is_left = warp.boxes(self.boxes_xyxy)
        labels = torch.where(is_left, self.labels, PADDING)
        return BoxTargets(boxes_xyxy=boxes, labels=labels, is_crowd=self.is_crowd)


@dataclass(frozen=True, kw_only=True, eq=False)
class MapTargets:
    """The class of each pixel; ``IGNORED_CLASS`` where nothing is known."""

    classes: UInt8[Tensor, "B H W"]

    def warp(self, warp: Warp) -> "MapTargets":
        """Follows the pictures."""
        return MapTargets(classes=warp.maps(self.classes))


@dataclass(frozen=True, kw_only=True, eq=False)
class SegmentTargets:
    """The segments of each picture.

    Attributes:
        segments: 0 where there is none, k for segment k, ``IGNORED_SEGMENT`` where it is unknown.
        labels: the class id of segment k at k - 1; ``PADDING`` in rows that hold no segment.
            A segment that an augmentation moved out of the picture keeps its row, without pixels.
    """

    segments: Int32[Tensor, "B H W"]
    labels: Int64[Tensor, "B M"]

    def warp(self, warp: Warp) -> "SegmentTargets":
        """Follows the pictures."""
        return SegmentTargets(segments=warp.maps(self.segments), labels=self.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureTargets:
    """The picture that each one is to become."""

    images: UInt8[Tensor, "B C H W"]

    def warp(self, warp: Warp) -> "PictureTargets":
        """Follows the pictures."""
        moved = warp.images(self.images.float())
        return PictureTargets(images=moved.round_().clamp_(0, 255).to(torch.uint8))


Annotated = BoxTargets | MapTargets | SegmentTargets | PictureTargets

Targets = Int64[Tensor, " B"] | BlendedLabels | Annotated
"""Class ids, or one of the above."""


Several = TypeVar("Several", bound=BlendedLabels | Annotated | Told)


def each_tensor(targets: Several, change: Callable[[Tensor], Tensor]) -> Several:
    """The same targets with each tensor changed: moved to a device, cut to some rows."""
    return replace(targets, **{name: change(tensor) for name, tensor in vars(targets).items()})


def collate(annotations: Sequence[Annotation]) -> Targets:
    """Annotations of one kind, already in the input's size, as one batch.

    Args:
        annotations: at least one.
    """
    match annotations[0]:
        case Boxes():
            return _boxes(cast(Sequence[Boxes], annotations))
        case ClassMap():
            maps = [each.classes for each in cast(Sequence[ClassMap], annotations)]
            return MapTargets(classes=torch.from_numpy(np.stack(maps)))
        case Segments():
            segments = cast(Sequence[Segments], annotations)
            return SegmentTargets(
                segments=torch.from_numpy(np.stack([each.segments for each in segments])),
                labels=_padded([each.labels for each in segments]),
            )
        case Partner():
            images = [each.image for each in cast(Sequence[Partner], annotations)]
            stacked = np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2))
            return PictureTargets(images=torch.from_numpy(stacked))


def _boxes(annotations: Sequence[Boxes]) -> BoxTargets:
    labels = _padded([each.labels for each in annotations])
    boxes = torch.zeros(*labels.shape, 4)
    is_crowd = torch.zeros(labels.shape, dtype=torch.bool)
    for row, each in enumerate(annotations):
        boxes[row, : len(each.labels)] = torch.from_numpy(each.boxes_xyxy)
        is_crowd[row, : len(each.labels)] = torch.from_numpy(each.is_crowd)
    return BoxTargets(boxes_xyxy=boxes, labels=labels, is_crowd=is_crowd)


def _padded(labels: Sequence[Int64[np.ndarray, " _m"]]) -> Int64[Tensor, "B M"]:
    padded = torch.full((len(labels), max(map(len, labels))), PADDING)
    for row, each in enumerate(labels):
        padded[row, : len(each)] = torch.from_numpy(each)
    return padded
