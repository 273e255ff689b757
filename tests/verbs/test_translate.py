"""Translating writes a picture for each input, the baseline's beside it, and overwrites nothing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import DataError, UsageError
from saccade.serving.sheet import GAP_PX
from tests import tiny, tiny_flow


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_each_input_becomes_a_picture_of_its_own_size(tmp_path: Path) -> None:
    Image.new("RGB", (20, 30), "red").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no")
    out = tmp_path / "out"

    result = saccade.translate(
        tiny_flow.translator().run,
        [tmp_path / "a.png", tmp_path / "b.png"],
        out,
        device="cpu",
        is_quiet=True,
    )

    first, broken = result.pictures
    assert first["file"] == "00000-a.png"
    assert size(out / "00000-a.png") == size(out / "regression" / "00000-a.png") == (20, 30)
    assert broken["file"] is None
    assert broken["error"]
    assert result.num_errors == 1


def test_a_sheet_shows_what_was_given_and_both_answers_side_by_side(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), "red").save(tmp_path / "a.png")
    out = tmp_path / "out"

    result = saccade.translate(
        tiny_flow.translator().run, tmp_path / "a.png", out, device="cpu", is_quiet=True
    )

    with (
        Image.open(result.sheet) as paper,
        Image.open(out / "00000-a.png") as flow,
        Image.open(out / "regression" / "00000-a.png") as regression,
    ):
        width = (paper.width - 2 * GAP_PX) // 3
        seen = np.asarray(paper)[::4, :, :]
        for k, shown in enumerate(
            (np.full((16, 16, 3), (255, 0, 0)), np.asarray(flow), np.asarray(regression))
        ):
            left = k * (width + GAP_PX)
            assert np.array_equal(seen[:, left : left + width : 4], shown), k


def test_a_folder_stands_for_its_pictures(tmp_path: Path) -> None:
    world = tiny_flow.translator()

    result = saccade.translate(
        world.run, world.source / "input", tmp_path / "out", device="cpu", is_quiet=True
    )

    assert len(result.pictures) == 24


def test_nothing_to_read_is_bad_data(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"no")

    with pytest.raises(DataError, match="the picture cannot be read"):
        saccade.translate(
            tiny_flow.translator().run,
            tmp_path / "b.png",
            tmp_path / "out",
            device="cpu",
            is_quiet=True,
        )
    assert not (tmp_path / "out").exists()


def test_a_folder_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(UsageError, match="never overwritten"):
        saccade.translate(tiny_flow.translator().run, tmp_path, tmp_path, is_quiet=True)


def test_a_run_of_another_job_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trained to classify.*--job translate"):
        saccade.translate(tiny.world().run, tmp_path, tmp_path / "out", device="cpu", is_quiet=True)
