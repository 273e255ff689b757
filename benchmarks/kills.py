"""Trainings killed 200 times with SIGKILL and resumed, beside one that never stopped.

    python -m benchmarks kills 100        so many kills of each kind; 100 when nothing is said

Half of the kills come at any moment of a process: while it starts, reads, trains or saves. The
other half come inside a save, before one of the things it does to the disk: making a folder,
writing, fsync, the rename, the sync of the folder above. After each kill the newest checkpoint is
read as a resume would, and what was lost is counted. At its end each run is compared with the one
that never stopped: every tensor of the last checkpoint and of both weights files to the bit, the
state, and the log but for its clocks.

A checkpoint is written while training goes on, so what a kill can lose is the interval and the
steps that were made while the newest one was being written.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.harness import ROOT, save
from saccade.run.checkpoint import load_latest
from saccade.run.folder import RunFolder

NUM_KILLS = 100
STEPS, SAVE_EVERY, MOMENTS = 600, 10, 45
LIFE_SECONDS = 1.0  # of training before a kill, at most
CLOCKS = {
    "seconds", "images_per_second", "step_seconds", "data_wait", "memory_gib", "mfu", "log_bytes",
}  # fmt: skip

INSIDE = """
import os, runpy, signal, sys, threading
from pathlib import Path

moment, done = int(sys.argv.pop(1)), 0

def wrap(owner, name):
    real = getattr(owner, name)
    def counted(*args, **kwargs):
        global done
        if threading.current_thread().name.startswith("saccade-save"):
            if done == moment:
                print(f"died before {name}", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
        return real(*args, **kwargs)
    setattr(owner, name, counted)

for owner, names in ((os, "fsync open mkdir rename rmdir unlink"), (Path, "open mkdir rename")):
    for name in names.split():
        wrap(owner, name)
runpy.run_module("saccade", run_name="__main__", alter_sys=True)
"""
"""saccade as it is, which dies before operation number so and so of the thread that saves."""


def run(seeds: Sequence[int]) -> None:
    """Kills until there were enough of each kind; the number given says how many."""
    wanted = seeds[0] if len(seeds) == 1 else NUM_KILLS
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        source = write_digits(folder / "digits")
        whole = RunFolder(folder / "whole")
        _finish(_command(source, whole))
        kinds = cycle(["at any moment", "inside a save"])
        rows, endings = [], []
        while len(rows) < 2 * wanted:
            killed = RunFolder(folder / f"killed-{len(endings)}")
            rows += list(islice(_kills(source, killed, kinds), 2 * wanted - len(rows)))
            # A first process may have died before it made the folder.
            _finish(_command(source, killed, is_resumed=killed.contract.exists()))
            endings.append(difference(killed, whole))
            print(f"{len(rows)} kills, {len(endings)} runs: {endings[-1] or 'equal'}", flush=True)
    save(
        "kills",
        command="python -m benchmarks kills",
        rows=[_summary(kind, rows) for kind in ("at any moment", "inside a save")],
        runs=len(endings),
        runs_that_differ=[ending for ending in endings if ending],
        interval=SAVE_EVERY,
    )


def write_digits(folder: Path) -> Path:
    """300 handwritten digits of scikit-learn, a folder for each class."""
    digits = load_digits()
    for i, (pixels, label) in enumerate(zip(digits.images[:300], digits.target, strict=False)):
        path = folder / str(label) / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).resize((16, 16)).save(path)
    return folder


def difference(run: RunFolder, whole: RunFolder) -> str:
    """The first thing in which two finished runs differ; "" when there is none."""
    for a, b in ((run.weights, whole.weights), (run.last_weights, whole.last_weights)):
        if not _same(safetensors.torch.load_file(a), safetensors.torch.load_file(b)):
            return a.name
    found, expected = load_latest(run.checkpoints), load_latest(whole.checkpoints)
    assert found is not None
    assert expected is not None
    if not _same(found.tensors, expected.tensors):
        return "tensors of the checkpoint"
    if _timeless(found.state) != _timeless(expected.state):
        return "state of the checkpoint"
    if [*map(_timeless, _log(run))] != [*map(_timeless, _log(whole))]:
        return "log"
    return ""


def _kills(source: Path, run: RunFolder, kinds: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Kills a run again and again until it has come to its end."""
    rng = random.Random(len(run.path.name))
    saved = 0
    for kind in kinds:
        start = ["-c", INSIDE, str(rng.randrange(MOMENTS))] if kind == "inside a save" else None
        command = _command(source, run, is_resumed=run.contract.exists(), start=start)
        child = subprocess.Popen(
            command, cwd=ROOT, env=_environment(), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if start is None:
            _wait(run, child, rng)
            child.send_signal(signal.SIGKILL)
        said, _ = child.communicate()
        if child.returncode != -signal.SIGKILL:
            return  # it was at its end before it could be killed
        made = max((record.get("step", 0) for record in _log(run)), default=0)
        found = load_latest(run.checkpoints)
        step = 0 if found is None else found.state["step"]
        yield {
            "kind": kind,
            "moment": said.strip() or "signal",
            "lost": made - step,
            "damaged": 0 if found is None else len(found.damaged),
            "went_back": step < saved,
        }
        saved = step


def _wait(run: RunFolder, child: subprocess.Popen[str], rng: random.Random) -> None:
    """Until some moment: one in five while the process starts, the others while it trains."""
    if rng.random() > 0.2:
        before = run.log.stat().st_size if run.log.exists() else 0
        while child.poll() is None and (not run.log.exists() or run.log.stat().st_size == before):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, LIFE_SECONDS))
    else:
        time.sleep(rng.uniform(0, 5))


def _summary(kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    own = [row for row in rows if row["kind"] == kind]
    return {
        "kind": kind,
        "kills": len(own),
        "moments": dict(Counter(row["moment"] for row in own)),
        "newest_unreadable": sum(row["damaged"] for row in own),
        "went_back": sum(row["went_back"] for row in own),
        "most_lost": max(row["lost"] for row in own),
        "lost_more_than_the_interval": sum(row["lost"] > SAVE_EVERY for row in own),
    }


def _command(
    source: Path, run: RunFolder, *, is_resumed: bool = False, start: list[str] | None = None
) -> list[str]:
    command = [sys.executable, *(start or ["-m", "saccade"]), "train", str(source)]
    command += ["--out", str(run.path), "--device", "cpu", "--quiet"]
    if is_resumed:
        return [*command, "--resume"]
    settings = {
        "precision": "fp32", "data.batch_size": 32, "data.num_threads": 1, "log_every": 1,
        "save_every": SAVE_EVERY, "evaluate_every": 100, "model.drop_path": 0.1,
    }  # fmt: skip
    sets = [f"--set={name}={value}" for name, value in settings.items()]
    return [*command, "--model", "rag-pico4", "--steps", str(STEPS), *sets]


def _finish(command: list[str]) -> None:
    subprocess.run(command, check=True, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL)


def _environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}  # sums depend on how they are split


def _log(run: RunFolder) -> list[dict[str, Any]]:
    if not run.log.exists():
        return []
    lines = run.log.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in CLOCKS}


def _same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """To the bit; NaN equals NaN."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype
        and np.array_equal(a[name].numpy().view(np.uint8), b[name].numpy().view(np.uint8))
        if a[name].dim()
        else a[name].item() == b[name].item()
        for name in a
    )
