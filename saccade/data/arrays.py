"""Pictures and labels from array files: IDX (as MNIST comes) and numpy's npz."""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Shaped, UInt8

from saccade.data.layout import ALL, SPLIT_NAMES
from saccade.errors import DataError

_IDX_IMAGES = re.compile(r"(.*?)[-_.]?images[-_.]idx3-ubyte(\.gz)?", re.IGNORECASE)
_IDX_UINT8 = b"\0\0\x08"  # then one byte: how many dimensions
_IDX_SPLITS = {**SPLIT_NAMES, "t10k": "test"}  # MNIST's name for its ten thousand test pictures

_MOST_UNPACKED = 4 * 2**30  # bytes of a gzipped file; a few kB of it can promise any number
_MOST_PACKED = 1032  # times as small as it was, the most that gzip's method can do

_SPLIT_ORDER = ("train", "val", "test", ALL)

_IMAGE_KEYS = frozenset({"x", "image", "images", "data"})
_LABEL_KEYS = frozenset({"y", "label", "labels", "target", "targets"})


class ArraySplit(NamedTuple):
    """The pictures of one split and what they show.

    Attributes:
        images: grey (C = 1) or RGB (C = 3), 0 to 255.
        labels: the numbers as they stand in the file, at least 0; None if the file has none.
    """

    images: UInt8[np.ndarray, "N H W C"]
    labels: Int64[np.ndarray, " N"] | None


class Arrays(NamedTuple):
    """What an array source holds.

    Attributes:
        splits: by "train", "val", "test", or only "all".
        class_names: the name of each label number, if the file says.
    """

    splits: dict[str, ArraySplit]
    class_names: tuple[str, ...] | None


def is_idx_images(name: str) -> bool:
    """Whether a file is called like pictures in IDX format."""
    return _IDX_IMAGES.fullmatch(name) is not None


def read_idx_files(image_files: Iterable[Path]) -> Arrays:
    """Reads IDX pictures, each with the labels file beside it.

    Args:
        image_files: files like ``train-images-idx3-ubyte.gz``; the word before "images" names the
            split. Of a file and its gzipped twin the plain one is read.

    Raises:
        DataError: a file is damaged, or two files claim the same split.
    """
    chosen: dict[str, Path] = {}
    for path in sorted(image_files, key=lambda path: (path.suffix == ".gz", path.name)):
        match = _IDX_IMAGES.fullmatch(path.name)
        assert match is not None
        split = _IDX_SPLITS.get(re.split(r"[-_.]", match[1])[-1].lower(), ALL)
        if split not in chosen:
            chosen[split] = path
        elif path.name != f"{chosen[split].name}.gz":
            raise DataError(
                f"two files hold {split} pictures: {chosen[split].name} and {path.name}. Keep each "
                "set in a folder of its own, or give one file as the source."
            )

    splits = {}
    for split in (each for each in _SPLIT_ORDER if each in chosen):
        path = chosen[split]
        labels = next((read_idx(each) for each in _label_files(path) if each.is_file()), None)
        splits[split] = _array_split(read_idx(path), labels, where=str(path))
    return Arrays(splits, class_names=None)


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """Reads one IDX file of bytes, gzipped or not, and never more of it than its header promises.

    Raises:
        DataError: it is not IDX, holds another type of number, more or less than it promises, or
            promises more than can be.
    """
    is_packed = path.suffix == ".gz"
    opener = gzip.open if is_packed else Path.open
    try:
        with opener(path, "rb") as file:
            head = file.read(4)
            if len(head) < 4 or head[:3] != _IDX_UINT8:
                raise DataError(f"{path}: not an IDX file of bytes (it starts with {head!r})")
            sizes = file.read(4 * head[3])
            shape = tuple(np.frombuffer(sizes[: len(sizes) // 4 * 4], dtype=">u4").tolist())
            expected = int(np.prod(shape, dtype=object))
            _require_possible(path, expected, is_packed=is_packed)
            data, held = np.empty(expected, dtype=np.uint8), 0
            while taken := file.readinto(data[held:].data):
                held += taken
            is_more = file.read(1) != b""
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if len(shape) != head[3] or held != expected or is_more:
        holds = "more" if is_more else f"{held:,}"
        raise DataError(f"{path}: its header promises {expected:,} bytes, it holds {holds}")
    return data.reshape(shape)


def read_npz(path: Path) -> Arrays:
    """Reads pictures and labels from an npz file; it cannot run code, objects in it are refused.

    Args:
        path: a file with arrays such as ``x_train`` and ``y_train``, ``test_images`` and
            ``test_labels``, or just ``images`` and ``labels``; ``class_names`` if it likes.

    Raises:
        DataError: it is damaged, holds no such arrays, or arrays of another type or shape.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                raise ValueError("it is a single array without a name")
            found = {key: loaded[key] for key in loaded.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path}: cannot be read as npz without running code from it: {error}"
        ) from error

    keys = {_npz_role(key): key for key in found}
    splits = {}
    for split in _SPLIT_ORDER:
        if ("images", split) in keys:
            labels = found[keys["labels", split]] if ("labels", split) in keys else None
            where = f"{path}, {keys['images', split]}"
            splits[split] = _array_split(found[keys["images", split]], labels, where=where)
    if not splits:
        raise DataError(
            f"{path}: no pictures in its arrays ({', '.join(found) or 'it has none'}); expected "
            "names like x_train and y_train, or images and labels"
        )
    if len(splits) > 1:
        splits.pop(ALL, None)
    names = found.get("class_names")
    if names is None:
        return Arrays(splits, None)
    class_names = tuple(str(name) for name in names.ravel())
    if len(set(class_names)) < len(class_names):
        raise DataError(f"{path}: two of its class_names are equal ({', '.join(class_names)})")
    return Arrays(splits, class_names)


def _require_possible(path: Path, expected: int, *, is_packed: bool) -> None:
    """Refuses a file that promises what it cannot hold, before memory is taken for it."""
    size = path.stat().st_size
    if not is_packed and expected > size:
        raise DataError(f"{path}: its header promises {expected:,} bytes, it holds {size:,} in all")
    if is_packed and expected > min(_MOST_UNPACKED, _MOST_PACKED * size):
        raise DataError(
            f"{path}: its header promises {expected:,} bytes from {size:,} packed ones; gzip packs "
            f"up to {_MOST_PACKED:,} into one, and no more than {_MOST_UNPACKED:,} are unpacked "
            "here. If the file is whole, unpack it and give that."
        )


def _label_files(image_file: Path) -> tuple[Path, Path]:
    """Where the labels of an IDX file may lie, plain and gzipped."""
    name = re.sub("images", "labels", image_file.name, flags=re.IGNORECASE)
    name = re.sub("idx3", "idx1", name, flags=re.IGNORECASE).removesuffix(".gz")
    return image_file.with_name(name), image_file.with_name(f"{name}.gz")


def _npz_role(key: str) -> tuple[str, str]:
    """What an array's name says: ("images" or "labels" or "other", split)."""
    words = set(key.lower().split("_"))
    kind = next((kind for kind, names in _NPZ_KINDS if words & names), "other")
    rest = words - _IMAGE_KEYS - _LABEL_KEYS
    split = next((SPLIT_NAMES[word] for word in rest if word in SPLIT_NAMES), ALL)
    return (kind, split) if split != ALL or not rest else ("other", key)


_NPZ_KINDS = (("images", _IMAGE_KEYS), ("labels", _LABEL_KEYS))


def _array_split(
    images: Shaped[np.ndarray, "..."], labels: Shaped[np.ndarray, "..."] | None, *, where: str
) -> ArraySplit:
    """Checks shapes and types and brings them to one form."""
    if images.dtype != np.uint8:
        raise DataError(
            f"{where}: pixels are {images.dtype}, expected uint8 from 0 to 255. Scale them and "
            "save them with .astype('uint8')."
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise DataError(
            f"{where}: the array's shape is {images.shape}; expected (pictures, height, width), or "
            "that with 1 or 3 channels at the end"
        )
    if labels is None:
        return ArraySplit(images, None)

    labels = labels.reshape(-1)
    whole = None
    if labels.dtype.kind in "iuf" and np.isfinite(labels).all():
        whole = labels.astype(np.int64)
    if whole is None or len(labels) != len(images) or (whole != labels).any() or whole.min() < 0:
        raise DataError(
            f"{where}: {len(images)} pictures, but the labels are {len(labels)} of type "
            f"{labels.dtype}; expected one whole number of at least 0 for each picture"
        )
    return ArraySplit(images, whole)
