"""Facts are those of the pictures themselves, and what cannot be read does not disturb them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.pictures import PictureArray, Pictures
from saccade.data.preprocess import read_picture
from saccade.data.sources import Samples, open_source
from saccade.errors import DataError
from saccade.planning import facts as facts_module
from saccade.planning.facts import PROBE_SIDE, Facts, look
from saccade.planning.mirror import SAFE_RATIO
from tests import tiny


def samples(images: np.ndarray, num_classes: int = 2) -> Samples:
    """Pictures in memory, ``N H W C``, whose labels take turns."""
    ids = np.arange(len(images))
    return Samples(pictures=PictureArray(images, "all"), ids=ids, labels=ids % num_classes)


def noise(count: int, *shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape), dtype=np.uint8)


def look_at(folder: Path) -> Facts:
    source = open_source(folder)
    return look(source.splits["all"], num_classes=len(source.class_names or ()))


@pytest.mark.parametrize("channels", [1, 3])
def test_colour_statistics_are_those_of_numpy(channels: int):
    images = noise(12, PROBE_SIDE, PROBE_SIDE, channels)  # of the probe's size: none is resized
    images[..., 0] //= 3
    found = look(samples(images), num_classes=2)
    assert found.mean == pytest.approx((images / 255).mean(axis=(0, 1, 2)), abs=5.1e-4)
    assert found.std == pytest.approx((images / 255).std(axis=(0, 1, 2)), abs=5.1e-4)
    assert found.is_grey == (channels == 1)
    assert len(found.mean) == len(found.std) == channels


def test_a_flat_set_keeps_a_deviation_that_can_be_divided_by():
    found = look(samples(np.full((4, 8, 8, 1), 51, dtype=np.uint8)), num_classes=2)
    assert found.mean == (0.2,)
    assert found.std == (0.05,)


@pytest.mark.parametrize("shape", [(20, 33), (33, 20)])
def test_the_side_is_the_short_one(shape: tuple[int, int]):
    found = look(samples(noise(4, *shape, 3)), num_classes=2)
    assert found.side == 20


def test_the_side_is_the_median_of_pictures_of_many_sizes(tmp_path: Path):
    for label, sides in (("a", (10, 30, 500)), ("b", (30, 31))):
        for number, side in enumerate(sides):
            (tmp_path / label).mkdir(exist_ok=True)
            Image.new("RGB", (side, side)).save(tmp_path / label / f"{number}.png")
    assert look_at(tmp_path).side == 30


def test_grey_files_are_grey_and_one_with_colour_makes_all_rgb(tmp_path: Path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(3):
            Image.new("L", (8, 8), 40 * number).save(tmp_path / label / f"{number}.png")
    found = look_at(tmp_path)
    assert found.is_grey
    assert len(found.mean) == 1
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "a" / "3.png")
    found = look_at(tmp_path)
    assert not found.is_grey
    red, green, blue = found.mean
    assert red > green == blue


def left_or_right(folder: Path, broken: Callable[[int], bool], damaged: bytes) -> Path:
    """Grey pictures, light on their class's side: mirrored they show the other class."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(("left", "right")):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            image = rng.integers(0, 100, (PROBE_SIDE, PROBE_SIDE))
            image[:, label * 12 : label * 12 + 12] += 150
            path = folder / name / f"{number:02d}.png"
            if broken(number):
                path.write_bytes(damaged)
            else:
                Image.fromarray(image.astype(np.uint8)).save(path)
    return folder


def test_pictures_that_lose_their_class_in_a_mirror_are_found_out(tmp_path: Path):
    lost = look_at(left_or_right(tmp_path, lambda _: False, b"")).mirror_ratio
    kept = look_at(tiny.draw_folder(tmp_path / "colours", count=8)).mirror_ratio
    assert lost is not None
    assert lost < SAFE_RATIO
    assert kept is not None
    assert kept > SAFE_RATIO


def test_unreadable_pictures_are_passed_over_with_their_labels(tmp_path: Path):
    folder = left_or_right(tmp_path / "broken", lambda number: number % 4 == 1, b"no picture")
    found = look_at(folder)
    for path in folder.rglob("*.png"):
        if path.read_bytes() == b"no picture":
            path.unlink()
    expected = look_at(folder)
    assert (found.num_pictures, expected.num_pictures) == (40, 30)
    for name in ("side", "is_grey", "mean", "std", "mirror_ratio", "num_classes"):
        assert getattr(found, name) == getattr(expected, name), name


def test_when_headers_read_but_no_picture_does_there_are_still_facts(tmp_path: Path):
    half = tiny.draw_folder(tmp_path / "whole", count=1) / "sky" / "000.png"
    content = half.read_bytes()[:60]
    found = look_at(left_or_right(tmp_path / "halves", lambda _: True, content))
    assert (found.num_pictures, found.side, found.mirror_ratio) == (40, 16, None)
    assert (found.mean, found.std) == ((0.5,) * 3, (0.25,) * 3)


def test_when_not_even_a_header_reads_that_is_said(tmp_path: Path):
    with pytest.raises(DataError, match="none of 40 pictures can be read"):
        look_at(left_or_right(tmp_path, lambda _: True, b"no picture"))


def test_of_many_pictures_a_few_are_looked_at_from_the_first_to_the_last(
    monkeypatch: pytest.MonkeyPatch,
):
    seen: list[int] = []

    def read(pictures: Pictures, i: int, preprocess: Preprocess) -> np.ndarray:
        seen.append(i)
        return read_picture(pictures, i, preprocess)

    monkeypatch.setattr(facts_module, "read_picture", read)
    monkeypatch.setattr(facts_module, "NUM_PROBES", 5)
    every = samples(noise(41, 8, 8, 1))
    part = every.take(np.arange(1, 41, 3))  # 14 of them: ids are not positions
    found = look(part, num_classes=2)
    assert found.num_pictures == 14
    assert len(seen) == len(set(seen)) == 5
    assert (seen[0], seen[-1]) == (1, 40)
    assert set(seen) <= set(part.ids.tolist())
    assert np.ptp(np.diff(seen)) <= 3  # evenly spaced, to the next picture
