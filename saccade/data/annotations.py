"""What is known about one picture beyond its class, in that picture's own pixels."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.placement import Placement
from saccade.data.preprocess import fit_picture

IGNORED_CLASS = 255
"""In a class map: a pixel that neither teaches nor counts."""

IGNORED_SEGMENT = -1
"""In a segment map: the same."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Boxes:
    """The objects of a picture.

    Attributes:
        boxes_xyxy: left, top, right, bottom of each, in pixels, right and bottom not included.
        labels: class ids.
        is_crowd: boxes round many objects (COCO), which neither teach nor count.
        size: height and width of the picture that they were drawn on; None where nobody said.
        areas: square pixels of the objects inside their boxes; NaN, or None for all, where nobody
            said. They tell small from large in an evaluation, and nothing else.
    """

    boxes_xyxy: Float32[np.ndarray, "m 4"]
    labels: Int64[np.ndarray, " m"]
    is_crowd: Bool[np.ndarray, " m"]
    size: tuple[int, int] | None = None
    areas: Float64[np.ndarray, " m"] | None = None

    def fit(self, placement: Placement, preprocess: Preprocess) -> "Boxes":  # noqa: ARG002
        """The same in the input's pixels."""
        if self.size is not None:
            _require_size("the picture that its boxes were drawn on is", self.size, placement)
        boxes = placement.boxes_to_input(self.boxes_xyxy.astype(np.float64)).astype(np.float32)
        return Boxes(boxes_xyxy=boxes, labels=self.labels, is_crowd=self.is_crowd)


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassMap:
    """A class for each pixel; ``IGNORED_CLASS`` where nothing is known."""

    classes: UInt8[np.ndarray, "H W"]

    def fit(self, placement: Placement, preprocess: Preprocess) -> "ClassMap":  # noqa: ARG002
        """The same on the input's pixels; the bars round a padded picture are ignored."""
        _require_size("its mask is", self.classes.shape, placement)
        return ClassMap(classes=placement.map_to_input(self.classes, fill=IGNORED_CLASS))


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """The objects of a picture (and, in panoptic sets, its background regions) by their pixels.

    Attributes:
        segments: 0 where there is none, k for segment k, ``IGNORED_SEGMENT`` where it is unknown.
        labels: the class id of segment k at k - 1.
    """

    segments: Int32[np.ndarray, "H W"]
    labels: Int64[np.ndarray, " m"]

    def fit(self, placement: Placement, preprocess: Preprocess) -> "Segments":  # noqa: ARG002
        """The same on the input's pixels; the bars round a padded picture are ignored."""
        _require_size("its mask is", self.segments.shape, placement)
        segments = placement.map_to_input(self.segments, fill=IGNORED_SEGMENT)
        return Segments(segments=segments, labels=self.labels)


@dataclass(frozen=True, kw_only=True, eq=False)
class Partner:
    """The picture that another one is to become."""

    image: UInt8[np.ndarray, "H W C"]

    def fit(self, placement: Placement, preprocess: Preprocess) -> "Partner":  # noqa: ARG002
        """The same in the input's size."""
        fitted = fit_picture(_with_channels(self.image, preprocess.channels), preprocess)
        return Partner(image=np.ascontiguousarray(fitted.transpose(1, 2, 0)))


Annotation = Boxes | ClassMap | Segments | Partner


@runtime_checkable
class Annotations(Protocol):
    """What is known about many pictures, by the pictures' numbers."""

    def load(self, i: int) -> Annotation:
        """What is known about picture ``i``.

        Raises:
            UnreadablePicture: it lies in a file of its own, which cannot be read.
        """
        ...

    def stamp(self, i: int) -> str:
        """A cheap sign that changes when the annotation of picture ``i`` does."""
        ...


def _require_size(what: str, size: tuple[int, ...], placement: Placement) -> None:
    height, width = size
    if (height, width) != (placement.height, placement.width):
        raise UnreadablePicture(
            f"{what} {width} x {height} pixels, and the picture {placement.width} x "
            f"{placement.height}; they must be of one size"
        )


def _with_channels(
    image: UInt8[np.ndarray, "H W _given"], channels: int
) -> UInt8[np.ndarray, "H W C"]:
    """A grey partner of coloured pictures in three channels, a coloured one of grey ones in one."""
    if image.shape[2] == channels:
        return image
    if channels == 3:
        return np.repeat(image, 3, axis=2)
    return np.array(Image.fromarray(image).convert("L"))[:, :, None]
