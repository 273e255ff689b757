"""Galleries keep each answer with its picture and maps, and survive files that are gone."""

from collections.abc import Callable
from pathlib import Path

from saccade.reporting.galleries import galleries
from saccade.reporting.records import read_records


def test_answers_keep_their_facts_and_maps(make_run: Callable[..., Path]):
    found = galleries(read_records(make_run()))
    (mistake,), (explained,) = found.mistakes, found.explained
    assert (mistake.path, mistake.label, mistake.predicted) == ("cat/1.jpg", "cat", "dog")
    assert mistake.probability.replace("\u202f", " ") == "93.0 %"
    assert [name for name, _ in explained.maps] == ["LeGrad", "Rollout"]
    assert [name for name, _ in found.methods] == ["LeGrad", "Rollout"]


def test_files_that_are_gone_leave_the_answer(make_run: Callable[..., Path]):
    run = make_run()
    for path in (run / "pictures").glob("*.png"):
        path.unlink()
    (mistake,) = galleries(read_records(run)).mistakes
    assert mistake.picture is None
    assert mistake.maps == []
    assert mistake.predicted == "dog"


def test_no_pictures_no_galleries(make_run: Callable[..., Path]):
    found = galleries(read_records(make_run(without=("pictures",))))
    assert found.mistakes == found.explained == found.methods == []
