"""A short name for exactly this data, so that a figure can say what it was measured on."""

import hashlib

from saccade.data.samples import Samples, Source


def picture_hashes(samples: Samples) -> list[str]:
    """A hash of each picture's content, to recognise it in another source under another name."""
    return [samples.pictures.content_hash(i) for i in samples.ids.tolist()]


def fingerprint(source: Source) -> str:
    """A hash over split, name, stamp, class, annotation and group of every picture, in any order.

    The stamp of a file is its size in bytes, so no file is read. What it does not see: a file whose
    bytes were changed but not their number, and a change of its date. The stamp of a picture in an
    array is a hash of its pixels, so there every change is seen.

    Returns:
        64 hexadecimal digits (SHA-256).
    """
    lines: list[str] = []
    for split, samples in source.splits.items():
        classes = [""] * len(samples)
        if samples.labels is not None and source.class_names is not None:
            classes = [source.class_names[label] for label in samples.labels.tolist()]
        groups = [""] * len(samples) if samples.groups is None else samples.groups.tolist()
        for i, class_name, group in zip(samples.ids.tolist(), classes, groups, strict=True):
            pictures = samples.pictures
            # repr quotes each part, so no name can pass for a different set of parts.
            known: tuple[str, ...] = (split, pictures.name(i), pictures.stamp(i), class_name)
            if samples.annotations is not None:
                known += (samples.annotations.stamp(i),)
            if samples.groups is not None:  # they decide who is held out
                known += (str(group),)
            lines.append(repr(known))
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()
