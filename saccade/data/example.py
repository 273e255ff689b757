"""One sample, read and fitted to the model's input: the picture and what is known about it."""

from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from saccade.config.run import Preprocess
from saccade.data.annotations import Annotation
from saccade.data.clips.frames import Clips, read_clip
from saccade.data.placement import place
from saccade.data.preprocess import read_picture
from saccade.data.samples import Samples


class Example(NamedTuple):
    """What the model learns from, or answers for.

    Attributes:
        image: in the model's size.
        annotation: in the input's pixels; None where there is none, or only a class.
        size: height and width of the picture before it was fitted; None where nobody asked.
    """

    image: UInt8[np.ndarray, "C H W"] | UInt8[np.ndarray, "T C H W"]
    annotation: Annotation | None
    size: tuple[int, int] | None


def example_shape(preprocess: Preprocess) -> tuple[int, ...]:
    """The shape of an example's image."""
    shape = (preprocess.channels, preprocess.height, preprocess.width)
    return shape if preprocess.num_frames == 1 else (preprocess.num_frames, *shape)


def read_example(
    samples: Samples, position: int, preprocess: Preprocess, *, keeps_size: bool
) -> Example:
    """Reads the sample at a position.

    Raises:
        UnreadablePicture: the picture, the clip or its annotation cannot be read, or they do not
            fit together.
    """
    i = int(samples.ids[position])
    pictures = samples.pictures
    if preprocess.num_frames > 1:
        assert isinstance(pictures, Clips)
        image = read_clip(pictures, i, preprocess)
    else:
        image = read_picture(pictures, i, preprocess)
    if samples.annotations is None and not keeps_size:
        return Example(image, None, None)

    header = pictures.header(i)  # a decoder may have given a smaller picture than the file holds
    annotation = None
    if samples.annotations is not None:
        placement = place(header.height, header.width, preprocess)
        annotation = samples.annotations.load(i).fit(placement, preprocess)
    return Example(image, annotation, (header.height, header.width))
