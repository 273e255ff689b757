"""Every strip that the index names is there, and is a row of the frames that the model saw."""

import json

import numpy as np
import pytest
from PIL import Image

from saccade.jobs.video.gallery import STRIP_PX, row_of_frames
from saccade.reporting.overlay import GAP_PX
from tests import moving

Index = dict[str, dict[str, list[dict[str, str]]]]


@pytest.fixture(scope="module")
def index() -> Index:
    return json.loads((moving.world().run / "pictures" / "index.json").read_text())


def test_every_file_of_the_index_is_a_picture_and_no_other_is_there(index: Index):
    run = moving.world().run
    named = {entry["file"] for gallery in index.values() for entry in gallery["entries"]}
    assert named == {path.relative_to(run).as_posix() for path in (run / "pictures").glob("*.png")}
    for file in named:
        with Image.open(run / file) as image:
            assert 400 <= image.width <= STRIP_PX + 8 * GAP_PX


def test_clips_of_each_class_are_shown_with_their_names(index: Index):
    entries = index["clips"]["entries"]
    assert [entry["caption"] for entry in entries] == ["left", "left", "right", "right"]
    assert all(entry["path"].startswith(entry["caption"]) for entry in entries)


def test_right_answers_are_explained_and_there_were_no_mistakes(index: Index):
    captions = [entry["caption"] for entry in index["looked"]["entries"]]
    assert {caption.split()[0] for caption in captions} == {"left", "right"}
    assert index["mistakes"]["entries"] == []
    assert len(index["batch"]["entries"]) == 12


@pytest.mark.parametrize("channels", [1, 3])
def test_small_frames_are_enlarged_by_whole_pixels_with_lines_between(channels: int):
    clip = np.random.default_rng(0).integers(0, 256, (4, channels, 8, 10), dtype=np.uint8)
    row = np.asarray(row_of_frames(clip))
    factor = STRIP_PX // 40
    assert row.shape == (8 * factor, 40 * factor + 3 * GAP_PX, 3)
    for number, frame in enumerate(clip):
        left = number * (10 * factor + GAP_PX)
        shown = row[::factor, left : left + 10 * factor : factor]
        assert np.array_equal(shown, np.broadcast_to(frame.transpose(1, 2, 0), (8, 10, 3)))
        assert (row[:, left + 10 * factor : left + 10 * factor + GAP_PX] == 255).all()


def test_large_frames_are_scaled_to_the_page():
    for side in (60, 300, 900):
        clip = np.zeros((4, 3, side, 2 * side), np.uint8)
        assert row_of_frames(clip).size == (STRIP_PX + 3 * GAP_PX, 120)
