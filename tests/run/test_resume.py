"""A run goes on where its newest whole checkpoint stands, and says which one was damaged."""

import json
from pathlib import Path

import torch

from saccade.run import checkpoint
from saccade.run.folder import RunFolder
from saccade.run.journal import Journal
from saccade.run.learner import Learner
from saccade.run.resume import resume
from saccade.run.state import RunState
from tests import tiny
from tests.run.test_journal import Ear


def learner() -> Learner:
    config = tiny.config("cnn-pico4")
    return Learner(tiny.task(config), config=config, device=torch.device("cpu"))


def resumed(path: Path) -> tuple[RunState | None, Learner]:
    made = learner()
    journal = Journal(path / "log.jsonl", Ear(), is_silent=False)
    return resume(RunFolder(path), made, journal), made


def save(path: Path, step: int, made: Learner, *, log_bytes: int = 0) -> None:
    state = RunState(planned_steps=9, step=step, log_bytes=log_bytes)
    checkpoint.save(path / "checkpoints", step=step, tensors=made.tensors(), state=state.to_json())


def test_without_a_checkpoint_the_log_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"kind": "train"}\n')

    state, _ = resumed(tmp_path)

    assert state is None
    assert (tmp_path / "log.jsonl").read_text() == ""


def test_weights_and_log_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    line = '{"kind": "train"}\n'
    (tmp_path / "log.jsonl").write_text(2 * line)
    made = learner()
    for parameter in made.task.parameters():
        torch.nn.init.constant_(parameter, 0.25)
    save(tmp_path, 4, made, log_bytes=len(line))

    state, found = resumed(tmp_path)

    assert state is not None
    assert state.step == 4
    assert tiny.same_bits(found.tensors(), made.tensors())
    assert (tmp_path / "log.jsonl").read_text() == line


def test_a_damaged_one_is_passed_over_and_named(tmp_path: Path) -> None:
    for step in (4, 8):
        save(tmp_path, step, learner())
    (tmp_path / "checkpoints" / "step-00000008" / "state.json").write_text("{}")

    state, _ = resumed(tmp_path)

    assert state is not None
    assert state.step == 4
    (note,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert "step-00000008 is damaged" in note["text"]
