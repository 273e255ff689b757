"""The pictures behind the rows of an index, where they still lie where they were."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.pictures import PictureFiles, Pictures
from saccade.data.sources import open_source
from saccade.errors import SaccadeError


class Originals:
    """Finds pictures of a source by their names.

    Args:
        source: as it was named; one that is gone has no pictures.
    """

    def __init__(self, source: str) -> None:
        self._places: dict[str, tuple[Pictures, int]] = {}
        try:
            found = open_source(source)
        except SaccadeError:
            return
        for samples in found.splits.values():
            for i in samples.ids.tolist():
                self._places[samples.pictures.name(i)] = (samples.pictures, i)

    def names(self) -> list[str]:
        """Of all its pictures."""
        return list(self._places)

    def picture(self, path: str) -> UInt8[np.ndarray, "H W 3"] | None:
        """The pixels of a picture, by its name in the source or by its file; None if it is gone."""
        pictures, i = self._places.get(path, (None, 0))
        if pictures is None:
            pictures, i = PictureFiles(Path(), (path,)), 0
        try:
            return pictures.load(i, channels=3, min_side=None)
        except UnreadablePicture:
            return None

    def path(self, name: str) -> str:
        """Where a picture lies: its file, from here; its name where it is no file or gone."""
        pictures, i = self._places.get(name, (None, 0))
        if isinstance(pictures, PictureFiles):
            return (pictures.root / pictures.names[i]).as_posix()
        return name
