"""The data section counts every split, judges the balance, and shortens long lists aloud."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.reporting.about_data import MAX_IGNORED, MAX_LISTED_CLASSES, about_data
from saccade.reporting.records import read_records


def change_data(run: Path, **fields: object) -> None:
    contract = json.loads((run / "contract.json").read_text())
    contract["data"] |= fields
    (run / "contract.json").write_text(json.dumps(contract))


def test_bars_add_up(make_run: Callable[..., Path]):
    found = about_data(read_records(make_run()))
    assert [bar.total for bar in found.bars] == [11, 11, 11]
    assert [part[1] for part in found.bars[0].parts] == [8, 1, 2]
    assert sum(part[2] for part in found.bars[0].parts) == pytest.approx(100)
    assert found.splits == [("training", "24"), ("validation", "3"), ("test", "60")]


def test_pictures_stand_with_their_class(make_run: Callable[..., Path]):
    found = about_data(read_records(make_run()))
    assert [len(bar.pictures) for bar in found.bars] == [0, 1, 0]
    assert [sample.label for sample in found.batch] == ["cat"]


@pytest.mark.parametrize(
    ("train", "words"),
    [
        ([10, 10, 10], "Every class has 10 pictures"),
        ([10, 9, 8], "about equally large: from 8 to 10"),
        ([30, 10, 10], "somewhat uneven: 30 pictures of “cat”, 10 of “dog”"),
        ([100, 10, 10], "very uneven"),
        ([100, 10, 0], "0 of “owl”"),
    ],
)
def test_balance_in_words(make_run: Callable[..., Path], train: list[int], words: str):
    run = make_run()
    change_data(run, class_counts={"train": train, "val": [], "test": []})
    assert words in about_data(read_records(run)).balance


def test_many_classes_are_a_chart_and_no_bars(make_run: Callable[..., Path]):
    names = [f"kind {k}" for k in range(MAX_LISTED_CLASSES + 1)]
    found = about_data(read_records(make_run(names)))
    assert found.bars == []
    assert found.sizes is not None
    assert [sample.label for sample in found.samples] == ["kind 1"]


def test_long_lists_are_cut_but_counted(make_run: Callable[..., Path]):
    run = make_run()
    change_data(run, ignored=[[f"f{i}", "hidden"] for i in range(500)])
    found = about_data(read_records(run))
    assert (len(found.ignored), found.num_ignored) == (MAX_IGNORED, 500)
    assert found.bad == [("cat/torn.jpg", "truncated")]
