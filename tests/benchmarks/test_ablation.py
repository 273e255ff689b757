"""The ablation can be stopped and continued, and gives every case the same seconds."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("benchmarks", reason="the benchmarks are not part of a release")

from benchmarks import ablation, harness
from benchmarks.ablation_cases import CASES
from benchmarks.ablation_training import load_pictures
from saccade.config.model import VitConfig


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Two classes of 28 x 28 in the place of Fashion-MNIST: dark and bright."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 80), ("test", 10)):
        for name, level in (("dark", 50), ("bright", 200)):
            folder = tmp_path / "fashion-mnist" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.normal(level, 10, (28, 28)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path


def test_seeds_are_the_outermost_loop_so_that_half_a_file_is_a_fair_half() -> None:
    runs = ablation.plan(["cnn", "rag"], ["fashion", "cifar10"], [0, 1])

    assert runs[:4] == [
        ("cnn", "fashion", 0),
        ("cnn", "cifar10", 0),
        ("rag", "fashion", 0),
        ("rag", "cifar10", 0),
    ]
    assert [run.seed for run in runs] == [0] * 4 + [1] * 4


def test_learned_positions_belong_to_the_grid_of_the_pictures() -> None:
    models = [CASES["vit position learned"].model_for(side) for side in (28, 32)]

    assert [m.position_grid for m in models if isinstance(m, VitConfig)] == [(1, 7, 7), (1, 8, 8)]
    assert CASES["cnn"].model_for(28) == CASES["cnn"].model


def test_a_run_takes_the_cpu_time_it_was_given_and_is_made_once(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    runs = tmp_path / "runs.jsonl"
    command = ["--dataset", "fashion", "--cases", "cnn", "--seconds", "0.2", "--seeds", "0"]
    command += ["--runs", str(runs), "--shared", str(shared)]

    ablation.main(command)
    with runs.open("a") as file:
        file.write('{"case": "cut o')  # as if stopped while writing
    ablation.main(command)  # the whole line is in the file already
    ablation.main([*command, "--seeds", "0", "1"])

    rows = [json.loads(line) for line in runs.read_text().splitlines()]
    assert [row["seed"] for row in rows] == [0, 1]
    assert rows[0]["top1"] >= 0.5
    collected = json.loads((tmp_path / "ablation.json").read_text())
    assert collected["rows"] == rows
    assert collected["summary"][0]["n"] == 2
    for row in rows:
        assert row["cpu_seconds"] >= 0.2  # the last step may end later
        assert row["steps"] >= 1


def test_a_line_that_was_cut_off_is_not_read(tmp_path: Path) -> None:
    runs = tmp_path / "runs.jsonl"
    runs.write_text('{"case": "cnn"}\n{"case": "ra')

    assert ablation.read_runs(runs) == [{"case": "cnn"}]


def test_pictures_come_decoded_and_whole(shared: Path) -> None:
    pictures = load_pictures("fashion", shared)

    assert pictures.class_names == ("bright", "dark")
    assert pictures.training.num_pictures == 160
    assert sum(len(batch) for batch in pictures.test.batches()) == 20
    assert pictures.preprocess.channels == 1
