"""The pictures behind an index are found by name while they are there, and missed politely."""

from pathlib import Path

import numpy as np

from saccade.serving.search.originals import Originals


def test_pictures_are_found_by_their_names_and_by_their_files(gallery: Path) -> None:
    originals = Originals(str(gallery))

    by_name = originals.picture("sky/003.png")

    assert by_name is not None
    assert by_name.shape == (16, 16, 3)
    assert originals.path("sky/003.png") == (gallery / "sky" / "003.png").as_posix()
    np.testing.assert_array_equal(originals.picture(originals.path("sky/003.png")), by_name)


def test_arrays_have_pictures_and_no_files(tmp_path: Path) -> None:
    images = np.zeros((2, 4, 4), np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.array([0, 1]))

    originals = Originals(str(tmp_path / "data.npz"))

    (name,) = [name for name in originals.names() if name.endswith("#1")]
    assert originals.path(name) == name
    assert originals.picture(name) is not None


def test_what_is_gone_or_broken_is_none(gallery: Path, tmp_path: Path) -> None:
    originals = Originals(str(gallery))
    (gallery / "sky" / "003.png").unlink()

    assert originals.picture("sky/003.png") is None
    assert originals.picture("leaf/broken.png") is None
    assert Originals(str(tmp_path / "gone")).picture("sky/001.png") is None
    assert Originals(str(tmp_path / "gone")).path("sky/001.png") == "sky/001.png"
