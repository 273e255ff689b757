"""The pictures of a source that may be made for any job, without what else is known about them."""

from dataclasses import replace
from pathlib import Path

from saccade.data.annotated import guess_job, open_boxes, open_masks, open_pairs
from saccade.data.clips.sources import open_clips
from saccade.data.samples import Source
from saccade.data.sources import open_source


def open_bare(path: str | Path) -> Source:
    """Opens a source so that its own splits stay apart and its masks are not taken for pictures.

    Args:
        path: of a source of any job; of clips, each picture is the middle frame.

    Returns:
        The pictures, with their classes where each picture has one, and without annotations.
    """
    source = _open(path)
    splits = {name: replace(part, annotations=None) for name, part in source.splits.items()}
    has_classes = all(part.labels is not None for part in splits.values())
    return replace(source, class_names=source.class_names if has_classes else None, splits=splits)


def _open(path: str | Path) -> Source:
    match guess_job(path):
        case "detect":
            return open_boxes(path)
        case "segment":
            return open_masks(path)
        case "translate":
            return open_pairs(path)
        case "video":
            return open_clips(path)
        case _:
            return open_source(path)
