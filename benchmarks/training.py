"""Trains through the command line, once per seed, and keeps accuracy and wall clock."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import saccade


def train_once(arguments: Sequence[str], seed: int) -> dict[str, Any]:
    """One run in a folder that is thrown away.

    Args:
        arguments: of ``saccade``, without ``--out`` and ``--seed``.
        seed: of everything random, the split included.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "run")
        result, seconds = saccade(*arguments, "--out", out, "--seed", str(seed))
        config = json.loads((Path(result["run"]) / "config.json").read_text())
        contract = json.loads((Path(result["run"]) / "contract.json").read_text())
        row = {
            "seed": seed,
            "model": contract["model_name"],
            "image_size": config["data"]["image_size"],
            "steps": result["steps"],
            "n": result["n"],
            **{name: round(value, 5) for name, value in result["metrics"].items()},
            "seconds": round(seconds, 1),
        }
        print(json.dumps(row), flush=True)  # a long benchmark may be cut off
        return row
