"""What a training came to survives being told as JSON, and is said in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from saccade.verbs.trained import TrainResult, conclude
from saccade.verbs.voice import Voice

RESULT = TrainResult(
    run=Path("runs/photos"),
    job="classify",
    split="test",
    n=1200,
    metrics={"top1": 0.9, "log_loss": 0.3},
    intervals={"top1": (0.88, 0.92), "log_loss": (0.2, 0.4)},
    headline="top1",
    steps=500,
    seconds=61.5,
    report=Path("runs/photos/report.html"),
)


def test_other_processes_are_told_the_same() -> None:
    assert TrainResult.from_json(RESULT.to_json()) == RESULT


def test_the_conclusion_names_figure_pictures_and_what_to_do_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    conclude(RESULT, Voice())

    said = capsys.readouterr().err
    assert "top-1 0.9000 on 1,200 test pictures (95 % interval 0.8800 to 0.9200)" in said
    assert "runs/photos/report.html" in said
    assert "saccade predict runs/photos PICTURES" in said


@pytest.mark.parametrize(
    ("job", "command"),
    [
        ("video", "saccade predict runs/photos CLIPS --out"),
        ("pretrain", "saccade train LABELLED_PICTURES --init runs/photos"),
        ("generate", "saccade generate runs/photos --out"),
        ("embed", "saccade index runs/photos PICTURES"),
    ],
)
def test_what_to_do_next_is_what_the_job_is_for(
    job: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    conclude(replace(RESULT, job=job), Voice())

    said = capsys.readouterr().err
    assert command in said
    assert ("1,200 test clips" in said) == (job == "video")
