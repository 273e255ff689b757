"""What a person points at, recognised and said aloud: folders, arrays, single pictures."""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from saccade.data.arrays import Arrays, is_idx_images, read_idx_files, read_npz
from saccade.data.layout import ALL, Layout, find_layout
from saccade.data.listing import (
    PICTURE_ENDINGS,
    Ignored,
    Listing,
    is_picture_name,
    list_folder,
    natural_key,
)
from saccade.data.pictures import PictureArray, PictureFiles, Pictures
from saccade.data.samples import Samples, Source
from saccade.errors import DataError, UsageError


def open_source(path: str | Path) -> Source:
    """Recognises a source by what is in it; no picture is decoded.

    Args:
        path: a folder of classes, of splits or of pictures; a folder with IDX files or one npz
            file; or one such file; or one picture.

    Raises:
        UsageError: there is nothing at the path, or a file of no known kind.
        DataError: it holds no pictures, damaged arrays, or classes that differ between splits.
    """
    given, path = str(path), Path(path)
    if path.is_dir():
        return _open_folder(given, path)
    if not path.exists():
        raise UsageError(missing(path))
    if is_idx_images(path.name):
        return _from_arrays(given, "IDX arrays", read_idx_files([path]), ignored=())
    if path.suffix.lower() == ".npz":
        return _from_arrays(given, "npz arrays", read_npz(path), ignored=())
    if is_picture_name(path.name):
        pictures = PictureFiles(path.parent, (path.name,))
        return Source(
            path=given,
            kind="picture",
            class_names=None,
            splits={ALL: Samples(pictures=pictures, ids=np.arange(1), labels=None)},
            notes=(),
            ignored=(),
        )
    raise UsageError(
        f"{given} is not a source this reads. Give a folder of pictures, an .npz file, IDX "
        "pictures (...images-idx3-ubyte.gz) or a picture."
    )


def labelled(source: Source) -> Source:
    """The same source, if a classifier can be trained or judged on it.

    Raises:
        DataError: it has no labels, or only one class.
    """
    if source.class_names is None:
        raise DataError(
            f"{source.path} ({source.kind}) is without labels. Put the pictures of each class into "
            "a folder named after it: cats/1.jpg, dogs/1.jpg. `saccade pretrain` and the jobs "
            "generate and translate learn without labels."
        )
    if len(source.class_names) < 2:
        raise DataError(
            f"{source.path} has one class only ({', '.join(source.class_names)}). At least two "
            "are needed: one folder of pictures for each."
        )
    return source


Paths = str | Path | Sequence[str | Path]
"""What a user points at: one path or several."""


def as_list(paths: Paths) -> list[Path]:
    """One path, or each of several."""
    return [Path(paths)] if isinstance(paths, str | Path) else list(map(Path, paths))


def open_pictures(paths: Paths) -> Samples:
    """Pictures to predict on, in the order given.

    Args:
        paths: a picture file or a folder, which stands for all pictures below it; or several,
            mixed. A file that is no picture is kept, so that its row can say so.

    Returns:
        Unlabelled samples; their names are the paths as given.

    Raises:
        UsageError: no path was given, or nothing is there.
        DataError: the folders hold no pictures.
    """
    names: list[str] = []
    paths = as_list(paths)
    for path in paths:
        if path.is_dir():
            names += [(path / name).as_posix() for name in list_folder(path).pictures]
        elif path.exists():
            names.append(path.as_posix())
        else:
            raise UsageError(missing(path))
    if not paths:
        raise UsageError("no pictures given: name picture files or folders of them")
    if not names:
        raise DataError(_no_pictures(", ".join(str(path) for path in paths)))
    pictures = PictureFiles(Path(), tuple(names))
    return Samples(pictures=pictures, ids=np.arange(len(names)), labels=None)


def _open_folder(given: str, path: Path) -> Source:
    listing = list_folder(path)
    arrays = _find_arrays(given, path, listing)
    if arrays is not None:
        return arrays
    if not listing.pictures:
        if not (listing.others or listing.folders):
            raise DataError(f"{given} is empty. {_ENDINGS}")
        raise DataError(_no_pictures(given))

    layout = find_layout(listing)
    pictures = PictureFiles(path, layout.names())
    class_names, splits = split_by_layout(given, layout, pictures)
    return Source(
        path=given,
        kind=layout.kind,
        class_names=class_names,
        splits=splits,
        notes=layout.notes,
        ignored=layout.ignored,
    )


def split_by_layout(
    given: str, layout: Layout, pictures: Pictures
) -> tuple[tuple[str, ...] | None, dict[str, Samples]]:
    """The classes that folders stand for (None where they mean nothing), and each split's samples.

    Args:
        given: the source as the user gave it.
        layout: of the folder.
        pictures: those of ``layout.names()``, in that order.

    Raises:
        DataError: a split has classes that train lacks.
    """
    found = {split: [each.class_name for each in of] for split, of in layout.splits.items()}
    named = {split: [name for name in of if name is not None] for split, of in found.items()}
    class_names = None
    if any(named.values()):
        class_names = shared_classes(given, {split: set(of) for split, of in named.items()})
    label_of = {name: label for label, name in enumerate(class_names or ())}
    splits: dict[str, Samples] = {}
    start = 0
    for split, of in found.items():
        labels = (
            None if class_names is None else np.array([label_of[name] for name in named[split]])
        )
        ids = np.arange(start, start + len(of))
        splits[split] = Samples(pictures=pictures, ids=ids, labels=labels)
        start += len(of)
    return class_names, splits


def _find_arrays(given: str, path: Path, listing: Listing) -> Source | None:
    """Array files right in the folder, or deeper if there are no pictures at all."""
    seen = [name for name in listing.others if "/" not in name or not listing.pictures]
    image_files = [name for name in seen if is_idx_images(Path(name).name)]
    archives = [name for name in seen if name.lower().endswith(".npz")]
    ignored = (*listing.ignored, *(Ignored(name, "beside arrays") for name in listing.pictures))
    if image_files:
        arrays = read_idx_files(path / name for name in image_files)
        return _from_arrays(given, "IDX arrays", arrays, ignored=ignored)
    if len(archives) > 1:
        raise DataError(f"{given} holds several npz files ({', '.join(archives)}). Give one.")
    if archives:
        return _from_arrays(given, "npz arrays", read_npz(path / archives[0]), ignored=ignored)
    return None


def _from_arrays(given: str, kind: str, arrays: Arrays, *, ignored: tuple[Ignored, ...]) -> Source:
    """Turns label numbers into classes, named by the file or else by the numbers themselves."""
    parts = {split: part for split, part in arrays.splits.items() if part.labels is not None}
    class_names, first_labels = arrays.class_names, None
    if not parts:
        parts, class_names = arrays.splits, None
    elif class_names is None:
        class_names = shared_classes(
            given,
            {
                name: {str(value) for value in set(labels.tolist())}
                for name, (_, labels) in parts.items()
                if labels is not None
            },
        )
        first_labels = np.array([int(name) for name in class_names])
    ignored += tuple(
        Ignored(split, "without labels, unlike the rest")
        for split in arrays.splits
        if split not in parts
    )

    splits = {}
    for split, part in parts.items():
        labels = part.labels
        if labels is not None and first_labels is not None:
            labels = np.searchsorted(first_labels, labels)
        elif labels is not None and labels.max() >= len(class_names or ()):
            raise DataError(
                f"{given}: the {split} labels go up to {labels.max()}, but class_names has only "
                f"{len(class_names or ())} names"
            )
        pictures = PictureArray(part.images, split)
        splits[split] = Samples(pictures=pictures, ids=np.arange(len(pictures)), labels=labels)
    return Source(
        path=given, kind=kind, class_names=class_names, splits=splits, notes=(), ignored=ignored
    )


def shared_classes(given: str, classes: dict[str, set[str]]) -> tuple[str, ...]:
    """The classes of the training split, in natural order; the other splits must know no others.

    Args:
        given: the source as the user gave it.
        classes: the class names found in each split.
    """
    known = classes.get("train", set().union(*classes.values()))
    for split, found in classes.items():
        if not found <= known:
            raise DataError(
                f"{given}: {split} has classes that train lacks: {_listed(found - known)}. train "
                f"has {_listed(known)}. Classes are matched by name: rename them, or take them out "
                f"of {split}."
            )
    return tuple(sorted(known, key=natural_key))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names, key=natural_key))


def missing(path: Path) -> str:
    """Says that nothing is at a path, and offers the entry beside it with the nearest name."""
    folder = path.parent
    if not folder.is_dir():
        return f"{path} does not exist, nor does the folder {folder}"
    close = difflib.get_close_matches(path.name, [each.name for each in folder.iterdir()], n=1)
    offer = f"; did you mean {str(folder / close[0])!r}?" if close else ""
    return f"{path} does not exist{offer}"


def _no_pictures(given: str) -> str:
    return f"{given}: no pictures found. {_ENDINGS}"


_ENDINGS = f"Files that end in {', '.join(PICTURE_ENDINGS)} are read."
