"""Small versions of pictures are alike for copies that were scaled, compressed or brightened."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from saccade.data.sources import open_pictures
from saccade.serving.search.thumbnails import thumbnails


def photograph(seed: int) -> Image.Image:
    small = np.random.default_rng(seed).integers(256, size=(6, 8, 3)).astype(np.uint8)
    return Image.fromarray(small).resize((80, 60), Image.Resampling.BICUBIC)


def vectors(folder: Path, *pictures: Image.Image) -> np.ndarray:
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number}.png")
    paths = [folder / f"{number}.png" for number in range(len(pictures))]
    return thumbnails(open_pictures(paths), progress=lambda done, total: None).vectors


def test_copies_are_nearer_than_other_pictures(tmp_path: Path) -> None:
    picture = photograph(0)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=30)
    copies = (
        picture.resize((40, 30)),
        Image.open(io.BytesIO(file.getvalue())),
        ImageEnhance.Brightness(picture).enhance(0.8),
    )

    found = vectors(tmp_path, picture, photograph(1), *copies)

    cosines = found[1:] @ found[0]
    assert cosines[1:].min() > 0.98
    assert cosines[0] < 0.5


def test_vectors_have_unit_length_and_brightness_counts_for_nothing(tmp_path: Path) -> None:
    flat = [Image.new("RGB", (20, 20), colour) for colour in ("black", "white")]

    found = vectors(tmp_path, photograph(0), *flat)

    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 0, 0], atol=1e-5)
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-6)


def test_unreadable_pictures_are_named_and_have_no_row(tmp_path: Path) -> None:
    photograph(0).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")

    found = thumbnails(
        open_pictures([tmp_path / "bad.png", tmp_path / "good.png"]),
        progress=lambda done, total: None,
    )

    assert found.positions.tolist() == [1]
    assert len(found.vectors) == 1
    (name,) = found.bad
    assert name.endswith("bad.png")
