"""Moving pictures whose class is in the order of their frames and nowhere else."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from saccade.data.canvas.chance import Chance
from saccade.data.canvas.glyphs import draw_glyph
from saccade.data.canvas.handwriting import PARTS, Handwriting, Part
from saccade.data.canvas.scenes import ink_colour, lay
from saccade.data.canvas.textures import texture

DIRECTIONS = (
    *("right", "right-down", "down", "left-down"),
    *("left", "left-up", "up", "right-up"),
)
"""The classes of clips, clockwise."""

_STEPS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))  # across, down
_STREAM = 16  # of random numbers; see scenes
_SIDE = 3  # places along each side of the grid
_NUM_PLACES = _SIDE * _SIDE


@dataclass(frozen=True, kw_only=True)
class ClipConfig:
    """What clips are like."""

    height: int = 32  # pixels
    width: int = 32
    num_frames: int = 8  # one more or less than a multiple of 9, or one; see ``draw_clip``
    step_px: int = 4  # between two places
    min_size: float = 11.0  # pixels, of the longer side of the character
    max_size: float = 16.0
    is_grey: bool = False

    @property
    def hides_direction(self) -> bool:
        """Whether the frames without their order say nothing: all places, but for one, as often."""
        return self.num_frames % _NUM_PLACES in (0, 1, _NUM_PLACES - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """Frames, and the direction in which the character goes: an index into ``DIRECTIONS``."""

    frames: UInt8[np.ndarray, "T H W 3"]
    label: int


def draw_clip(
    written: Handwriting,
    *,
    seed: int,
    part: Part,
    number: int,
    config: ClipConfig = ClipConfig(),
) -> Clip:
    """Draws clip ``number`` of a part: always the same one, whatever was drawn before.

    The character sweeps over 3 x 3 places, line by line, each line in the clip's direction, as a
    typewriter does; the lines come in a random order, and the clip begins anywhere in the sweep.

    On a straight path the first and the last place give away the axis, and a model that is given
    the frames in any order, or their mean, would be right one time in four instead of in eight.
    Here every clip visits the same places whatever its direction: all nine, or all but one, and
    which one is missing is as random as where the grid lies. So neither a frame nor all frames
    without their order say anything about the direction. (With other numbers of frames the places
    visited do depend on the direction, so those are not drawn.)

    Args:
        written: the characters of this part.
        seed: of the world.
        part: the parts of a world differ in handwriting and in everything else.
        number: from 0; eight in a row show the eight directions.
        config: sizes and counts.

    Raises:
        ValueError: with so many frames the set of them would tell the direction.
    """
    if not config.hides_direction:
        raise ValueError(
            f"num_frames is {config.num_frames}; the places that so many frames visit would tell "
            "the direction without their order: take 8, 9, 10, 17, 18, 19, 26, ... or 1"
        )
    chance = Chance(seed=seed, stream=_STREAM + PARTS.index(part), number=number)
    background = texture(chance, height=config.height, width=config.width, is_grey=config.is_grey)
    size = chance.between(config.min_size, config.max_size)
    ink = draw_glyph(chance, written.images[chance.below(len(written))], size_px=size)
    room = (_SIDE - 1) * config.step_px
    ink = ink[: config.height - room, : config.width - room]
    height, width = ink.shape
    left = chance.below(config.width - room - width + 1)
    top = chance.below(config.height - room - height + 1)
    middle = np.s_[top + room // 2 : top + room // 2 + height]
    across = np.s_[left + room // 2 : left + room // 2 + width]
    colour = ink_colour(chance, background[middle, across], ink)

    label = number % len(DIRECTIONS)
    places = sweep(chance, label=label)
    start = chance.below(_NUM_PLACES)
    frames = np.repeat(background[None], config.num_frames, axis=0)
    for t, frame in enumerate(frames):
        column, row = places[(start + t) % _NUM_PLACES]
        x, y = left + column * config.step_px, top + row * config.step_px
        lay(frame[y : y + height, x : x + width], ink, colour)
    frames = np.broadcast_to(np.rint(frames * 255).astype(np.uint8), (*frames.shape[:3], 3))
    return Clip(frames=np.ascontiguousarray(frames), label=label)


def sweep(chance: Chance, *, label: int) -> list[tuple[int, int]]:
    """All places (column, row), line by line in a direction; the lines in a random order."""
    across, down = _STEPS[label]
    grid = [(column, row) for row in range(_SIDE) for column in range(_SIDE)]
    starts = [(x, y) for x, y in grid if (x - across, y - down) not in grid]
    places: list[tuple[int, int]] = []
    for which in chance.order(len(starts)):
        x, y = starts[which]
        while (x, y) in grid:
            places.append((x, y))
            x, y = x + across, y + down
    return places
