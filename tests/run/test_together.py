"""Two processes with half a batch each train as one with the whole, and survive what it does."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before there is a group; see saccade.run.world

from saccade.run.checkpoint import load_latest
from saccade.run.together import TaskLoss, exchange, together
from tests import tiny

pytestmark = pytest.mark.slow

# AdamW, since weights in parts cannot be moved by Muon, whose products in bf16 would also hide in
# their rounding whether two processes do what one does.
SETTINGS = {
    "model": "vit-pico4", "model__stem": "patches", "precision": "fp32", "optim__name": "adamw",
}  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.draw_folder(tmp_path_factory.mktemp("together") / "pictures")


@pytest.fixture(scope="module")
def alone(source: Path) -> Path:
    """A run of one process."""
    return finished(tiny.train_command(source, source.parent / "alone", **SETTINGS))


@pytest.fixture(scope="module")
def pair(source: Path) -> Path:
    """The same of two, which never stopped."""
    return finished(two(tiny.train_command(source, source.parent / "pair", **SETTINGS)))


def two(command: list[str], *more: str) -> list[str]:
    """The command, as two processes."""
    assert command[0] == sys.executable
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *more]
    return [sys.executable, *launch, *command[1:]]


def finished(command: list[str]) -> Path:
    done = tiny.run_command(command)
    assert done.returncode == 0, done.stderr
    return Path(command[command.index("--out") + 1])


def weights(run: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(run / "last.safetensors")


def require_close(one: Path, other: Path) -> None:
    found, expected = weights(one), weights(other)
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, atol=2e-5, rtol=1e-4)


def log(run: Path, kind: str) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [record for record in records if record["kind"] == kind]


def test_two_processes_train_as_one_does(alone: Path, pair: Path) -> None:
    require_close(pair, alone)
    for found, expected in zip(log(pair, "train"), log(alone, "train"), strict=True):
        for name in ("loss", "grad_norm", "lr"):
            assert found[name] == pytest.approx(expected[name], rel=1e-3), name
    assert json.loads((pair / "evaluation" / "test.json").read_text())["n"] > 0


@pytest.mark.parametrize("shard", ["false", "true"])
def test_figures_of_shares_are_those_of_the_weights_that_are_kept(source: Path, shard: str) -> None:
    """The report is made by the first process from the best weights, with all pictures."""
    out = source.parent / f"judged-{shard}"
    settings = SETTINGS | {"model": "cnn-pico4", "shard": shard, "steps": "18"}
    del settings["model__stem"]
    run = finished(two(tiny.train_command(source, out, **settings, data__batch_size="4")))

    kept = json.loads((run / "evaluation" / "val.json").read_text())["metrics"]["log_loss"]
    judged = [record["metrics"]["log_loss"] for record in log(run, "eval")]
    assert min(judged) == pytest.approx(kept["value"] if isinstance(kept, dict) else kept, rel=1e-6)


def test_weights_that_are_shared_out_learn_the_same(source: Path, alone: Path, pair: Path) -> None:
    settings = SETTINGS | {"shard": "true", "data__micro_batch": "5"}
    run = finished(two(tiny.train_command(source, source.parent / "shared", **settings)))

    require_close(run, alone)
    found, expected = (load_latest(each / "checkpoints") for each in (run, pair))
    assert found is not None
    assert expected is not None
    assert {k: v.shape for k, v in found.tensors.items()} == {
        k: v.shape for k, v in expected.tensors.items()
    }


@pytest.mark.parametrize("is_pair_first", [True, False])
def test_what_was_shared_out_one_goes_on_with_and_back(
    source: Path, alone: Path, *, is_pair_first: bool
) -> None:
    out = source.parent / f"shared-{is_pair_first}"
    begin = tiny.train_command(source, out, **SETTINGS, shard="true")
    go_on = tiny.command("train", source, "--out", out, "--resume", "--device", "cpu")
    stop(two(begin) if is_pair_first else begin, out)

    finished(go_on if is_pair_first else two(go_on))

    require_close(out, alone)


def test_only_the_first_speaks(source: Path) -> None:
    command = tiny.train_command(source, source.parent / "heard", **SETTINGS)
    done = tiny.run_command(two([*command, "--json"]))

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 40
    assert done.stderr.count("Training vit-pico4") == 1


def test_two_runs_of_two_processes_are_equal_to_the_bit(source: Path, pair: Path) -> None:
    again = finished(two(tiny.train_command(source, source.parent / "again", **SETTINGS)))

    assert tiny.same_bits(weights(again), weights(pair))


@pytest.mark.parametrize("is_pair_first", [True, False])
def test_what_two_have_saved_one_goes_on_with_and_back(
    source: Path, alone: Path, *, is_pair_first: bool
) -> None:
    out = source.parent / f"handed-{is_pair_first}"
    begin = tiny.train_command(source, out, **SETTINGS)
    go_on = tiny.command("train", source, "--out", out, "--resume", "--device", "cpu")
    stop(two(begin) if is_pair_first else begin, out)

    finished(go_on if is_pair_first else two(go_on))

    require_close(out, alone)


def test_a_killed_process_is_started_again_and_nothing_is_lost(source: Path, pair: Path) -> None:
    out = source.parent / "restarted"
    command = two(tiny.train_command(source, out, **SETTINGS), "--max-restarts=2")
    child = subprocess.Popen(
        command,
        env=tiny.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_checkpoint(out, child)
        os.kill(_second_process(child.pid), signal.SIGKILL)
        _, err = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 0, err
    assert tiny.same_bits(weights(out), weights(pair))


def test_parts_are_exchanged_with_the_last_of_them() -> None:
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        loss = together(TaskLoss(tiny.task(tiny.config("vit-pico4"))), torch.device("cpu"))
        with exchange(loss, is_due=False):
            assert not loss.require_backward_grad_sync
        with exchange(loss, is_due=True):
            assert loss.require_backward_grad_sync
    finally:
        dist.destroy_process_group()


def stop(command: list[str], out: Path) -> None:
    """Runs a command and ends it with a signal when it has saved something."""
    child = subprocess.Popen(
        command,
        env=tiny.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_checkpoint(out, child)
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode != 0
    assert load_latest(out / "checkpoints") is not None
    assert not (out / "last.safetensors").exists()


def _wait_for_checkpoint(out: Path, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 100
    while not list(out.glob("checkpoints/step-*")):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _second_process(launcher: int) -> int:
    """The worker of rank 1 among the launcher's children."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        environment = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        if b"RANK=1" in environment:
            return int(child)
    raise AssertionError("no process of rank 1")
