"""pretrain, probe and distill as a person types them."""

import json
from pathlib import Path

from tests import tiny
from tests.pretrained import SETTINGS, pretrained, source
from tests.taught import teacher
from tests.tiny import call


def test_pretrain_makes_a_run_and_says_so_as_json(tmp_path: Path) -> None:
    sets = [f"--set={name}={value}" for name, value in SETTINGS.items()]

    done = call(
        "pretrain", source(), "--out", tmp_path / "run", "--method", "lejepa", "--model",
        "vit-pico4", "--steps", 2, "--json", "--quiet", *sets,
    )  # fmt: skip

    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["job"] == "pretrain"
    assert {"knn_top1", "effective_rank", "rank_share", "mean_std"} == set(document["metrics"])


def test_probe_prints_one_line_a_row() -> None:
    done = call(
        "probe", pretrained("visreg").run, source(), "--probes", "knn", "--shots", "1, 2",
        "--repeats", 2, "--quiet",
    )  # fmt: skip

    assert done.exit_code == 0, done.output
    head, *lines = done.stdout.strip().splitlines()
    assert head.split() == ["features", "probe", "labels", "top-1", "low", "high", "draws"]
    assert [line.split()[0] for line in lines] == ["model"] * 3 + ["pixels"] * 3


def test_probe_gives_json(tmp_path: Path) -> None:
    done = call(
        "probe", pretrained("visreg").run, source(), "--probes", "knn", "--shots", "", "--json",
        "--quiet",
    )  # fmt: skip

    document = json.loads(done.stdout)
    assert [row["features"] for row in document["rows"]] == ["model", "pixels"]
    assert document["rows"][0]["shots"] is None


def test_shots_that_are_no_numbers_are_refused() -> None:
    done = call("probe", pretrained("visreg").run, source(), "--shots", "few")

    assert done.exit_code == 2
    assert "--shots is 'few'" in done.stderr


def test_distill_makes_a_student_and_says_so_as_json(tmp_path: Path) -> None:
    sets = [f"--set={name}={value}" for name, value in tiny.SETTINGS.items()]

    done = call(
        "distill", tiny.world().source, "--out", tmp_path / "run", "--teacher", teacher(),
        "--method", "hard", "--ignore-labels", "--model", "cnn-pico4", "--steps", 2, "--json",
        "--quiet", *sets,
    )  # fmt: skip

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["job"] == "classify"
    teach = json.loads((tmp_path / "run" / "config.json").read_text())["teach"]
    assert (teach["method"], teach["has_labels"]) == ("hard", False)


def test_distill_without_a_teacher_is_refused(tmp_path: Path) -> None:
    done = call("distill", source(), "--out", tmp_path / "run")

    assert done.exit_code == 2
    assert "--teacher" in done.stderr
