"""What a recipe looks at before it chooses."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import UInt8

from saccade.config.run import Preprocess
from saccade.data.annotations import Segments
from saccade.data.clips.frames import Clips, read_clip
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.formats.coco_panoptic import PanopticMaps
from saccade.data.preprocess import read_picture
from saccade.data.sources import Samples
from saccade.data.survey import survey
from saccade.planning.mirror import mirror_ratio
from saccade.planning.mirror_shapes import shape_mirror_ratio
from saccade.planning.objects import ObjectFacts, look_at_objects

NUM_PROBES = 1000
"""Pictures that are decoded, small, for colour statistics and the mirror test."""

PROBE_SIDE = 24
"""Their side in pixels: enough to tell a 2 from its mirror image."""

NUM_ANNOTATION_PROBES = 64
"""Annotations that are read, to count segments."""

NUM_CLIP_PROBES, PROBE_FRAMES = 256, 4
"""Clips decoded for the mirror test, and frames of each; clips are dearer than pictures."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The training data in a few numbers.

    Attributes:
        num_pictures: to train on.
        num_classes: K.
        side: median short side in pixels.
        is_grey: whether every picture looked at has one channel.
        mean, std: of the pixels, per channel, scaled to [0, 1].
        mirror_ratio: from ``saccade.planning.mirror``; near 1 when mirrors keep their class, None
            when that cannot be told.
        height, width: medians in pixels; 0 where nobody looked.
        num_segments: the most segments of one picture, of those looked at; None where the
            pictures have none.
        stuff: names of classes that are regions and not objects, where the source says so.
        num_held_out: pictures of the parts that are judged at the end, where they are known.
        objects: about the boxes; None where the pictures have none.
    """

    num_pictures: int
    num_classes: int
    side: int
    is_grey: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    mirror_ratio: float | None
    height: int = 0
    width: int = 0
    num_segments: int | None = None
    stuff: tuple[str, ...] = ()
    num_held_out: tuple[int, ...] = ()
    objects: ObjectFacts | None = None


def look(samples: Samples, *, num_classes: int) -> Facts:
    """Looks at headers, and at up to ``NUM_PROBES`` evenly spaced pictures, small.

    Args:
        samples: to train on.
        num_classes: K; 0 where there are none.
    """
    sizes = survey(samples)
    channels = 1 if sizes.is_grey else 3
    tiny = Preprocess(
        height=PROBE_SIDE,
        width=PROBE_SIDE,
        channels=channels,
        fit="crop",
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )
    count = min(NUM_PROBES, len(samples))
    images, labels = [], []
    for position in np.linspace(0, len(samples) - 1, count).astype(int).tolist():
        try:
            images.append(read_picture(samples.pictures, int(samples.ids[position]), tiny))
        except UnreadablePicture:
            continue  # the loader counts and names them
        if samples.labels is not None:
            labels.append(int(samples.labels[position]))
    mean, std = _colour(np.stack(images)) if images else (tiny.mean, tiny.std)
    return Facts(
        num_pictures=len(samples),
        num_classes=num_classes,
        side=min(sizes.median_height, sizes.median_width),
        is_grey=sizes.is_grey,
        mean=mean,
        std=std,
        mirror_ratio=_mirror_ratio(samples, images, labels, tiny),
        height=sizes.median_height,
        width=sizes.median_width,
        num_segments=_most_segments(samples),
        stuff=samples.annotations.stuff if isinstance(samples.annotations, PanopticMaps) else (),
        objects=look_at_objects(samples),
    )


def _most_segments(samples: Samples) -> int | None:
    """Of up to ``NUM_ANNOTATION_PROBES`` pictures, evenly spaced."""
    if samples.annotations is None:
        return None
    found: list[int] = []
    count = min(NUM_ANNOTATION_PROBES, len(samples))
    for position in np.linspace(0, len(samples) - 1, count).astype(int).tolist():
        try:
            annotation = samples.annotations.load(int(samples.ids[position]))
        except UnreadablePicture:
            continue  # the loader counts and names them
        if not isinstance(annotation, Segments):
            return None
        found.append(len(annotation.labels))
    return max(found, default=None)


def _mirror_ratio(
    samples: Samples,
    images: list[UInt8[np.ndarray, "C H W"]],
    labels: list[int],
    tiny: Preprocess,
) -> float | None:
    """The mirror test on these pictures; on clips, where they are frames; else on masks."""
    if not labels:
        return None if samples.annotations is None else shape_mirror_ratio(samples)
    if isinstance(samples.pictures, Clips):
        images, labels = _clip_probes(samples, replace(tiny, num_frames=PROBE_FRAMES))
        if not labels:
            return None
    return mirror_ratio(torch.from_numpy(np.stack(images)), torch.tensor(labels))


def _clip_probes(
    samples: Samples, tiny: Preprocess
) -> tuple[list[UInt8[np.ndarray, "TC H W"]], list[int]]:
    """Some clips with their frames as channels, so that what is compared is their course."""
    assert isinstance(samples.pictures, Clips)
    assert samples.labels is not None
    clips, labels = [], []
    count = min(NUM_CLIP_PROBES, len(samples))
    for position in np.linspace(0, len(samples) - 1, count).astype(int).tolist():
        try:
            clip = read_clip(samples.pictures, int(samples.ids[position]), tiny)
        except UnreadablePicture:
            continue  # the loader counts and names them
        clips.append(clip.reshape(-1, *clip.shape[2:]))
        labels.append(int(samples.labels[position]))
    return clips, labels


def _colour(images: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation per channel, to three places, in [0, 1]; a flat set keeps a deviation."""
    scaled = images.astype(np.float64) / 255
    mean = scaled.mean(axis=(0, 2, 3)).round(3)
    std = scaled.std(axis=(0, 2, 3)).round(3).clip(min=0.05)
    return tuple(mean.tolist()), tuple(std.tolist())
