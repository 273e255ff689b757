"""How OpenMP's threads should wait for each other: training speed alone and in company.

``saccade`` sets ``GOMP_SPINCOUNT=1000`` unless the user has a wish of their own.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.harness import ROOT, save

SETTINGS = {
    "OpenMP's default": {},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "OMP_WAIT_POLICY=PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
}
ROUNDS = 3

TRAIN = """
import torch
from saccade.planning.classify import classify
from saccade.planning.facts import Facts
from saccade.planning.plan import preprocess_for
from saccade.planning.speed import seconds_per_step
facts = Facts(num_pictures=50_000, num_classes=10, side=28, is_grey=True, mean=(0.3,), std=(0.3,),
              mirror_ratio=1.0)
config = classify(facts, source="noise", model="rag-pico4", image_size=28, steps=1000,
                  budget_seconds=None, precision="bf16", num_threads=1, seed=0)
print(seconds_per_step(config, num_classes=10, preprocess=preprocess_for(config, facts),
                       device=torch.device("cpu"), batch_size=128, num_steps=20))
"""

BUSY = "while True: pass"


def run(seeds: Sequence[int]) -> None:
    """Times each setting in turn, so that a change of the machine's speed meets all of them."""
    del seeds
    rows = []
    for company in (0, 1):
        taken: dict[str, list[float]] = {name: [] for name in SETTINGS}
        busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(company)]
        try:
            for _ in range(ROUNDS):
                for name, setting in SETTINGS.items():
                    taken[name].append(_seconds(setting))
        finally:
            for process in busy:
                process.kill()
        fastest = min(statistics.median(times) for times in taken.values())
        for name, times in taken.items():
            rows.append(
                {
                    "busy_processes": company,
                    "setting": name,
                    "step_ms": round(statistics.median(times) * 1e3, 1),
                    "over_fastest": round(statistics.median(times) / fastest, 2),
                }
            )
    save("spinning", command="python -m benchmarks spinning", rows=rows)


def _seconds(setting: dict[str, str]) -> float:
    inherited = {
        k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
    }
    command = [sys.executable, "-c", TRAIN]
    done = subprocess.run(
        command, env=inherited | setting, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return float(done.stdout)
