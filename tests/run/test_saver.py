"""What is saved is what there was when it was asked for, and no failure is lost."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from saccade.errors import SaccadeError
from saccade.run import checkpoint
from saccade.run.saver import Saver


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Nothing is written before this is set."""
    goes_on, real = threading.Event(), checkpoint.save

    def save(*args: Any, **kwargs: Any) -> None:
        assert goes_on.wait(20)
        real(*args, **kwargs)

    monkeypatch.setattr(checkpoint, "save", save)
    return goes_on


def steps(folder: Path) -> list[str]:
    return [path.name for path in checkpoint.checkpoints(folder)]


def test_training_goes_on_while_the_disk_works(tmp_path: Path, slow_disk: threading.Event) -> None:
    weight = torch.ones(3)
    with Saver(tmp_path) as saver:
        saver.save(step=1, tensors={"weight": weight}, state={"step": 1})
        weight.fill_(7.0)  # the next step of the training
        assert steps(tmp_path) == []
        slow_disk.set()

    found = checkpoint.load_latest(tmp_path)
    assert found is not None
    assert found.tensors["weight"].tolist() == [1, 1, 1]
    assert found.state == {"step": 1}


def test_one_is_written_after_the_other(tmp_path: Path) -> None:
    with Saver(tmp_path) as saver:
        for step in range(1, 6):
            saver.save(step=step, tensors={"weight": torch.ones(3)}, state={"step": step})

    assert steps(tmp_path) == ["step-00000004", "step-00000005"]


def test_a_failure_is_heard_as_soon_as_it_is_known(tmp_path: Path) -> None:
    with Saver(tmp_path / "file" / "below") as saver:
        (tmp_path / "file").write_text("no folder")
        saver.save(step=1, tensors={}, state={})
        with pytest.raises(SaccadeError, match="could not save step 1"):
            saver.finish()
        saver.look()  # said once


def test_a_failure_is_heard_at_the_end_at_the_latest(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(SaccadeError, match="could not save step 1"), Saver(tmp_path / "file") as it:
        it.save(step=1, tensors={}, state={})


def test_what_went_wrong_first_is_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    def fail() -> None:
        with Saver(tmp_path / "file") as saver:
            saver.save(step=1, tensors={}, state={})
            raise KeyError("first")

    with pytest.raises(KeyError, match="first"):
        fail()
