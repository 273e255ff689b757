"""Where a picture lies in the model's input, so that boxes and maps go there and back with it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from saccade.config.run import Preprocess


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How coordinates of a picture become those of the input: ``x * scale_x + left``.

    Coordinates are those of pixel edges: a picture reaches from 0 to its width.

    Attributes:
        height, width: of the picture.
        input_height, input_width: of the model's input.
        scale_y, scale_x: input pixels per picture pixel.
        top, left: where the picture's corner lies in the input; negative where it is cut off.
    """

    height: int
    width: int
    input_height: int
    input_width: int
    scale_y: float
    scale_x: float
    top: float
    left: float

    def boxes_to_input(self, boxes_xyxy: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "m 4"]:
        """Boxes of the picture in the input's pixels; parts may lie outside."""
        return boxes_xyxy * self._scales() + self._shifts()

    def boxes_to_picture(self, boxes_xyxy: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "m 4"]:
        """Boxes of the input in the picture's pixels, cut off at its border."""
        boxes = (boxes_xyxy - self._shifts()) / self._scales()
        return boxes.clip(0, [self.width, self.height, self.width, self.height])

    def map_to_input(
        self, labels: Integer[np.ndarray, "height width"], *, fill: int
    ) -> Integer[np.ndarray, "input_height input_width"]:
        """Numbers on the picture's pixels, on those of the input: the nearest; ``fill`` in bars."""
        rows, has_row = _nearest(self.input_height, self.scale_y, self.top, self.height)
        columns, has_column = _nearest(self.input_width, self.scale_x, self.left, self.width)
        placed = labels[rows[:, None], columns[None, :]]
        return np.where(has_row[:, None] & has_column[None, :], placed, fill).astype(labels.dtype)

    def map_to_picture(
        self, labels: Integer[np.ndarray, "input_height input_width"], *, fill: int
    ) -> Integer[np.ndarray, "height width"]:
        """Numbers on the input's pixels, on those of the picture; ``fill`` where it was cut off."""
        rows, has_row = _nearest(
            self.height, 1 / self.scale_y, -self.top / self.scale_y, self.input_height
        )
        columns, has_column = _nearest(
            self.width, 1 / self.scale_x, -self.left / self.scale_x, self.input_width
        )
        placed = labels[rows[:, None], columns[None, :]]
        return np.where(has_row[:, None] & has_column[None, :], placed, fill).astype(labels.dtype)

    def _scales(self) -> Float[np.ndarray, " 4"]:
        return np.array([self.scale_x, self.scale_y] * 2)

    def _shifts(self) -> Float[np.ndarray, " 4"]:
        return np.array([self.left, self.top] * 2)


def place(height: int, width: int, preprocess: Preprocess) -> Placement:
    """Where ``fit_picture`` puts a picture of this size."""
    fitting = plan_fit(height, width, preprocess)
    left, top, right, bottom = fitting.box
    scale_x, scale_y = fitting.width / (right - left), fitting.height / (bottom - top)
    return Placement(
        height=height,
        width=width,
        input_height=preprocess.height,
        input_width=preprocess.width,
        scale_y=scale_y,
        scale_x=scale_x,
        top=fitting.top - top * scale_y,
        left=fitting.left - left * scale_x,
    )


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """What is done to a picture: a box of it is resized, and put into the input at a place.

    Attributes:
        box: left, top, right, bottom, in the picture's pixels.
        height, width: that the box is resized to.
        top, left: of the resized box in the input; negative where it is cut off.
    """

    box: tuple[float, float, float, float]
    height: int
    width: int
    top: int
    left: int


def plan_fit(height: int, width: int, preprocess: Preprocess) -> Fitting:
    """How a picture of this size gets the model's; see ``fit_picture``."""
    target_height, target_width = preprocess.height, preprocess.width
    new_height, new_width = target_height, target_width
    box = (0.0, 0.0, float(width), float(height))
    if preprocess.fit == "crop":
        scaled_height, scaled_width = _scaled(height, width, short_side=preprocess.resize_side)
        if scaled_height >= target_height and scaled_width >= target_width:
            new_height, new_width = scaled_height, scaled_width
        else:  # no side to scale to first, or one that would leave an oblong model uncovered
            box = _centred_box(height, width, aspect=target_width / target_height)
    elif preprocess.fit == "pad":
        scale = min(target_height / height, target_width / width)
        new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
        return Fitting(
            box=box,
            height=new_height,
            width=new_width,
            top=(target_height - new_height) // 2,
            left=(target_width - new_width) // 2,
        )
    return Fitting(
        box=box,
        height=new_height,
        width=new_width,
        top=-round((new_height - target_height) / 2),
        left=-round((new_width - target_width) / 2),
    )


def _scaled(height: int, width: int, *, short_side: int) -> tuple[int, int]:
    """Height and width once the short side is that long."""
    long_side = int(short_side * max(height, width) / min(height, width))
    return (long_side, short_side) if width <= height else (short_side, long_side)


def _centred_box(height: int, width: int, *, aspect: float) -> tuple[float, float, float, float]:
    """The largest centred (left, top, right, bottom) of this width / height inside a picture."""
    box_height = min(float(height), width / aspect)
    box_width = min(float(width), height * aspect)
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height


def _nearest(
    count: int, scale: float, shift: float, size: int
) -> tuple[Integer[np.ndarray, " count"], np.ndarray]:
    """The one of ``size`` pixels that each centre falls into, and whether it does."""
    at = np.floor((np.arange(count) + 0.5 - shift) / scale).astype(np.int64)
    return at.clip(0, size - 1), (at >= 0) & (at < size)
