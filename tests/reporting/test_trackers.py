"""Figures reach other programs by name and step, and none of those ends a training."""

import importlib.util
import json
import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, cast

import pytest

import saccade
from saccade.errors import SaccadeError, UsageError
from saccade.reporting import trackers
from saccade.reporting.trackers import KEPT, Trackers, check_trackers
from tests import tiny

TRAIN = {"step": 5, "epoch": 0.5, "seconds": 3.0, "loss": 1.5, "lr": 0.1, "mfu": 0.4}
EVAL = {"step": 5, "epoch": 0.5, "seconds": 3.0, "split": "val", "metrics": {"top1": 0.75}}


class Remembering:
    """A tracker that keeps what it hears."""

    def __init__(self, run: Path, config: dict[str, Any], run_id: str) -> None:
        self.config, self.given_id, self.run_id = config, run_id, run_id or "new"
        self.heard: list[tuple[int, dict[str, float]]] = []
        self.is_closed = False

    def repeat(self, step: int) -> None:
        """Nothing is to be hidden."""

    def log(self, figures: dict[str, float], *, step: int) -> None:
        if step == 13:
            raise ConnectionError("no route")
        self.heard.append((step, dict(figures)))

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Remembering]:
    """The trackers that are opened, under the name of one that needs no package."""
    opened: list[Remembering] = []

    def opening(*arguments: Any) -> Remembering:
        opened.append(Remembering(*arguments))
        return opened[-1]

    monkeypatch.setitem(trackers.TRACKERS, "json", opening)  # a module that everybody has
    return opened


def scalars(run: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows."""
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )

    shown = EventAccumulator(str(run / "tensorboard")).Reload()
    return {
        name: [(event.step, event.value) for event in shown.Scalars(name)]
        for name in cast("list[str]", shown.Tags()["scalars"])
    }


def test_records_become_figures_by_name_and_step(tmp_path: Path, made: list[Remembering]) -> None:
    told = Trackers(tmp_path, {"data": {"size": 16}, "seed": 0}, ["json"], say=print)
    told.record("train", TRAIN)
    told.record("eval", EVAL)
    told.record("note", {"step": 5, "text": "something"})
    told.close()

    (tracker,) = made
    assert tracker.config == {"data.size": 16, "seed": 0}
    assert tracker.heard == [
        (5, {"train/loss": 1.5, "train/lr": 0.1, "speed/mfu": 0.4}),
        (5, {"val/top1": 0.75}),
    ]
    assert tracker.is_closed


def test_a_run_that_goes_on_tells_those_it_told_before(
    tmp_path: Path, made: list[Remembering]
) -> None:
    Trackers(tmp_path, {}, ["json"], say=print)
    Trackers(tmp_path, {}, [], say=print)

    assert [tracker.given_id for tracker in made] == ["", "new"]
    assert json.loads((tmp_path / KEPT).read_text()) == {"json": "new"}


def test_who_fails_hears_no_more_and_nothing_else_happens(
    tmp_path: Path, made: list[Remembering]
) -> None:
    said: list[str] = []
    told = Trackers(tmp_path, {}, ["json"], say=said.append)
    told.log({"a": 1.0}, step=13)
    told.log({"a": 1.0}, step=14)
    told.close()

    assert made[0].heard == []
    assert said == ["  json failed and hears no more of this run: no route"]


def test_who_does_not_begin_is_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Remembering:
        raise ConnectionError("no key")

    monkeypatch.setitem(trackers.TRACKERS, "json", refuse)
    with pytest.raises(SaccadeError, match=r"json does not begin: no key\..*--resume"):
        Trackers(tmp_path, {}, ["json"], say=print)
    assert not (tmp_path / KEPT).exists()


def test_a_run_goes_on_without_one_that_does_not_begin_again(
    tmp_path: Path, made: list[Remembering], monkeypatch: pytest.MonkeyPatch
) -> None:
    Trackers(tmp_path, {}, ["json"], say=print)

    def refuse(*_: Any) -> Remembering:
        raise ConnectionError("no route")

    said: list[str] = []
    with monkeypatch.context() as away:
        away.setitem(trackers.TRACKERS, "json", refuse)
        Trackers(tmp_path, {}, ["json"], say=said.append).log({"a": 1.0}, step=1)
    Trackers(tmp_path, {}, [], say=print)

    assert "json failed" in said[0]
    assert "no route" in said[0]
    assert [tracker.given_id for tracker in made] == ["", "new"]


def test_without_trackers_nothing_is_written(tmp_path: Path) -> None:
    Trackers(tmp_path, {}, [], say=print).record("train", TRAIN)
    assert list(tmp_path.iterdir()) == []


def test_unknown_and_missing_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no tracker 'wb'; there are tensorboard, wandb, mlflow"):
        check_trackers(["wb"])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"wandb is not installed; `pip install 'saccade\[wandb\]"):
        check_trackers(["wandb"])


def test_a_resumed_run_is_one_curve_in_tensorboard(tmp_path: Path) -> None:
    for losses in ({5: 3.0, 10: 2.0, 15: 1.0}, {10: 2.0, 15: 1.5}):  # killed, and back to 5
        told = Trackers(tmp_path, {}, ["tensorboard"], say=pytest.fail)
        for step, loss in losses.items():
            told.record("train", {"step": step, "loss": loss})
        told.close()

    assert scalars(tmp_path)["train/loss"] == [(5, 3.0), (10, 2.0), (15, 1.5)]


def test_the_last_figures_of_a_resumed_run_hide_none_that_are_not_told_again(
    tmp_path: Path,
) -> None:
    """As after a kill between the last step and the report: the last record comes but once."""
    killed = Trackers(tmp_path, {}, ["tensorboard"], say=pytest.fail)
    killed.record("train", TRAIN)
    killed.record("eval", EVAL)
    killed.close()
    for _ in range(2):  # and once more while it closed
        resumed = Trackers(tmp_path, {}, [], say=pytest.fail)
        resumed.log({"test/top1": 0.5}, step=5)
        resumed.close()

    found = scalars(tmp_path)
    assert found["train/loss"] == [(5, 1.5)]
    assert found["val/top1"] == [(5, 0.75)]
    assert set(found["test/top1"]) == {(5, 0.5)}


def test_training_waits_for_none_that_hangs(
    tmp_path: Path, made: list[Remembering], monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, said = threading.Event(), list[str]()
    monkeypatch.setattr(trackers, "CLOSING_SECONDS", 0.2)
    monkeypatch.setattr(Remembering, "log", lambda *_, **__: goes_on.wait())
    told = Trackers(tmp_path, {}, ["json"], say=said.append)
    told.record("train", TRAIN)
    told.record("eval", EVAL)
    told.close()

    assert said == [
        "  json failed and hears no more of this run: it does not end, and what it has not sent by "
        "now may be lost"
    ]
    assert not made[0].is_closed
    goes_on.set()


@pytest.mark.slow
def test_training_tells_tensorboard(tmp_path: Path) -> None:
    source = tiny.draw_folder(tmp_path / "pictures")
    result = saccade.train(
        source, tmp_path / "run", model="cnn-pico", steps=6, track=["tensorboard"],
        settings={"log_every": "3", "data.batch_size": "8"}, device="cpu", is_quiet=True,
    )  # fmt: skip
    found = scalars(result.run)

    assert [step for step, _ in found["train/loss"]] == [3, 6]
    assert found[f"test/{result.headline}"][-1][1] == pytest.approx(
        result.metrics[result.headline], abs=1e-6
    )


class FakeClient:
    """As much of MLflow's client as is used."""

    calls: ClassVar[list[tuple[Any, ...]]] = []

    def get_experiment_by_name(self, name: str) -> None:
        self.calls.append(("look", name))

    def create_experiment(self, name: str) -> str:
        return f"number of {name}"

    def create_run(self, experiment: str, run_name: str) -> Any:
        self.calls.append(("run", experiment, run_name))
        info = type("Info", (), {"run_id": "r1"})
        return type("Run", (), {"info": info})

    def log_param(self, *arguments: Any) -> None:
        self.calls.append(("param", *arguments))

    def log_metric(self, *arguments: Any, step: int) -> None:
        self.calls.append(("metric", *arguments, step))

    def set_terminated(self, run_id: str) -> None:
        self.calls.append(("end", run_id))


def test_mlflow_gets_parameters_once_and_metrics_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("mlflow")
    module.MlflowClient = FakeClient  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setattr(FakeClient, "calls", [])
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)

    first = trackers.MLflow(tmp_path / "run", {"seed": 0}, "")
    first.log({"train/loss": 1.0}, step=5)
    again = trackers.MLflow(tmp_path / "run", {"seed": 0}, first.run_id)
    again.close()

    assert FakeClient.calls == [
        ("look", "saccade"),
        ("run", "number of saccade", "run"),
        ("param", "r1", "seed", 0),
        ("metric", "r1", "train/loss", 1.0, 5),
        ("end", "r1"),
    ]


def test_wandb_goes_on_under_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, Any]] = []

    class Run:
        id = "w1"

        def log(self, figures: dict[str, float], step: int) -> None:
            calls.append(("log", (figures, step)))

        def finish(self) -> None:
            calls.append(("finish", None))

    def begin(**settings: Any) -> Run:
        calls.append(("init", settings))
        return Run()

    module = ModuleType("wandb")
    module.init = begin  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    for name in trackers.UNTOLD:
        monkeypatch.setenv(name, "")  # so that it is as before afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_CONSOLE", "wrap")  # a user's own wish
    tracker = trackers.WeightsAndBiases(tmp_path / "run", {"seed": 0}, "")
    tracker.log({"val/top1": 0.5}, step=7)
    trackers.WeightsAndBiases(tmp_path / "run", {"seed": 0}, tracker.run_id).close()

    untold = {name: os.environ[name] for name in trackers.UNTOLD}
    assert untold == trackers.UNTOLD | {"WANDB_CONSOLE": "wrap"}
    assert calls[0][1]["id"] is None
    assert calls[0][1]["project"] == "saccade"
    assert calls[1] == ("log", ({"val/top1": 0.5}, 7))
    assert calls[2][1]["id"] == "w1"
    assert calls[3] == ("finish", None)
