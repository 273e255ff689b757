"""A disk that is full, or that changes what was on it, costs no more than the steps since a save.

Real processes of the real command line, whose checkpoints are written in the background.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import safetensors.torch

from saccade.run.checkpoint import TENSORS, checkpoints, load_latest
from tests import tiny

pytestmark = pytest.mark.slow

SETTINGS = {"model": "vit-pico4", "precision": "fp32", "save_every": "5"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.draw_folder(tmp_path_factory.mktemp("disk") / "pictures")


@pytest.fixture(scope="module")
def whole(source: Path) -> Path:
    """A run that nothing happened to."""
    out = source.parent / "whole"
    done = tiny.run_command(tiny.train_command(source, out, **SETTINGS))
    assert done.returncode == 0, done.stderr
    return out


def resume(
    source: Path, out: Path, *, largest_file: int | None = None
) -> subprocess.CompletedProcess[str]:
    command = tiny.command("train", source, "--out", out, "--resume", "--device", "cpu")
    return tiny.run_command(command, largest_file=largest_file)


def killed_after(step: int, source: Path, out: Path) -> None:
    """Begins a run, and kills it once it has saved that step."""
    child = subprocess.Popen(
        tiny.train_command(source, out, **SETTINGS),
        env=tiny.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 100
    try:
        while not any(int(path.name[5:]) >= step for path in checkpoints(out / "checkpoints")):
            assert child.poll() is None, "it came to its end first"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()


def require_equal(out: Path, whole: Path) -> None:
    for name in ("weights.safetensors", "last.safetensors"):
        found, expected = (safetensors.torch.load_file(run / name) for run in (out, whole))
        assert tiny.same_bits(found, expected), name


def test_a_full_disk_ends_the_training_with_advice_and_making_room_is_enough(
    source: Path, whole: Path
) -> None:
    out = source.parent / "full"
    killed_after(10, source, out)
    before = load_latest(out / "checkpoints")
    assert before is not None
    size = (checkpoints(out / "checkpoints")[-1] / TENSORS).stat().st_size

    full = resume(source, out, largest_file=size // 2)

    assert full.returncode == 1, full.stderr
    assert "Traceback" not in full.stderr
    assert "could not save step" in full.stderr
    assert f"the checkpoint step-{before.state['step']:08d} is intact" in full.stderr
    assert "continue with --resume" in full.stderr
    assert not list((out / "checkpoints").glob(".*")), "nothing half written is left"
    after = load_latest(out / "checkpoints")
    assert after is not None
    assert tiny.same_bits(after.tensors, before.tensors)

    assert resume(source, out).returncode == 0
    require_equal(out, whole)


def test_a_bit_that_turned_over_is_noticed_and_the_checkpoint_before_is_taken(
    source: Path, whole: Path
) -> None:
    out = source.parent / "flipped"
    killed_after(15, source, out)
    *_, older, newest = checkpoints(out / "checkpoints")
    content = bytearray((newest / TENSORS).read_bytes())
    content[-7] ^= 1
    (newest / TENSORS).write_bytes(content)

    done = resume(source, out)

    assert done.returncode == 0, done.stderr
    step = int(older.name[5:])
    said = f"{newest.name} is damaged and was passed over; resumed from step {step}"
    assert said in done.stderr
    notes = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert said in [note["text"] for note in notes if note["kind"] == "note"]
    require_equal(out, whole)
