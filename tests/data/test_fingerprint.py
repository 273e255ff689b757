"""A fingerprint changes when the data does, and only then."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from saccade.data.clips.sources import open_clips
from saccade.data.fingerprint import fingerprint
from saccade.data.sources import open_source

WritePictures = Callable[..., None]


def test_the_same_pictures_elsewhere_have_the_same_fingerprint(
    tmp_path: Path, write_pictures: WritePictures
):
    for root in ("one", "two"):
        write_pictures(f"{root}/cat/1.png", f"{root}/dog/2.png")
    one, two = (fingerprint(open_source(tmp_path / root)) for root in ("one", "two"))
    assert one == two
    assert len(one) == 64


def test_every_change_that_is_promised_is_seen(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("cat/1.png", "dog/2.png", "dog/3.png")
    seen = [fingerprint(open_source(tmp_path))]

    (tmp_path / "dog" / "3.png").rename(tmp_path / "dog" / "4.png")
    seen.append(fingerprint(open_source(tmp_path)))
    (tmp_path / "dog" / "4.png").rename(tmp_path / "cat" / "4.png")
    seen.append(fingerprint(open_source(tmp_path)))
    (tmp_path / "cat" / "4.png").write_bytes(b"other")
    seen.append(fingerprint(open_source(tmp_path)))
    (tmp_path / "cat" / "4.png").unlink()
    seen.append(fingerprint(open_source(tmp_path)))
    assert len(set(seen)) == 5


def test_who_belongs_together_is_seen(tmp_path: Path, write_pictures: WritePictures):
    write_pictures("cat/1/0.png", "cat/2/0.png", "dog/3/0.png")
    seen = [fingerprint(open_clips(tmp_path))]
    for lines in ("cat/*,one\n", "cat/1,one\n*/3,one\n"):
        (tmp_path / "groups.csv").write_text(f"clip,group\n{lines}")
        seen.append(fingerprint(open_clips(tmp_path)))
    assert len(set(seen)) == 3


def test_a_single_pixel_of_an_array_is_seen(tmp_path: Path):
    images, labels = np.zeros((4, 3, 3), dtype=np.uint8), np.array([0, 1, 0, 1])
    seen = []
    for value in (0, 1):
        images[2, 1, 1] = value
        np.savez(tmp_path / "a.npz", images=images, labels=labels)
        seen.append(fingerprint(open_source(tmp_path / "a.npz")))
    assert seen[0] != seen[1]
