"""Sources whose pictures come with more than a class: boxes, masks, partners."""

from pathlib import Path

from saccade.config.task import JobName
from saccade.data.arrays import is_idx_images
from saccade.data.clips.files import is_video_name
from saccade.data.formats.coco import find_coco, read_coco
from saccade.data.formats.coco_objects import coco_boxes, coco_segments
from saccade.data.formats.coco_panoptic import coco_panoptic
from saccade.data.formats.mask_folders import Masks, find_masks, open_mask_folders
from saccade.data.formats.pairs import (
    Pairs,
    are_pairs,
    are_wide,
    find_pairs,
    halves_by_name,
    open_halves,
    open_pair_folders,
)
from saccade.data.formats.voc import find_voc, open_voc
from saccade.data.formats.voc_masks import find_voc_masks, open_voc_masks
from saccade.data.formats.yolo import find_yolo, open_yolo
from saccade.data.layout import SPLIT_NAMES, find_layout
from saccade.data.listing import Listing, list_folder
from saccade.data.samples import Source
from saccade.data.sources import missing
from saccade.errors import DataError, UsageError

_BOXES = (
    "Give COCO (pictures and annotations/instances_train.json), Pascal VOC (JPEGImages and "
    "Annotations) or YOLO (images, labels and data.yaml)"
)
_MASKS = (
    "Give two folders, images and masks, with pictures of the same names and a classes.txt beside "
    "them, or COCO annotations with outlines"
)
_PAIRS = (
    "Give two folders, input and target, with pictures of the same names; or pictures that are "
    "twice as wide as high, in a folder called left-right or right-left"
)


def open_boxes(path: str | Path) -> Source:
    """Recognises pictures with boxes: COCO, Pascal VOC or YOLO. No picture is decoded.

    Boxes that reach out of their picture are cut at its border, those without area are left out,
    and both are counted in the source's notes. Pictures without objects stay.

    Args:
        path: the folder that holds both the pictures and their annotations.

    Raises:
        UsageError: there is nothing at the path, or no folder.
        DataError: it holds no boxes, or annotations that are broken or do not fit together.
    """
    given, root, listing = _list(path)
    if files := find_coco(root, listing):
        return coco_boxes(given, root, read_coco(given, root, listing, files))
    if (places := find_voc(listing)) is not None:
        return open_voc(given, root, listing, places)
    if (texts := find_yolo(listing)) is not None:
        return open_yolo(given, root, listing, texts)
    raise DataError(f"{given}: no boxes found. {_BOXES}.")


def open_masks(path: str | Path, *, masks: Masks = "auto") -> Source:
    """Recognises pictures with masks: COCO, Pascal VOC, or a folder of masks beside the pictures'.

    Args:
        path: the folder that holds both.
        masks: what the masks of folders say: ``classes`` (a class for each pixel), ``instances``
            (the number of an object); ``auto``: instances if they have 16 bits, or if VOC has them.

    Returns:
        A source whose annotations are ``ClassMap`` or ``Segments``.

    Raises:
        UsageError: there is nothing at the path, or no folder.
        DataError: it holds no masks, or nothing says what their numbers or colours mean.
    """
    given, root, listing = _list(path)
    if files := find_coco(root, listing):
        return coco_segments(given, root, read_coco(given, root, listing, files))
    if files := find_coco(root, listing, panoptic=True):
        coco = read_coco(given, root, listing, files)
        return coco_panoptic(given, root, listing, coco)
    if (voc := find_voc_masks(listing)) is not None:
        return open_voc_masks(given, root, listing, voc, masks=masks)
    if (twins := find_masks(listing)) is not None:
        return open_mask_folders(given, root, listing, twins, masks=masks)
    raise DataError(f"{given}: no masks found. {_MASKS}.")


def open_pairs(path: str | Path, *, pairs: Pairs = "auto") -> Source:
    """Recognises pairs of pictures, in two folders or side by side.

    Args:
        path: the folder that holds all.
        pairs: ``folders``; ``left-right`` or ``right-left`` for the halves of each picture;
            ``auto``: two folders if there are such, else halves, in the order that a folder's name
            says (``facades/right-left/``), or left to right if all pictures are twice as wide as
            high.

    Returns:
        A source whose annotations are ``Partner``.

    Raises:
        UsageError: there is nothing at the path, or no folder.
        DataError: it holds no pairs, or pictures without a partner; these are listed.
    """
    given, root, listing = _list(path)
    if pairs in ("auto", "folders") and (twins := find_pairs(listing)) is not None:
        return open_pair_folders(given, root, listing, twins)
    order = halves_by_name(root) if pairs == "auto" else None
    notes: list[str] = []
    if pairs == "left-right" or pairs == "right-left":
        order = pairs
    elif order is None and pairs == "auto" and are_wide(root, listing):
        order, notes = (
            "left-right",
            [
                "pictures twice as wide as high: taken for two side by side; in a folder called "
                "right-left they are taken the other way round"
            ],
        )
    if listing.pictures and order is not None:
        return open_halves(given, root, listing, order=order, notes=notes)
    raise DataError(f"{given}: no pairs of pictures found. {_PAIRS}.")


def guess_job(path: str | Path) -> JobName | None:
    """What a source says that it is for.

    Returns:
        ``detect`` for COCO, VOC and YOLO annotations, ``segment`` for folders of masks,
        ``translate`` for pairs, ``video`` for video files and folders of frames, ``classify`` for
        class folders and arrays; None for plain pictures, and where there is nothing.
    """
    root = Path(path)
    if not root.is_dir():
        if is_idx_images(root.name) or root.suffix.lower() == ".npz":
            return "classify"
        return "video" if is_video_name(root.name) else None
    listing = list_folder(root)
    if find_coco(root, listing) or find_voc(listing) or find_yolo(listing):
        return "detect"
    if find_masks(listing) is not None or find_coco(root, listing, panoptic=True):
        return "segment"
    if are_pairs(listing) or (listing.pictures and halves_by_name(root)):
        return "translate"
    num_videos = sum(map(is_video_name, listing.others))
    # Pictures may be previews of videos, one each; of more pictures a few videos are strays.
    if (num_videos and num_videos >= len(listing.pictures)) or _are_frames(listing):
        return "video"
    if not listing.pictures:
        arrays = any(
            is_idx_images(Path(name).name) or name.lower().endswith(".npz")
            for name in listing.others
        )
        return "classify" if arrays else None
    layout = find_layout(listing)
    members = [member for split in layout.splits.values() for member in split]
    return "classify" if members and members[0].class_name is not None else None


def _list(path: str | Path) -> tuple[str, Path, Listing]:
    """The path as given, the folder, and everything in it."""
    given, root = str(path), Path(path)
    if not root.exists():
        raise UsageError(missing(root))
    if not root.is_dir():
        raise UsageError(f"{given} is a file; give the folder that holds pictures and annotations")
    return given, root, list_folder(root)


def _are_frames(listing: Listing) -> bool:
    """Whether pictures lie as frames do: class/clip/001.jpg, numbers in a row, several clips.

    Split folders, and a folder round everything, are looked through.
    """
    if not listing.pictures:
        return False
    paths = [name.split("/") for name in listing.pictures]
    while len({path[0] for path in paths}) == 1 and all(len(path) > 1 for path in paths):
        paths = [path[1:] for path in paths]
    num_folders = 3 if all(path[0].lower() in SPLIT_NAMES for path in paths) else 2
    numbers: dict[tuple[str, ...], list[int]] = {}
    for *folders, base in paths:
        stem = base.rpartition(".")[0]
        if len(folders) != num_folders or not stem.isdecimal():
            return False
        numbers.setdefault(tuple(folders), []).append(int(stem))
    num_parents = len({folders[:-1] for folders in numbers})
    return len(numbers) > num_parents and all(
        len(each) > 1 and sorted(each) == list(range(min(each), min(each) + len(each)))
        for each in numbers.values()
    )
