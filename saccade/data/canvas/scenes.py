"""Still pictures: some characters on a texture, with their classes, boxes and masks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8

from saccade.data.canvas.chance import Chance
from saccade.data.canvas.glyphs import INK, draw_glyph
from saccade.data.canvas.handwriting import PARTS, Handwriting, Part
from saccade.data.canvas.textures import texture

_STREAM = 0  # of random numbers; clips have others
_TRIES = 12  # places that are tried for a character before it is left out
_CONTRAST = (0.25, 0.5)  # between ink and what is under it, of 1
_TINT = 0.2


@dataclass(frozen=True, kw_only=True)
class SceneConfig:
    """What scenes are like."""

    height: int = 96  # pixels
    width: int = 96
    min_characters: int = 1
    max_characters: int = 6
    min_size: float = 12.0  # pixels, of the longer side of a character
    max_size: float = 40.0
    max_overlap: float = 0.1  # of the smaller of two boxes
    is_grey: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A picture and all that is known about it.

    Attributes:
        image: three equal channels where it is grey.
        labels: the class of each character, at least one.
        boxes_xyxy: tight round the ink that is seen, whole pixels, right and bottom not included.
        segments: 0 for the background, k for the pixels of character k - 1.
    """

    image: UInt8[np.ndarray, "H W 3"]
    labels: Int64[np.ndarray, " m"]
    boxes_xyxy: Float32[np.ndarray, "m 4"]
    segments: Int32[np.ndarray, "H W"]

    def classes(self) -> UInt8[np.ndarray, "H W"]:
        """The class of each pixel: 0 for the background, 1 + label for a character."""
        return np.concatenate([[0], self.labels + 1]).astype(np.uint8)[self.segments]


def draw_scene(
    written: Handwriting,
    *,
    seed: int,
    part: Part,
    number: int,
    config: SceneConfig = SceneConfig(),
) -> Scene:
    """Draws scene ``number`` of a part: always the same one, whatever was drawn before.

    Characters lie anywhere inside the canvas, as far as its border; each is lighter or darker than
    what is under it. A character for which there is no room is left out.

    Args:
        written: the characters of this part.
        seed: of the world.
        part: the parts of a world differ in handwriting and in everything else.
        number: from 0.
        config: sizes and counts.
    """
    chance = Chance(seed=seed, stream=_STREAM + PARTS.index(part), number=number)
    image = texture(chance, height=config.height, width=config.width, is_grey=config.is_grey)
    segments = np.zeros((config.height, config.width), dtype=np.int32)
    spread = config.max_characters - config.min_characters + 1
    boxes: list[tuple[int, int, int, int]] = []
    labels: list[int] = []
    for _ in range(config.min_characters + chance.below(spread)):
        which = chance.below(len(written))
        size = config.min_size * (config.max_size / config.min_size) ** chance.between(0.0, 1.0)
        ink = draw_glyph(chance, written.images[which], size_px=size)
        ink = ink[: config.height, : config.width]
        box = _free_place(chance, ink.shape, boxes, config)
        if box is None:
            continue
        boxes.append(box)
        labels.append(int(written.labels[which]))
        left, top, right, bottom = box
        under = image[top:bottom, left:right]
        lay(under, ink, ink_colour(chance, under, ink))
        segments[top:bottom, left:right][ink > INK] = len(boxes)

    image = np.broadcast_to(image, (*image.shape[:2], 3))
    return Scene(
        image=np.rint(image * 255).astype(np.uint8),
        labels=np.array(labels, dtype=np.int64),
        boxes_xyxy=np.array([_seen(segments, k + 1) for k in range(len(boxes))], dtype=np.float32),
        segments=segments,
    )


def ink_colour(
    chance: Chance, under: Float32[np.ndarray, "h w C"], ink: Float32[np.ndarray, "h w"]
) -> Float32[np.ndarray, " C"]:
    """A colour clearly lighter or clearly darker than what the ink will cover."""
    covered = float((under.mean(2) * ink).sum() / ink.sum())
    contrast = chance.between(*_CONTRAST)
    is_lighter = chance.between(0.0, 1.0) < 0.5
    if not 0 <= covered + (contrast if is_lighter else -contrast) <= 1:
        is_lighter = not is_lighter
    tint = (chance.numbers(3)[: under.shape[2]] - 0.5) * 2 * _TINT
    colour = covered + (contrast if is_lighter else -contrast) + tint - tint.mean()
    return colour.clip(0, 1).astype(np.float32)


def lay(
    under: Float32[np.ndarray, "h w C"],
    ink: Float32[np.ndarray, "h w"],
    colour: Float32[np.ndarray, " C"],
) -> None:
    """Lays ink on a piece of a picture, in place."""
    under += ink[:, :, None] * (colour - under)


def _free_place(
    chance: Chance,
    shape: tuple[int, ...],
    taken: list[tuple[int, int, int, int]],
    config: SceneConfig,
) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of a place that hardly touches the others; None: none found."""
    height, width = shape
    for across, down in chance.numbers(_TRIES, 2).tolist():
        left = int(across * (config.width - width + 1))
        top = int(down * (config.height - height + 1))
        box = (left, top, left + width, top + height)
        if all(_overlap(box, other) <= config.max_overlap for other in taken):
            return box
    return None


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    """What two boxes share, of the area of the smaller one."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return max(0, width) * max(0, height) / smaller


def _seen(segments: Int32[np.ndarray, "H W"], k: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels of segment ``k``."""
    mask = segments == k
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
