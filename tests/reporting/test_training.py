"""Curves are drawn from what the log has, and a loss that broke is said."""

from collections.abc import Callable
from pathlib import Path

from saccade.reporting.records import read_records
from saccade.reporting.training import training


def test_four_charts_with_both_splits_where_there_are_two(make_run: Callable[..., Path]):
    found = training(read_records(make_run()))
    assert [chart.title for chart in found.charts] == [
        "Loss", "Accuracy", "Learning rate", "Throughput"
    ]  # fmt: skip
    assert [len(chart.legend) for chart in found.charts] == [2, 2, 0, 0]
    assert "label smoothing of 0.1" in found.charts[0].note
    assert found.notes == ["Step 4: a checkpoint was damaged"]
    assert found.warnings == []


def test_no_log_gives_no_charts(make_run: Callable[..., Path]):
    assert training(read_records(make_run(without=("log.jsonl",)))).charts == []


def test_broken_losses_are_counted_and_the_rest_is_drawn(tmp_path: Path):
    (tmp_path / "log.jsonl").write_text(
        '{"kind": "train", "step": 1, "loss": 2.0}\n'
        '{"kind": "train", "step": 2, "loss": NaN}\n'
        '{"kind": "train", "step": 3, "loss": null}\n'
        '{"kind": "train", "step": 4, "loss": Infinity}\n'
    )
    found = training(read_records(tmp_path))
    assert [chart.title for chart in found.charts] == ["Loss"]
    assert "in 3 of 4 records, first at step 2" in found.warnings[0]
