"""Other things are told from known ones by every score there is, where that makes sense."""

from pathlib import Path

import pytest

import saccade
from saccade.errors import DataError, UsageError
from saccade.verbs.evaluate import EvaluateResult
from tests import moving, tiny, trusted
from tests.tiny import call


def evaluate(run: Path, unknown: Path) -> EvaluateResult:
    return saccade.evaluate(run, trusted.world().more, unknown=unknown, device="cpu", is_quiet=True)


def test_every_score_has_its_figures_with_intervals_and_knn_tells_others_apart():
    world = trusted.world()
    found = {row["score"]: row for row in evaluate(world.run, world.others).unknown}
    assert list(found) == ["knn", "energy", "probability"]
    for row in found.values():
        assert row["n"] == 30
        for figure in (row["auroc"], row["fpr95"]):
            assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert found["knn"]["auroc"]["value"] > 0.95
    assert found["knn"]["fpr95"]["value"] < 0.2


def test_more_of_the_same_are_not_told_apart():
    world = trusted.world()
    (knn, *_) = evaluate(world.run, world.held_out).unknown
    assert knn["auroc"]["low"] < 0.5 < knn["auroc"]["high"] + 0.1


def test_a_run_that_does_not_say_what_it_knows_has_two_scores(capfd: pytest.CaptureFixture[str]):
    world = trusted.world()
    found = saccade.evaluate(tiny.world().run, world.more, unknown=world.others, device="cpu")
    assert [row["score"] for row in found.unknown] == ["energy", "probability"]
    assert "does not say what it knows" in capfd.readouterr().err


def test_the_command_line_shows_them(tmp_path: Path):
    world = trusted.world()
    shown = call("evaluate", world.run, world.more, "--unknown", world.others)
    assert "told from 30 unknown pictures" in shown.stdout
    assert "by knn          AUROC" in shown.stdout
    assert "at temperature" in shown.stdout


def test_what_cannot_be_asked_is_refused(tmp_path: Path):
    world = trusted.world()
    with pytest.raises(UsageError, match="does not exist"):
        evaluate(world.run, tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty"):
        evaluate(world.run, tmp_path / "empty")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"broken")
    with pytest.raises(UsageError, match="none of the pictures given with --unknown"):
        evaluate(world.run, tmp_path / "bad")
    with pytest.raises(UsageError, match=r"trained to video.*classify only"):
        saccade.evaluate(
            moving.world().run,
            moving.world().source,
            unknown=world.others,
            device="cpu",
            is_quiet=True,
        )
