"""A benchmark can be stopped and started: nothing is run twice, nothing outdated is summed up."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("benchmarks", reason="the benchmarks are not part of a release")

from benchmarks import harness
from benchmarks.ledger import Training, read, run_cases, summary

CASES = {"a": {"steps": 1}, "b": {"steps": 2}}


class Trainings:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    def __call__(self, training: Training) -> dict[str, Any]:
        self.asked.append((training.case, training.seed))
        return {"top1": 0.25 + training.seed, "name": training.case}


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those of the repository."""
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "results")


def run(folder: Path, train: Trainings, *words: str, cases: Any = None) -> None:
    places = ("--runs", str(folder / "runs.jsonl"), "--work", str(folder / "work"))
    cases = CASES if cases is None else cases
    run_cases([*words, *places], benchmark="some", cases=cases, train=train)


def test_seeds_are_the_outer_loop_so_that_half_a_file_is_a_fair_half(tmp_path: Path) -> None:
    train = Trainings()

    run(tmp_path, train, "--seeds", "0", "1")

    assert train.asked == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_what_is_there_is_not_run_again(tmp_path: Path) -> None:
    run(tmp_path, Trainings(), "--seeds", "0", "--cases", "a")
    train = Trainings()

    run(tmp_path, train, "--seeds", "0")

    assert train.asked == [("b", 0)]


def test_what_is_in_the_results_is_not_run_again(tmp_path: Path) -> None:
    run(tmp_path, Trainings(), "--seeds", "0", "--cases", "a")
    run(tmp_path, Trainings(), "--collect")
    (tmp_path / "runs.jsonl").unlink()
    train = Trainings()

    run(tmp_path, train, "--seeds", "0")
    run(tmp_path, train, "--collect")

    assert train.asked == [("b", 0)]
    document = json.loads((tmp_path / "results" / "some.json").read_text())
    assert [row["case"] for row in document["rows"]] == ["a", "b"]


def test_a_case_that_was_changed_is_run_again(tmp_path: Path) -> None:
    run(tmp_path, Trainings(), "--seeds", "0")
    train = Trainings()

    run(tmp_path, train, "--seeds", "0", cases=CASES | {"a": {"steps": 7}})

    assert train.asked == [("a", 0)]


def test_a_line_cut_short_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path, Trainings(), "--seeds", "0", "1", "--cases", "a")
    path = tmp_path / "runs.jsonl"
    path.write_text(path.read_text()[:-5])

    assert [row["seed"] for row in read(path, CASES)] == [0]


def test_collecting_writes_every_row_and_the_spread(tmp_path: Path) -> None:
    run(tmp_path, Trainings(), "--seeds", "1", "0", "--cases", "a")
    run(tmp_path, Trainings(), "--collect")

    document = json.loads((tmp_path / "results" / "some.json").read_text())

    assert [row["seed"] for row in document["rows"]] == [0, 1]
    assert document["summary"]["a"]["top1"]["mean"] == pytest.approx(0.75)
    assert document["rows"][0]["settings"] == {"steps": 1}


def test_only_numbers_that_all_rows_have_are_summed_up() -> None:
    rows = [
        {"case": "a", "seed": 0, "top1": 0.5, "found": 1, "is_good": True},
        {"case": "a", "seed": 1, "top1": 1.0, "is_good": True},
    ]

    assert set(summary(rows)["a"]) == {"top1"}
