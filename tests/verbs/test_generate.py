"""Generating writes as many pictures as asked and one sheet of them, and overwrites nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import UsageError
from tests import tiny, tiny_flow


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def test_there_is_a_file_for_each_picture_and_a_sheet(tmp_path: Path) -> None:
    out = tmp_path / "new"

    result = saccade.generate(tiny_flow.generator().run, out, count=5, device="cpu", is_quiet=True)

    assert [entry["file"] for entry in result.pictures] == [f"{k:05d}.png" for k in range(5)]
    assert [entry["label"] for entry in result.pictures][:4] == [*tiny.CLASSES, tiny.CLASSES[0]]
    assert pixels(out / "00000.png").shape == (16, 16, 3)
    assert result.sheet == out / "sheet.png"
    assert len(list(out.iterdir())) == 6


def test_more_of_the_same_seed_begin_with_the_same_ones(tmp_path: Path) -> None:
    run = tiny_flow.generator().run
    for name, count, seed in (("few", 2, 1), ("many", 4, 1), ("other", 2, 2)):
        saccade.generate(run, tmp_path / name, count=count, seed=seed, device="cpu", is_quiet=True)

    few, many, other = (pixels(tmp_path / name / "00001.png") for name in ("few", "many", "other"))
    assert np.abs(few - many).max() <= 1
    assert np.abs(few - other).max() > 1


def test_a_folder_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(UsageError, match="never overwritten"):
        saccade.generate(tiny_flow.generator().run, tmp_path, is_quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_run_of_another_job_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trained to classify.*--job generate"):
        saccade.generate(tiny.world().run, tmp_path / "new", device="cpu", is_quiet=True)


def test_nothing_is_written_when_the_class_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'apple'"):
        saccade.generate(
            tiny_flow.generator().run,
            tmp_path / "new",
            label="aple",
            device="cpu",
            is_quiet=True,
        )
    assert not (tmp_path / "new").exists()


def test_pictures_without_classes_can_be_drawn_but_not_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "flat"
    source.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        tiny.draw(rng, number).save(source / f"{number}.png")
    settings = tiny_flow.SETTINGS | {"task.num_judged": "4"}
    saccade.train(
        source,
        tmp_path / "run",
        job="generate",
        model="vit-pico4",
        steps=2,
        settings=settings,
        device="cpu",
        is_quiet=True,
    )

    result = saccade.generate(
        tmp_path / "run", tmp_path / "new", count=2, device="cpu", is_quiet=True
    )

    assert [entry["label"] for entry in result.pictures] == [None, None]
    wishes: list[dict[str, Any]] = [{"label": "apple"}, {"guidance": 2.0}]
    for asked in wishes:
        with pytest.raises(UsageError, match="without classes"):
            saccade.generate(
                tmp_path / "run", tmp_path / "no", device="cpu", is_quiet=True, **asked
            )
