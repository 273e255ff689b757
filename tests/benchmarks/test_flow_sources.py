"""Sources of the benchmarks of generation and translation hold what these claim to measure."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.flow_sources import NUM_TINTS, tinted, write_digits, write_tinted

LUMA = (0.299, 0.587, 0.114)


def test_brightness_tells_no_hue() -> None:
    grey = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)
    rng = np.random.default_rng(0)
    pictures = np.stack([np.asarray(tinted(grey, rng)) for _ in range(20)]).astype(np.float64)

    brightness = pictures @ np.array(LUMA)

    assert np.ptp(brightness, axis=0).max() < 2  # of 255: rounding alone
    assert np.ptp(pictures, axis=0).min() > 20


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tinted(tmp_path_factory.mktemp("sources") / "tinted", side=8)


def test_a_tinted_digit_is_in_one_split_alone(folder: Path) -> None:
    digits = {
        split: {path.name[:4] for path in (folder / split).iterdir()}
        for split in ("train", "val", "test")
    }

    assert {split: len(some) for split, some in digits.items()} == {
        "train": 899, "val": 179, "test": 719
    }  # fmt: skip
    assert len(set().union(*digits.values())) == 1797


def test_a_training_digit_comes_in_many_colours_and_others_in_one(folder: Path) -> None:
    assert len([*(folder / "train").iterdir()]) == 899 * NUM_TINTS
    assert len([*(folder / "test").iterdir()]) == 719
    twins = [np.asarray(Image.open(folder / "train" / f"0000-{k}.png")) for k in range(2)]
    assert np.abs(twins[0].astype(int) - twins[1]).max() > 20


def test_plain_digits_lie_in_folders_of_their_classes(tmp_path: Path) -> None:
    write_digits(tmp_path, side=8)

    assert sorted(path.name for path in tmp_path.iterdir()) == [str(k) for k in range(10)]
    assert len([*tmp_path.rglob("*.png")]) == 1797
