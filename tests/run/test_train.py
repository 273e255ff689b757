"""The loop keeps its promises: figures, best weights, budgets, signals, a loss gone wrong."""

import json
import math
import os
import pkgutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from saccade.config.run import RunConfig
from saccade.errors import SaccadeError, Stopped
from saccade.run.checkpoint import load_latest
from saccade.run.evaluate import evaluate
from saccade.run.folder import RunFolder
from saccade.run.state import RunState
from saccade.run.stop import StopSignals
from saccade.run.train import train
from saccade.run.weights import load_weights
from tests import tiny
from tests.tiny_loader import loader


class Quiet:
    """Watches, and can be told to do something at a step."""

    def __init__(self, at: Mapping[int, Any] | None = None) -> None:
        self.at = at or {}
        self.kinds: list[str] = []

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        del figures
        if state.step in self.at:
            self.at[state.step]()

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        del fields
        self.kinds.append(kind)


def run(path: Path, config: RunConfig, *, seconds: float | None = None, **at: Any) -> RunState:
    path.mkdir(exist_ok=True)
    return train(
        tiny.task(config),
        loader(),
        loader(seed=1, num=12),
        config=config,
        folder=RunFolder(path),
        header={"contract": "{}"},
        device=torch.device("cpu"),
        training_seconds=seconds,
        watcher=at.get("watcher") or Quiet(),
    )


def log(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]


def test_records_come_when_they_are_due_and_at_the_end(tmp_path: Path):
    config = tiny.config(steps=20, log_every="6", evaluate_every="8", save_every="100")
    state = run(tmp_path, config)
    assert state.step == 20
    assert state.progress == pytest.approx(1)
    records = log(tmp_path)
    assert [r["step"] for r in records if r["kind"] == "train"] == [6, 12, 18]
    assert [r["step"] for r in records if r["kind"] == "eval"] == [8, 16, 20]
    assert all(math.isfinite(r["loss"]) for r in records if r["kind"] == "train")


def test_it_learns_red_from_green_from_blue(tmp_path: Path):
    run(tmp_path, tiny.config(steps=40, evaluate_every="40", optim__average="0.1"))
    assert log(tmp_path)[-1]["metrics"]["top1"] > 0.9


def test_weights_kept_are_those_of_the_best_evaluation(tmp_path: Path):
    config = tiny.config(steps=20, evaluate_every="4", optim__lr="0.02")
    state = run(tmp_path, config)
    figures = {r["step"]: r["metrics"]["log_loss"] for r in log(tmp_path) if r["kind"] == "eval"}
    assert state.best_figure == min(figures.values())
    assert figures[state.best_step] == state.best_figure
    task = tiny.task(config).eval()
    load_weights(tmp_path / "weights.safetensors", task)
    found = evaluate(
        task, loader(seed=1, num=12).batches(), config=config, device=torch.device("cpu")
    )
    assert found is not None
    assert found["log_loss"] == pytest.approx(state.best_figure, rel=1e-4)


def test_last_weights_are_the_averages_of_the_last_checkpoint(tmp_path: Path):
    run(tmp_path, tiny.config(steps=5))
    found = load_latest(tmp_path / "checkpoints")
    assert found is not None
    averages = {
        name.removeprefix("average/"): value
        for name, value in found.tensors.items()
        if name.startswith("average/")
    }
    last = safetensors.torch.load_file(tmp_path / "last.safetensors")
    assert tiny.same_bits(last, averages)


def test_two_runs_of_one_seed_are_equal_and_of_two_seeds_are_not(tmp_path: Path):
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        run(tmp_path / name, tiny.config(steps=6, seed=seed))
    a, b, c = ((tmp_path / name / "last.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_loss_that_is_not_finite_stops_the_run_with_advice(tmp_path: Path):
    config = tiny.config(steps=30, log_every="2", save_every="4", optim__lr="1e30")
    with pytest.raises(SaccadeError, match=r"not finite.*optim\.lr") as caught:
        run(tmp_path, config)
    assert caught.value.exit_code == 1


def test_a_loss_that_is_not_finite_never_passes_for_a_finished_run(tmp_path: Path):
    # Even when no record falls between the first bad step and the end.
    config = tiny.config(
        steps=30, log_every="1000", save_every="10", evaluate_every="10", optim__lr="1e30"
    )
    with pytest.raises(SaccadeError, match="not finite"):
        run(tmp_path, config)


def test_a_budget_bends_the_number_of_steps(tmp_path: Path):
    config = tiny.config(steps=100_000, log_every="2", evaluate_every="100000")
    state = run(tmp_path, config, seconds=1.0)
    assert 2 < state.step < 100_000
    assert state.progress == pytest.approx(1)
    plans = [r for r in log(tmp_path) if r["kind"] == "plan"]
    assert plans[-1]["planned_steps"] == state.step


def test_a_signal_saves_this_step_and_the_run_continues_to_the_same_end(tmp_path: Path):
    config = tiny.config(steps=12, log_every="5", evaluate_every="4", save_every="100")
    run(tmp_path / "whole", config)

    watcher = Quiet({7: lambda: os.kill(os.getpid(), signal.SIGTERM)})
    with pytest.raises(Stopped, match=r"stopped at step 7.*--resume") as caught:
        run(tmp_path / "stopped", config, watcher=watcher)
    assert caught.value.exit_code == 143
    found = load_latest(tmp_path / "stopped" / "checkpoints")
    assert found is not None
    assert found.state["step"] == 7
    assert run(tmp_path / "stopped", config).step == 12
    for name in ("weights.safetensors", "last.safetensors"):
        assert (tmp_path / "stopped" / name).read_bytes() == (
            tmp_path / "whole" / name
        ).read_bytes()


@pytest.mark.parametrize("place", ["checkpoint.save", "train.save_weights"])
def test_a_signal_while_the_last_step_is_saved_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
):
    name = f"saccade.run.{place}"
    save = pkgutil.resolve_name(name)

    def told(*args: Any, **fields: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        save(*args, **fields)

    monkeypatch.setattr(name, told)
    config = tiny.config(steps=3, evaluate_every="3", save_every="3")
    with pytest.raises(Stopped, match=r"stopped at step 3.*--resume") as caught:
        run(tmp_path, config)
    assert caught.value.exit_code == 143
    found = load_latest(tmp_path / "checkpoints")
    assert found is not None
    assert found.state["step"] == 3
    assert (tmp_path / "last.safetensors").exists()
    monkeypatch.undo()
    assert run(tmp_path, config).step == 3


def test_a_damaged_checkpoint_is_noted_in_the_log_and_the_end_is_the_same(tmp_path: Path):
    config = tiny.config(steps=12, log_every="4", evaluate_every="6", save_every="5")
    run(tmp_path / "whole", config)
    stopper = Quiet({11: lambda: (_ for _ in ()).throw(KeyboardInterrupt)})
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", config, watcher=stopper)
    newest = tmp_path / "killed" / "checkpoints" / "step-00000010"
    (newest / "tensors.safetensors").write_bytes(b"damaged")
    run(tmp_path / "killed", config)
    notes = [r["text"] for r in log(tmp_path / "killed") if r["kind"] == "note"]
    assert len(notes) == 1
    assert "step-00000010 is damaged" in notes[0]
    assert "step 5" in notes[0]
    assert (tmp_path / "killed" / "last.safetensors").read_bytes() == (
        tmp_path / "whole" / "last.safetensors"
    ).read_bytes()


def test_an_evaluation_that_a_signal_interrupts_has_no_figures():
    config = tiny.config()
    stop = StopSignals()
    stop.received = 15
    task = tiny.task(config).eval()
    found = evaluate(task, loader().batches(), config=config, device=torch.device("cpu"), stop=stop)
    assert found is None
