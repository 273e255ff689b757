"""A quick look at the pictures' sizes and kinds, from which a recipe chooses its own."""

import statistics
from typing import NamedTuple

import numpy as np

from saccade.data.decoding.decode import PictureHeader, UnreadablePicture
from saccade.data.samples import Samples
from saccade.errors import DataError


class Survey(NamedTuple):
    """What some pictures, evenly spread over the samples, are like.

    Attributes:
        num_pictures: of all samples, not only of those looked at.
        median_height, median_width: in pixels.
        largest_side: the longest side seen, in pixels.
        is_grey: whether none of those seen stores colour.
        median_bytes: of a picture as it is stored.
    """

    num_pictures: int
    median_height: int
    median_width: int
    largest_side: int
    is_grey: bool
    median_bytes: int


def survey(samples: Samples, *, limit: int = 512) -> Survey:
    """Reads the headers of up to ``limit`` pictures; the unreadable ones are passed over.

    Raises:
        DataError: none of them can be read.
    """
    num_probes = min(limit, len(samples))
    positions = np.arange(num_probes) * len(samples) // max(1, num_probes)
    headers: list[PictureHeader] = []
    sizes: list[int] = []
    reasons: list[str] = []
    for i in samples.ids[positions].tolist():
        try:
            headers.append(samples.pictures.header(i))
            sizes.append(samples.pictures.num_bytes(i))
        except UnreadablePicture as error:
            reasons.append(f"{samples.pictures.name(i)}: {error}")
    if not headers:
        raise DataError(
            f"none of {num_probes} {samples.noun}s can be read; the first: {reasons[:1]}"
        )
    return Survey(
        num_pictures=len(samples),
        median_height=int(statistics.median(header.height for header in headers)),
        median_width=int(statistics.median(header.width for header in headers)),
        largest_side=max(max(header.height, header.width) for header in headers),
        is_grey=all(header.is_grey for header in headers),
        median_bytes=int(statistics.median(sizes)),
    )
