"""A training step with memory that is kept, and with memory that is given back each time.

vit-ti4 at 32 px, 128 pictures a step, bf16, one thread. The two take turns as processes of their
own, since what the C library was told cannot be taken back.

    python -m benchmarks page_faults 0 1 2 3 4        five pairs; three when nothing is said
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import torch

from benchmarks.harness import ROOT, save, spread
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.run.memory import keep_memory

BATCH, SIDE, WARM_UP, STEPS = 128, 32, 3, 6


def run(seeds: Sequence[int]) -> None:
    """Times both, in turn; the number of seeds is that of the repeats."""
    rows = [_measured(is_kept=is_kept) for _ in seeds for is_kept in (False, True)]
    given, kept = ([row for row in rows if row["is_kept"] is flag] for flag in (False, True))
    ratios = [a["cpu_seconds"] / b["cpu_seconds"] for a, b in zip(given, kept, strict=True)]
    save(
        "page_faults",
        command="python -m benchmarks page_faults",
        rows=rows,
        times_as_fast={"median": statistics.median(ratios), **spread(ratios)},
    )


def measure(*, is_kept: bool) -> dict[str, float]:
    """Seconds of processor time and page faults of a step, in this process."""
    torch.set_num_threads(1)
    if is_kept:
        keep_memory()
    model = build_backbone(model_config("vit-ti4"), in_channels=3).train()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    images = torch.randn(BATCH, 3, SIDE, SIDE)
    taken, faults = [], 0
    for step in range(WARM_UP + STEPS):
        before, start = _faults(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(images).x.float().square().mean()
        loss.backward()
        optimizer.step()
        if step >= WARM_UP:
            taken.append(time.process_time() - start)
            faults += _faults() - before
    return {"cpu_seconds": statistics.median(taken), "faults_a_step": faults / STEPS}


def _measured(*, is_kept: bool) -> dict[str, float | bool]:
    call = f"measure(is_kept={is_kept})"
    code = f"import json; from benchmarks.page_faults import measure; print(json.dumps({call}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return {"is_kept": is_kept, **json.loads(done.stdout.splitlines()[-1])}


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
