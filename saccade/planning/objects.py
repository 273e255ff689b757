"""How large the objects of a source are."""

from dataclasses import dataclass

import numpy as np

from saccade.data.annotations import Boxes
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.samples import Samples

NUM_LOOKED_AT = 1000
"""Pictures whose boxes are looked at, evenly spread."""


@dataclass(frozen=True, kw_only=True)
class ObjectFacts:
    """The boxes of a source in a few numbers.

    Attributes:
        width, height: of the usual object, as shares of its picture's.
        small: what all but a tenth of the objects exceed: their longer side, as a share of the
            picture's longer side.
        per_picture: objects in a picture, on average.
    """

    width: float
    height: float
    small: float
    per_picture: float


def look_at_objects(samples: Samples) -> ObjectFacts | None:
    """Looks at up to ``NUM_LOOKED_AT`` pictures' boxes; None where there are none."""
    annotations = samples.annotations
    if annotations is None:
        return None
    shares, longest, num_pictures = [], [], 0
    positions = np.linspace(0, len(samples) - 1, min(NUM_LOOKED_AT, len(samples))).astype(int)
    for position in positions.tolist():
        i = int(samples.ids[position])
        try:
            known, header = annotations.load(i), samples.pictures.header(i)
        except UnreadablePicture:
            continue  # the loader counts and names them
        if not isinstance(known, Boxes):
            return None
        sides = (known.boxes_xyxy[:, 2:] - known.boxes_xyxy[:, :2])[~known.is_crowd]
        shares.append(sides / [header.width, header.height])
        longest.append(sides.max(axis=1, initial=0) / max(header.width, header.height))
        num_pictures += 1
    if not sum(map(len, shares)):
        return None
    width, height = np.median(np.concatenate(shares), axis=0).tolist()
    return ObjectFacts(
        width=width,
        height=height,
        small=float(np.quantile(np.concatenate(longest), 0.1)),
        per_picture=sum(map(len, shares)) / num_pictures,
    )
