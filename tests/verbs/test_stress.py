"""Poor pictures are judged as good ones are, and a run folder remembers what came of it."""

import json
import shutil
from pathlib import Path

import pytest

from saccade.data.poor import KINDS
from saccade.errors import UsageError
from saccade.verbs.evaluate import evaluate
from saccade.verbs.stress import stress
from tests import tiny


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny.world().run, tmp_path / "run"))


def test_clean_figures_are_those_of_evaluate_and_every_kind_has_five(run: Path) -> None:
    source = tiny.world().source

    found = stress(run, source, kinds=["jpeg", "dark"], is_quiet=True)
    clean = evaluate(run, source, is_quiet=True)

    assert (found.split, found.n, found.metric) == (clean.split, clean.n, clean.headline)
    assert found.clean.value == clean.metrics[clean.headline]
    assert [poor.kind for poor in found.kinds] == ["jpeg", "dark"]
    assert all(len(poor.values) == 5 for poor in found.kinds)
    assert all(0 <= value <= 1 for poor in found.kinds for value in poor.values)
    assert found.mean == pytest.approx(sum(poor.mean for poor in found.kinds) / 2)


def test_pictures_that_say_nothing_are_answered_by_chance(run: Path) -> None:
    """Classes here are colours, and in the dark all are black."""
    found = stress(run, tiny.world().source, kinds=["dark", "out of focus"], is_quiet=True)

    dark, blurred = found.kinds
    assert found.clean.value > 0.9
    assert min(blurred.values) > 0.9  # a blurred colour is the same colour
    assert dark.values[-1] < 0.9


def test_a_run_folder_keeps_table_and_sheet_and_its_report_shows_them(run: Path) -> None:
    found = stress(run, tiny.world().source, kinds=["snow"], num=4, is_quiet=True)

    kept = json.loads((run / "evaluation" / "poor.json").read_text())
    assert kept["kinds"][0]["values"] == found.kinds[0].values
    assert kept["n"] == found.n == 4
    assert (run / "pictures" / "poor.png").stat().st_size > 0
    assert found.report == run / "report.html"
    page = (run / "report.html").read_text()
    assert "Poor pictures" in page
    assert "snow" in page


def test_the_same_pictures_are_taken_each_time_and_others_for_another_seed(run: Path) -> None:
    source = tiny.world().source
    once, again = (stress(run, source, kinds=["jpeg"], num=5, is_quiet=True) for _ in range(2))

    assert once == again


def test_what_cannot_be_judged_is_refused(run: Path) -> None:
    source = tiny.world().source
    with pytest.raises(UsageError, match=r"'jpg'.*jpeg"):
        stress(run, source, kinds=["jpg"])
    with pytest.raises(UsageError, match="no kind was named"):
        stress(run, source, kinds=[])
    with pytest.raises(UsageError, match="at least 1 picture"):
        stress(run, source, num=0)
    assert not (run / "evaluation" / "poor.json").exists()
    assert len(KINDS) == 12
