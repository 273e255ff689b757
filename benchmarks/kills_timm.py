"""The trainer of timm, killed with SIGKILL and resumed, beside one that never stopped.

    python -m benchmarks kills_timm PATH/TO/train.py [--kills 20]

``train.py`` lies in timm's repository, not in its package; it needs the extra ``parity``. The same
digits as in ``kills``, a small ViT, recovery checkpoints every two steps. A killed run goes on from
its newest file that loads, as its documentation has users do. Besides the resumed run a second one
that never stops is compared, which tells what of a difference is chance.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import ROOT, save
from benchmarks.kills import write_digits

EPOCHS = 30
RUN = """
import runpy, sys
from benchmarks.operators import declare_operators
declare_operators()
sys.argv = sys.argv[1:]
sys.path.insert(0, "")
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def main(arguments: Sequence[str]) -> None:
    """Two whole runs and a killed one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kills_timm")
    parser.add_argument("script", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for part in ("train", "validation"):
            write_digits(folder / "digits" / part)
        for name in ("whole", "again"):
            subprocess.run(_command(given.script, folder, name), check=True, **_quiet())
        kills, unreadable = _killed(given.script, folder, given.kills)
        row = {
            "kills": kills,
            "newest_unreadable": unreadable,
            "resumed_equals_whole": _same(folder, "killed", "whole"),
            "largest_difference": _difference(folder, "killed", "whole"),
            "whole_equals_whole_again": _same(folder, "again", "whole"),
        }
    save(
        "kills_timm",
        command="python -m benchmarks kills_timm train.py",
        rows=[row],
        timm=metadata.version("timm"),
    )


def _killed(script: Path, folder: Path, wanted: int) -> tuple[int, int]:
    rng = random.Random(0)
    kills = unreadable = 0
    while True:
        files = _newest_first(folder / "killed")
        readable = next((path for path in files if _loads(path)), None)
        unreadable += bool(files) and readable != files[0]
        command = _command(script, folder, "killed")
        if readable is not None:
            command += ["--resume", str(readable)]
        child = subprocess.Popen(command, **_quiet())
        if kills < wanted:
            _wait(child, folder / "killed", rng)
            child.send_signal(signal.SIGKILL)
        if child.wait() == 0:
            return kills, unreadable
        assert child.returncode == -signal.SIGKILL, "train.py failed by itself"
        kills += 1


def _wait(child: subprocess.Popen[Any], run: Path, rng: random.Random) -> None:
    """Until it has saved something new, and some moment more."""
    before = len(_newest_first(run)), max(map(_age, _newest_first(run)), default=0.0)
    while child.poll() is None and (
        (len(_newest_first(run)), max(map(_age, _newest_first(run)), default=0.0)) == before
    ):
        time.sleep(0.01)
    time.sleep(rng.uniform(0, 1))


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _newest_first(run: Path) -> list[Path]:
    return sorted(run.glob("*.pth.tar"), key=_age, reverse=True)


def _loads(path: Path) -> bool:
    try:
        _read(path)
    except Exception:
        return False
    return True


def _weights(folder: Path, name: str) -> dict[str, torch.Tensor]:
    return _read(folder / name / "last.pth.tar")["state_dict"]


def _read(path: Path) -> dict[str, Any]:
    return torch.load(path, weights_only=False)  # noqa: TID251 - pickles of this benchmark's making


def _same(folder: Path, name: str, other: str) -> bool:
    return _difference(folder, name, other) == 0


def _difference(folder: Path, name: str, other: str) -> float:
    a, b = _weights(folder, name), _weights(folder, other)
    return max((a[key] - b[key]).abs().max().item() for key in a)


def _command(script: Path, folder: Path, name: str) -> list[str]:
    options = {
        "data-dir": folder / "digits", "model": "vit_tiny_patch16_224", "img-size": 32,
        "num-classes": 10, "batch-size": 32, "epochs": EPOCHS, "warmup-epochs": 0, "workers": 1,
        "cooldown-epochs": 0, "device": "cpu", "output": folder, "experiment": name, "seed": 0,
        "recovery-interval": 2, "lr": "1e-3", "opt": "adamw", "checkpoint-hist": 2,
    }  # fmt: skip
    shape = ["--model-kwargs", "img_size=32", "patch_size=8", "depth=2"]
    written = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    return [sys.executable, "-c", RUN, str(script), *written, *shape]


def _quiet() -> dict[str, Any]:
    return {
        "cwd": ROOT,
        "env": os.environ | {"OMP_NUM_THREADS": "1"},
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
