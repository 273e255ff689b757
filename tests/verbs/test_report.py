"""The report of a run can be made anew at any time, and only of a run."""

import shutil
from pathlib import Path

import pytest

import saccade
from saccade.errors import UsageError
from tests import tiny
from tests.tiny import World


def test_a_report_is_written_anew_and_nothing_else_is(world: World, tmp_path: Path):
    run = tmp_path / "run"
    shutil.copytree(world.run, run)
    before = tiny.tree(run)
    (run / "report.html").unlink()
    page = saccade.report(run)
    assert page == run / "report.html"
    assert "<html" in page.read_text(encoding="utf-8")
    after = tiny.tree(run)
    assert after.keys() == before.keys()
    assert [name for name in before if after[name] != before[name]] in ([], ["report.html"])


def test_the_folder_may_be_given_as_text(world: World, tmp_path: Path):
    shutil.copytree(world.run, tmp_path / "run")
    assert saccade.report(str(tmp_path / "run")) == tmp_path / "run" / "report.html"


def test_a_run_that_goes_on_has_a_report_too(world: World, tmp_path: Path):
    for name in ("config.json", "contract.json"):
        shutil.copy(world.run / name, tmp_path / name)
    lines = (world.run / "log.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "log.jsonl").write_text("".join(lines[:3]) + lines[3][:10])
    page = saccade.report(tmp_path).read_text(encoding="utf-8")
    assert "rag-pico4" in page


@pytest.mark.parametrize(
    ("name", "says"),
    [("missing", "there is no run folder"), ("pictures", "is not a run folder")],
)
def test_what_is_no_run_is_refused_and_untouched(tmp_path: Path, name: str, says: str):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=says):
        saccade.report(tmp_path / name)
    assert list(tiny.tree(tmp_path)) == ["pictures/mine.txt"]
