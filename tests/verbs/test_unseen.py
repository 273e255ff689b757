"""A run is judged on pictures that it never saw, whatever source they come back in."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.sources import open_source
from saccade.run.folder import RunFolder, read_json
from saccade.verbs.unseen import best_part, part_not_trained_on, unseen
from saccade.verbs.voice import Voice
from tests import tiny
from tests.tiny import World

QUIET = Voice(is_quiet=True)


def test_the_best_part_is_test_then_val_then_all(tmp_path: Path):
    for split in ("train", "val", "test"):
        tiny.draw_folder(tmp_path / split, count=2)
    for expected in ("test", "val", "train"):
        assert best_part(open_source(tmp_path))[0] == expected
        shutil.rmtree(tmp_path / expected)
    assert best_part(open_source(tiny.draw_folder(tmp_path / "flat", count=2)))[0] == "all"


def test_of_its_own_source_the_part_held_out_is_found_again(world: World):
    folder = RunFolder(world.run)
    config = from_json(RunConfig, read_json(folder.config))
    part, samples = part_not_trained_on(folder, config, open_source(world.source), QUIET)
    assert part == "test"
    assert len(unseen(samples, folder, QUIET)) == len(samples)


def test_pictures_trained_on_are_left_out_unless_all_of_them_were(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    folder = RunFolder(world.run)
    shutil.copytree(world.source, tmp_path / "copy")
    everything = open_source(tmp_path / "copy").splits["all"]
    left = unseen(everything, folder, QUIET)
    num_seen = len(folder.trained_on.read_text().split())
    assert len(left) == len(everything) - num_seen
    seen = everything.take(
        np.array([k for k, i in enumerate(everything.ids) if i not in set(left.ids.tolist())])
    )
    assert len(unseen(seen, folder, Voice(is_quiet=False))) == num_seen
    assert "say nothing about" in capfd.readouterr().err
