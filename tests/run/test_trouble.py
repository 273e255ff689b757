"""A step whose numbers are not finite moves nothing, and what follows is what was asked for."""

import json
from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.errors import SaccadeError, UsageError
from saccade.run.checkpoint import load_latest
from saccade.run.folder import RunFolder
from saccade.run.state import RunState
from saccade.run.train import train
from saccade.run.trouble import MOST_IN_A_ROW, OnNan, on_nan_named, what_happened
from saccade.tasks.build import AnyTask
from tests import tiny
from tests.tiny_loader import loader

NUM, BATCH = 48, 8


class Nobody:
    """Watches nothing."""

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        """Nothing."""

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Nothing."""


class Poisoned:
    """A task's loss that is NaN for some pictures, or runs out of memory for many at a time.

    Args:
        task: whose loss it is.
        poison: ids of pictures.
        most: pictures that there is memory for.
        after: calls before the poison works.
        until: calls after which it works no more.
        last: calls before the process is interrupted.
    """

    def __init__(
        self, task: AnyTask, *, poison: Set[int], most: int, after: int, until: int, last: int
    ) -> None:
        self.real, self.poison, self.most = task.loss, poison, most
        self.after, self.until, self.last = after, until, last
        self.sizes: list[int] = []

    def __call__(self, batch: Batch, *, progress: float) -> Mapping[str, Tensor]:
        self.sizes.append(len(batch))
        if len(self.sizes) > self.last:
            raise KeyboardInterrupt
        if len(batch) > self.most:
            raise torch.OutOfMemoryError("no room\nfor so much")
        losses = dict(self.real(batch, progress=progress))
        if self.after < len(self.sizes) <= self.until and not self.poison.isdisjoint(
            batch.ids.tolist()
        ):
            losses["loss"] = losses["loss"] * float("nan")
        return losses


def run(
    path: Path,
    config: RunConfig,
    *,
    poison: Set[int] = frozenset(),
    most: int = NUM,
    on_nan: OnNan = "stop",
    after: int = 0,
    until: int = 1000,
    last: int = 1000,
    seconds: float | None = None,
) -> tuple[RunState, Poisoned]:
    path.mkdir(exist_ok=True)
    task = tiny.task(config)
    loss = Poisoned(task, poison=poison, most=most, after=after, until=until, last=last)
    task.loss = loss  # pyrefly: ignore[bad-assignment]
    state = train(
        task,
        loader(num=NUM, batch_size=BATCH),
        loader(num=12, batch_size=BATCH),
        config=config,
        folder=RunFolder(path),
        header={"contract": "{}"},
        device=torch.device("cpu"),
        training_seconds=seconds,
        watcher=Nobody(),
        on_nan=on_nan,
    )
    return state, loss


def notes(path: Path) -> list[str]:
    records = [json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()]
    return [record["text"] for record in records if record["kind"] == "note"]


def config(*, steps: int = 12, save_every: int = 3) -> RunConfig:
    return tiny.config(
        "cnn-pico4", steps=steps, data__batch_size=str(BATCH), save_every=str(save_every)
    )


def test_stopping_names_the_step_and_the_pictures_and_saves_what_was_before(tmp_path: Path) -> None:
    with pytest.raises(
        SaccadeError, match=r"not finite at step \d.*train#5\b.*--on-nan skip"
    ) as it:
        run(tmp_path, config(), poison={5})

    step = int(str(it.value).partition("at step ")[2].partition(",")[0])
    found = load_latest(tmp_path / "checkpoints")
    assert found is not None
    assert found.state["step"] == step - 1
    assert all(torch.isfinite(tensor).all() for tensor in found.tensors.values())


def test_skipping_goes_on_without_the_batch_and_counts_it(tmp_path: Path) -> None:
    state, _ = run(tmp_path, config(), poison={5}, on_nan="skip")

    assert state.step == 12
    assert state.skipped == 2  # twelve steps of eight are two passes over 48
    assert state.progress == pytest.approx(1)
    assert all("train#5" in note and "skipped" in note for note in notes(tmp_path))
    weights = safetensors.torch.load_file(tmp_path / "last.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_a_skipped_step_leaves_no_trace_in_weights_and_statistics(tmp_path: Path) -> None:
    made = config(steps=1)
    with pytest.raises(SaccadeError, match="not finite at step 1"):
        run(tmp_path, made, poison=set(range(NUM)))

    found = load_latest(tmp_path / "checkpoints")
    assert found is not None
    fresh = tiny.task(made).state_dict()
    saved = {n.removeprefix("task/"): t for n, t in found.tensors.items() if n.startswith("task/")}
    assert tiny.same_bits(saved, {name: tensor.contiguous() for name, tensor in fresh.items()})


def test_a_stopped_run_goes_on_with_skipping_as_if_it_had_skipped_at_once(tmp_path: Path) -> None:
    run(tmp_path / "whole", config(), poison={5}, on_nan="skip")
    with pytest.raises(SaccadeError, match="not finite"):
        run(tmp_path / "stopped", config(), poison={5})

    run(tmp_path / "stopped", config(), poison={5}, on_nan="skip")

    whole, stopped = (
        (tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "stopped")
    )
    assert whole == stopped


def test_too_many_in_a_row_end_it(tmp_path: Path) -> None:
    with pytest.raises(SaccadeError, match=rf"{MOST_IN_A_ROW} steps before it were skipped too"):
        run(tmp_path, config(), poison=set(range(NUM)), on_nan="skip")


def test_rewinding_goes_back_and_on_with_other_pictures(tmp_path: Path) -> None:
    state, _ = run(tmp_path, config(save_every=2), poison={5}, on_nan="rewind")

    assert state.step == 12
    assert state.passed_over >= 1
    assert "with other pictures" in notes(tmp_path)[0]


def test_after_going_back_speed_is_measured_anew(tmp_path: Path) -> None:
    """The last record was of step 5; after the rewind from step 7 to 4 the next one is again."""
    often = replace(config(save_every=4), log_every=5)
    with pytest.raises(KeyboardInterrupt):  # so much time would be filled with steps
        run(
            tmp_path, often, poison=set(range(NUM)), after=6, until=7, on_nan="rewind", last=20,
            seconds=1e6,
        )  # fmt: skip

    assert "back to step 4" in notes(tmp_path)[0]
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    trained = [record for record in records if record["kind"] == "train"]
    assert [record["step"] for record in trained[:3]] == [5, 5, 10]
    assert all(record["images_per_second"] > 0 for record in trained)


def test_rewinding_without_a_checkpoint_is_hopeless(tmp_path: Path) -> None:
    with pytest.raises(SaccadeError, match="no checkpoint yet to go back to") as it:
        run(tmp_path, config(save_every=100), poison={5}, on_nan="rewind")
    assert "is intact" not in str(it.value)


def test_rewinding_again_and_again_is_hopeless(tmp_path: Path) -> None:
    with pytest.raises(SaccadeError, match="going back to step 3 did not help"):
        run(tmp_path, config(), poison=set(range(NUM)), after=4, on_nan="rewind")


def test_going_back_forgets_no_weights_that_were_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    figures = iter([1.0, 0.1, 0.5, 0.4])  # after steps 4 and 8, and after 8 and 12 of another way
    best: list[bytes] = []

    def scripted(*_: Any, **__: Any) -> dict[str, float]:
        best.append((tmp_path / "weights.safetensors").read_bytes() if best else b"")
        return {"log_loss": next(figures)}

    monkeypatch.setattr("saccade.run.loop.evaluate", scripted)
    config = tiny.config(steps=12, evaluate_every="4", save_every="6", log_every="6")
    everything = frozenset(range(NUM))
    state, _ = run(tmp_path, config, poison=everything, on_nan="rewind", after=9, until=10)

    assert (state.best_figure, state.best_step) == (0.1, 8)
    assert (tmp_path / "weights.safetensors").read_bytes() == best[2] != best[1]


def test_a_run_killed_after_it_went_back_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    run(tmp_path / "whole", config(save_every=2), poison={5}, on_nan="rewind")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", config(save_every=2), poison={5}, on_nan="rewind", last=7)

    run(tmp_path / "killed", config(save_every=2), poison={5}, on_nan="rewind")

    whole, killed = (
        (tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "killed")
    )
    assert whole == killed


def test_out_of_memory_halves_the_pictures_at_a_time_and_not_the_step(tmp_path: Path) -> None:
    state, loss = run(tmp_path, config(), most=3)

    assert state.step == 12
    assert state.micro_batch == 2
    assert loss.sizes[:6] == [8, 4, 2, 2, 2, 2]
    assert set(loss.sizes[6:]) == {2}
    assert ["4 pictures are computed at a time" in note for note in notes(tmp_path)] == [
        True,
        False,
    ]


def test_out_of_memory_with_one_picture_says_what_to_lower(tmp_path: Path) -> None:
    with pytest.raises(SaccadeError, match=r"one picture alone.*data\.image_size.*no room\)"):
        run(tmp_path, config(), most=0)


def test_an_answer_of_another_name_is_refused_with_the_nearest() -> None:
    assert on_nan_named("skip") == "skip"
    with pytest.raises(UsageError, match="did you mean 'rewind'"):
        on_nan_named("rewnd")


def test_a_long_list_of_pictures_is_cut() -> None:
    text = what_happened(["loss"], step=3, pictures=[f"{i}.png" for i in range(20)])

    assert text.startswith("loss is not finite at step 3, of 0.png")
    assert text.endswith("7.png and 12 more")
