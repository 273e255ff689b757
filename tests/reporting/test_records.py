"""Records are read whole where they are whole, and said to be broken where they are not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.errors import UsageError
from saccade.reporting.page import write_report
from saccade.reporting.records import read_records


def write_log(run: Path, *lines: object) -> None:
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_test_comes_before_val_for_the_final_figures(make_run: Callable[..., Path]):
    run = make_run()
    assert read_records(run).final_split == "test"
    (run / "evaluation" / "test.json").unlink()
    assert read_records(run).final_split == "val"
    (run / "evaluation" / "val.json").unlink()
    assert read_records(run).final_split is None


def test_a_step_logged_again_counts_once_and_lines_are_in_order(tmp_path: Path):
    write_log(
        tmp_path,
        {"kind": "train", "step": 10, "loss": 1.0},
        {"kind": "train", "step": 20, "loss": 0.9},
        {"kind": "train", "step": 10, "loss": 0.5},
    )
    assert [(x["step"], x["loss"]) for x in read_records(tmp_path).training] == [
        (10, 0.5),
        (20, 0.9),
    ]


def test_the_newest_plan_counts(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"steps": 100}')
    assert read_records(tmp_path).planned_steps == 100
    write_log(tmp_path, *({"kind": "plan", "step": s, "planned_steps": 10 * s} for s in (7, 9)))
    assert read_records(tmp_path).planned_steps == 90


def test_last_step_and_seconds_look_at_both_kinds_of_lines(tmp_path: Path):
    write_log(
        tmp_path,
        {"kind": "train", "step": 10, "seconds": 5.0},
        {"kind": "eval", "split": "val", "step": 12, "seconds": 7.0, "metrics": {}},
    )
    records = read_records(tmp_path)
    assert (records.last_step, records.seconds) == (12, 7.0)


def test_what_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "contract.json").write_text("[")
    (tmp_path / "log.jsonl").write_bytes(b'{"kind": "train", "step": 1}\n{"ki\xff')
    records = read_records(tmp_path)
    assert len(records.training) == 1
    assert [sentence.split()[0] for sentence in records.unreadable] == ["1", "contract.json"]


def test_no_folder_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="no run folder"):
        read_records(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("config.json", "[]"),
        ("contract.json", '{"data": null}'),
        ("contract.json", '{"class_names": 3}'),
        ("environment.json", "3"),
        ("log.jsonl", '{"kind": "train", "step": "x"}'),
        ("log.jsonl", '{"kind": "eval", "step": 3, "metrics": 4}'),
        ("log.jsonl", '{"step": 3}'),
        ("evaluation/test.json", '{"n": 3, "headline": "AP"}'),
        ("evaluation/test.json", '{"n": 3, "metrics": {"ap": 1}}'),
        ("evaluation/test.json", '{"n": 3, "tables": [{"rows": [1]}]}'),
        ("pictures/index.json", '{"found": {"entries": [3]}}'),
        ("pictures/index.json", '{"mistakes": [3]}'),
    ],
)
def test_a_file_of_another_form_is_named_and_the_page_is_made_without_it(
    make_run: Callable[..., Path], file: str, text: str
):
    run = make_run()
    (run / file).write_text(text)
    (said,) = read_records(run).unreadable
    assert Path(file).name in said
    assert said in write_report(run).read_text()
