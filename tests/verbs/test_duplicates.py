"""duplicates groups copies, by pixels, by a model, or in an index."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import DataError, UsageError
from tests import tiny
from tests.tiny import World


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Thirty smooth pictures, a smaller copy of one and the very file of another."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(30):
        small = rng.integers(256, size=(6, 8, 3)).astype(np.uint8)
        picture = Image.fromarray(small).resize((80, 60), Image.Resampling.BICUBIC)
        picture.save(folder / f"{number:02d}.png")
    Image.open(folder / "04.png").resize((40, 30)).save(folder / "small.jpg", quality=60)
    (folder / "same.png").write_bytes((folder / "11.png").read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def names(result: object) -> list[list[str]]:
    return [[Path(path).name for path in group.paths] for group in result.groups]  # pyrefly: ignore[missing-attribute]


def test_pixels_find_scaled_copies_and_equal_files(pictures: Path) -> None:
    result = saccade.duplicates(pictures, is_quiet=True)

    assert names(result) == [["04.png", "small.jpg"], ["11.png", "same.png"]]
    assert [group.is_exact for group in result.groups] == [False, True]
    assert result.groups[0].lowest_score > 0.9
    assert (result.by, result.n, result.num_errors) == ("pixels", 32, 1)
    assert all(Path(path).is_file() for group in result.groups for path in group.paths)


def test_a_model_and_an_index_of_it_find_the_same(
    world: World, pictures: Path, tmp_path: Path
) -> None:
    by_model = saccade.duplicates(pictures, run=world.run, threshold=0.9, is_quiet=True)
    saccade.index(world.run, pictures, tmp_path / "index", whitening="full", is_quiet=True)
    by_index = saccade.duplicates(tmp_path / "index", threshold=0.9, is_quiet=True)

    assert ["11.png", "same.png"] in names(by_model)
    assert by_model.groups == by_index.groups
    assert (by_model.n, by_model.num_errors) == (by_index.n, by_index.num_errors) == (32, 1)


def test_copies_with_different_labels_show_both(tmp_path: Path) -> None:
    folder = tiny.draw_folder(tmp_path / "pictures", count=4)
    (folder / "sky" / "copy.png").write_bytes((folder / "apple" / "001.png").read_bytes())

    (group,) = saccade.duplicates(folder, threshold=0.99, is_quiet=True).groups

    assert group.labels == ["apple", "sky"]


def test_real_copies_are_grouped_as_their_names_say(shared_data: Path, tmp_path: Path) -> None:
    """Mirrored, turned and greyed copies are beyond pixels: they only find each other."""
    with zipfile.ZipFile(shared_data / "near_duplicates" / "imagededup_tests.zip") as archive:
        archive.extractall(tmp_path)

    result = saccade.duplicates(tmp_path, is_quiet=True)

    found = [{re.sub(r"_resize|\.\w+$", "", name) for name in group} for group in names(result)]
    assert sorted(map(sorted, found)) == [
        ["alpha_channel_image", "ukbench00120"],
        ["ukbench00120_hflip"],
        ["ukbench00120_rotation"],
        ["ukbench09268"],
        ["ukbench09380"],
    ]
    assert sorted(len(group.paths) for group in result.groups) == [2, 2, 3, 5, 6]
    assert result.num_errors == 2


def test_wrong_questions_are_refused(world: World, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"threshold is 1\.5"):
        saccade.duplicates(pictures, threshold=1.5, is_quiet=True)
    with pytest.raises(UsageError, match="does not exist"):
        saccade.duplicates(tmp_path / "none", is_quiet=True)
    saccade.index(world.run, pictures, tmp_path / "index", is_quiet=True)
    with pytest.raises(UsageError, match="leave --run out"):
        saccade.duplicates(tmp_path / "index", run=world.run, is_quiet=True)
    for path in pictures.iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="none of its pictures can be read"):
        saccade.duplicates(pictures, is_quiet=True)
