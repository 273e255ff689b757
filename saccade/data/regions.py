"""Regions of a picture as masks, and as the run lengths and polygons that COCO files hold.

The format is that of the COCO tools (https://github.com/cocodataset/cocoapi): pixels are counted
column by column, runs without and with the region take turns, and the first is one without. What
comes from a file may be anything: what is no region is refused, and says what was expected.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from saccade.data.decoding.decode import UnreadablePicture

_FARTHEST = (
    1e6  # pixels; an outline is walked step by step, so a corner at 1e12 would take for ever
)
_LONGEST = 1e6  # pixels of an outline, of which each takes memory
_UPSAMPLING = 5  # of the grid that outlines are walked on
_LONGEST_BITS = 60  # of one number
_BITS, _GOES_ON, _FIRST_CHARACTER = 5, 0x20, 48  # of the compressed form


def decode_rle(
    counts: str | bytes | Sequence[Any], *, height: int, width: int
) -> Bool[np.ndarray, "H W"]:
    """The mask that run lengths stand for.

    Args:
        counts: the lengths of the runs, or these as COCO's compressed string.
        height, width: of the picture.

    Raises:
        UnreadablePicture: the runs do not cover a picture of this size, or are no runs at all.
    """
    runs = _read_runs(counts)
    if (runs < 0).any() or runs.sum() != height * width:
        raise UnreadablePicture(
            f"its run lengths cover {runs.sum():,} pixels, and the picture has {width} x {height} "
            f"= {height * width:,}; they must be those of this picture, none below 0"
        )
    is_inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(is_inside, runs).reshape(width, height).T


def rle_area(counts: str | bytes | Sequence[Any]) -> float:
    """How many pixels the runs with the region hold; see ``decode_rle``."""
    return float(_read_runs(counts)[1::2].sum())


def encode_rle(mask: Bool[np.ndarray, "H W"]) -> str:
    """The mask as COCO's compressed run lengths; ``decode_rle`` is the inverse."""
    return _compress(_runs(mask))


def fill_polygons(
    polygons: Sequence[Sequence[Any]], *, height: int, width: int
) -> Bool[np.ndarray, "H W"]:
    """The mask of an object given by the outlines of its parts, pixel for pixel COCO's.

    An outline is walked on a grid five times as fine. Where it steps from one column of pixels to
    the next, at height y, everything of that column below y changes sides; the pixels that changed
    an odd number of times lie inside. The naive version::

        for column, y in crossings(outline):
            inside[y:, column] ^= True

    Args:
        polygons: x0, y0, x1, y1, ... of the corners of each part, in pixels; parts may overlap.
        height, width: of the picture; what lies outside is cut off.

    Raises:
        UnreadablePicture: a polygon has less than three corners, or half a corner.
    """
    inside = np.zeros((height, width), dtype=bool)
    for polygon in polygons:
        inside |= _fill(_corners(polygon), height=height, width=width)
    return inside


def polygon_area(polygon: Sequence[Any]) -> float:
    """Square pixels inside one outline that does not cross itself.

    Raises:
        UnreadablePicture: as ``fill_polygons``.
    """
    _corners(polygon)  # refuses what is none
    x, y = np.asarray(polygon, dtype=np.float64).reshape(-1, 2).T
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2


def box_of(mask: Bool[np.ndarray, "H W"]) -> Float32[np.ndarray, " 4"]:
    """Left, top, right, bottom of the smallest box round a mask; right and bottom not included.

    Returns:
        Zeros for an empty mask.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros(4, dtype=np.float32)
    box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    return np.array(box, dtype=np.float32)


def _read_runs(counts: str | bytes | Sequence[Any]) -> Int64[np.ndarray, " n"]:
    if isinstance(counts, str | bytes):
        text = counts.encode() if isinstance(counts, str) else counts
        counts = list(_decompress(text))
    try:
        return np.asarray(counts, dtype=np.int64).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        raise UnreadablePicture("its run lengths are not whole numbers") from None


def _runs(mask: Bool[np.ndarray, "H W"]) -> Int64[np.ndarray, " n"]:
    """Lengths of the runs, the first one without the region, and so perhaps 0."""
    flat = np.concatenate([[False], mask.T.reshape(-1)])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff(np.concatenate([[0], changes, [mask.size]]))


def _compress(runs: Int64[np.ndarray, " n"]) -> str:
    """Each run, from the fourth on less the one before the last, five bits a character.

    The lowest bits come first. A character has a sixth bit where more follow, and the fifth bit of
    the last one is the sign.
    """
    text = bytearray()
    for i, run in enumerate(runs.tolist()):
        left = run - int(runs[i - 2]) if i > 2 else run
        while True:
            bits, left = left & (_GOES_ON - 1), left >> _BITS
            is_last = left == (-1 if bits & (_GOES_ON >> 1) else 0)
            text.append(_FIRST_CHARACTER + (bits if is_last else bits | _GOES_ON))
            if is_last:
                break
    return text.decode()


def _decompress(text: bytes) -> Iterator[int]:
    """The inverse of ``_compress``."""
    before = [0, 0, 0]  # the last three runs
    value, shift, num_runs = 0, 0, 0
    for character in text:
        bits = character - _FIRST_CHARACTER
        if not 0 <= bits < 2 * _GOES_ON:
            raise UnreadablePicture(
                f"its run lengths hold the character {chr(character)!r}; expected COCO's "
                "compressed form, or a list of numbers"
            )
        value |= (bits & (_GOES_ON - 1)) << shift
        shift += _BITS
        if shift > _LONGEST_BITS:
            raise UnreadablePicture("its run lengths hold a number beyond all pictures")
        if bits & _GOES_ON:
            continue
        if bits & (_GOES_ON >> 1):
            value -= 1 << shift
        run = value + (before[1] if num_runs > 2 else 0)
        yield run
        before = [*before[1:], run]
        value, shift, num_runs = 0, 0, num_runs + 1
    if shift:
        raise UnreadablePicture("its run lengths end in the middle of a number")


def _corners(polygon: Sequence[Any]) -> Int64[np.ndarray, "n 2"]:
    """The corners on the fine grid, the first one again at the end."""
    if len(polygon) < 6 or len(polygon) % 2:
        raise UnreadablePicture(
            f"a polygon of it has {len(polygon)} numbers; expected x and y of at least 3 corners"
        )
    try:
        corners = np.asarray(polygon, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        raise UnreadablePicture("a polygon of it holds something that is no number") from None
    if not (abs(corners) < _FARTHEST).all():
        raise UnreadablePicture("a polygon of it has a corner that no picture reaches")
    fine = np.trunc(_UPSAMPLING * corners + 0.5).astype(np.int64)
    fine = np.concatenate([fine, fine[:1]])
    if abs(np.diff(fine, axis=0)).max(axis=1).sum() > _UPSAMPLING * _LONGEST:
        raise UnreadablePicture("a polygon of it has an outline that is too long to be walked")
    return fine


def _fill(corners: Int64[np.ndarray, "n 2"], *, height: int, width: int) -> np.ndarray:
    """One outline's inside."""
    x, y = _walk(corners)
    steps = np.flatnonzero(x[1:] != x[:-1])
    column = (np.minimum(x[steps], x[steps + 1]) + 0.5) / _UPSAMPLING - 0.5
    row = (np.minimum(y[steps], y[steps + 1]) + 0.5) / _UPSAMPLING - 0.5
    crosses = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    column = column[crosses].astype(np.int64)
    row = np.ceil(row[crosses].clip(0, height)).astype(np.int64)

    # One count per pixel, column by column; a crossing below the picture changes nothing in it.
    changes = np.zeros((width, height + 1), dtype=np.int64)
    np.add.at(changes, (column, row), 1)
    return (changes[:, :height].cumsum(axis=1) % 2 == 1).T


def _walk(corners: Int64[np.ndarray, "n 2"]) -> tuple[np.ndarray, np.ndarray]:
    """Every point of the fine grid that the outline passes, in order.

    An edge takes one step a point along its longer side; across, it is rounded, counted from the
    end where the longer side is smaller, so that an edge has the same points both ways.
    """
    start, end = corners[:-1], corners[1:]
    span = end - start
    length = abs(span).max(axis=1)
    is_wide = abs(span[:, 0]) >= abs(span[:, 1])
    along = np.where(is_wide, span[:, 0], span[:, 1])
    is_flipped = along < 0
    low = np.where(is_flipped[:, None], end, start)
    across = np.where(is_wide, span[:, 1], span[:, 0]) / np.maximum(length, 1)
    slope = across * np.where(is_flipped, -1, 1)

    edge = np.repeat(np.arange(len(length)), length + 1)
    first = np.cumsum(length + 1) - (length + 1)
    step = np.arange(len(edge)) - first[edge]
    step = np.where(is_flipped[edge], length[edge] - step, step)
    low_x, low_y, wide = low[edge, 0], low[edge, 1], is_wide[edge]
    x = np.where(wide, low_x + step, np.trunc(low_x + slope[edge] * step + 0.5))
    y = np.where(wide, np.trunc(low_y + slope[edge] * step + 0.5), low_y + step)
    return x.astype(np.int64), y.astype(np.int64)
