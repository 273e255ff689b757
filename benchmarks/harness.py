"""What every benchmark needs: data, the command line as a user types it, and a receipt."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from saccade.run.environment import describe

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "benchmarks" / "results"


def shared_data(name: str) -> Path:
    """A folder of the real data beside the repository.

    Raises:
        SystemExit: it is not there.
    """
    path = SHARED / name
    if not path.is_dir():
        raise SystemExit(f"this benchmark needs {path}, which is not here")
    return path


@contextmanager
def unzipped(archive: Path) -> Iterator[Path]:
    """An archive unpacked for a while."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
        yield Path(folder)


def saccade(*arguments: str) -> tuple[dict[str, Any], float]:
    """Runs the command line; returns its JSON document and the wall clock of the whole process."""
    command = [sys.executable, "-m", "saccade", *arguments, "--json", "--quiet"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout), seconds


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation and range."""
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else 0.0,
        "min": min(values),
        "max": max(values),
    }


def save(name: str, *, command: str, rows: Sequence[Mapping[str, Any]], **more: Any) -> None:
    """Writes ``results/NAME.json`` with what is needed to believe it, and prints the rows."""
    RESULTS.mkdir(exist_ok=True)
    about = describe(torch.device("cpu"), precision="see rows", attention="see rows")
    document = {
        "benchmark": name,
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": about,
        "rows": list(rows),
        **more,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")
    for row in rows:
        print(json.dumps(row))
    for key, value in more.items():
        print(key, json.dumps(value))


def commit() -> str:
    """The commit of the tree, with ``-dirty`` where it was changed."""
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT
    ).stdout.strip()
