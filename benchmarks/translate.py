"""Translation: the flow beside the one-step regression of the same network.

    python -m benchmarks translate                    trains what is not in --runs yet
    python -m benchmarks translate --collect          the runs so far to results/translate.json

Both are trained in one run on the same batches, and both are judged on the same test pairs by the
run's own observer. Each training is of a fixed number of steps and adds a line to a file.
"""

import argparse
import json
import resource
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.flow_sources import unzip_facades, write_digits, write_tinted
from benchmarks.harness import commit, saccade, save, spread

FIGURES = ("psnr", "ssim", "frechet", "kernel_distance")


class Case(NamedTuple):
    """One training; ``settings`` say what is to be undone."""

    source: str
    model: str
    steps: int
    settings: tuple[str, ...]


CASES = {
    "colourise": Case("tinted", "vit-pico4", 2000, ("task.edit.kind=colourise",)),
    "denoise": Case("digits", "vit-pico4", 2000, ("task.edit.kind=denoise", "task.edit.noise=0.4")),
    "facades": Case("facades", "vit-nano8", 2500, ("data.image_size=64", "data.batch_size=32")),
}


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    options = _parser().parse_args(arguments)
    if not options.collect:
        options.work.mkdir(parents=True, exist_ok=True)
        done = {(row["case"], row["seed"], row["steps"]) for row in _rows(options.runs)}
        for seed in options.seeds:
            for name in options.cases:
                if (name, seed, CASES[name].steps) not in done:
                    row = train_case(name, seed, work=options.work)
                    with options.runs.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(json.dumps(row), flush=True)
    rows = _rows(options.runs)
    columns = [prefix + figure for figure in FIGURES for prefix in ("", "regression_")]
    summary = {
        name: {
            column: spread([row[column] for row in rows if row["case"] == name])
            for column in (*columns, "cpu_seconds")
        }
        for name in dict.fromkeys(row["case"] for row in rows)
    }
    save("translate", command="python -m benchmarks translate", rows=rows, summary=summary)


def train_case(name: str, seed: int, *, work: Path) -> dict[str, Any]:
    """Trains flow and baseline; the run stays in the work folder, with its pictures."""
    case, run = CASES[name], work / f"{name}-{seed}"
    shutil.rmtree(run, ignore_errors=True)
    before = _cpu_seconds()
    trained, seconds = saccade(
        "train", str(_source(case.source, work)), "--job", "translate", "--out", str(run),
        "--model", case.model, "--steps", str(case.steps), "--seed", str(seed),
        *(f"--set={setting}" for setting in case.settings),
    )  # fmt: skip
    table = json.loads((run / "evaluation" / "test.json").read_text())["tables"][0]
    return {
        "case": name,
        "seed": seed,
        **case._asdict(),
        "n": trained["n"],
        **trained["metrics"],
        "rows": table["rows"],
        "cpu_seconds": round(_cpu_seconds() - before, 1),
        "seconds": round(seconds, 1),
        "commit": commit(),
    }


def _source(name: str, work: Path) -> Path:
    place = work / name
    if name == "facades":
        return place / "right-left" if place.exists() else unzip_facades(place)
    if place.exists():
        return place
    write = write_tinted if name == "tinted" else write_digits
    return write(place, side=16)


def _cpu_seconds() -> float:
    """Of all child processes so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks translate")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=[*CASES], metavar="CASE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--runs", type=Path, default=Path("translate.jsonl"), help="one run a line")
    parser.add_argument("--work", type=Path, default=Path("runs/translate"), help="sources, runs")
    parser.add_argument("--collect", action="store_true", help="write the results and end")
    return parser
