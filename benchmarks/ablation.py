"""What each part of the models is worth, when all get the same seconds of one thread.

    python -m benchmarks ablation                         trains what is not in --runs yet
    python -m benchmarks ablation --collect               the runs so far to results/ablation.json
    python -m benchmarks ablation --table                 that file as Markdown

Each run trains one case on one data set with one seed and adds a line to a file, so it can be
stopped at any time and started again. Seeds are the outermost loop and data sets the innermost:
whatever the machine does over the hours meets all cases alike, and half a file is a fair half. Runs
of another length go to another file: ``--seconds 240 --runs long.jsonl --name ablation_long``.
"""

import argparse
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.ablation_cases import CASES
from benchmarks.ablation_table import markdown, summarise
from benchmarks.ablation_training import IMAGE_SIZES, Pictures, load_pictures, train_case
from benchmarks.harness import RESULTS, SHARED, commit, save
from saccade.run.device import Precision

PRECISION: Precision = "bf16"
"""1.2 to 2.8 times as many pictures a second as fp32 in five of the cases (one Zen 5 core)."""


class Run(NamedTuple):
    """One line of the file to be."""

    case: str
    data: str
    seed: int


def main(arguments: Sequence[str]) -> None:
    """Trains, collects or prints, as the command line says."""
    options = _parser().parse_args(arguments)
    if options.table:
        print(markdown(json.loads((RESULTS / f"{options.name}.json").read_text())))
        return
    if not options.collect:
        done = _done(options.runs, seconds=options.seconds)
        todo = [run for run in plan(options.cases, options.dataset, options.seeds)
                if run not in done]  # fmt: skip
        print(f"{len(todo)} runs of {options.seconds:g} s, {len(done)} are done", flush=True)
        _train_all(todo, options)
    collect(options.runs, name=options.name)


def plan(cases: Sequence[str], data: Sequence[str], seeds: Sequence[int]) -> list[Run]:
    """Every run, in the order in which they are made."""
    return [Run(case, name, seed) for seed in seeds for case in cases for name in data]


def collect(runs: Path, *, name: str) -> None:
    """Writes ``results/NAME.json`` from the lines of a file."""
    rows = read_runs(runs)
    lengths = {row["seconds"] for row in rows}
    if len(lengths) != 1:
        raise SystemExit(f"{runs} has runs of {sorted(lengths)} seconds; a table is of one length")
    save(
        name,
        command="python -m benchmarks ablation",
        rows=rows,
        trained_at=sorted({row["commit"] for row in rows}),
        summary=summarise(rows),
    )


def read_runs(path: Path) -> list[dict[str, Any]]:
    """The lines of a file; a last one that was cut off is left out."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True)
            if line.endswith("\n")]  # fmt: skip


def _train_all(todo: Sequence[Run], options: argparse.Namespace) -> None:
    _cut_off_the_unfinished(options.runs)
    for run, figures in _trained(todo, options):
        row = {
            **run._asdict(),
            "seconds": options.seconds,
            "precision": PRECISION,
            "commit": commit(),
            **figures,
        }
        with options.runs.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


def _trained(
    todo: Sequence[Run], options: argparse.Namespace
) -> Iterator[tuple[Run, dict[str, object]]]:
    """Runs and their figures as they are done, here or in several processes."""
    if options.workers == 1:
        for run in todo:
            yield run, _train(run, options.shared, options.seconds)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context) as pool:
        jobs = {pool.submit(_train, run, options.shared, options.seconds): run for run in todo}
        for job in as_completed(jobs):
            yield jobs[job], job.result()


def _train(run: Run, shared: Path, seconds: float) -> dict[str, object]:
    pictures = _pictures(run.data, shared)
    return train_case(run.case, pictures, seed=run.seed, seconds=seconds, precision=PRECISION)


@cache
def _pictures(name: str, shared: Path) -> Pictures:
    return load_pictures(name, shared)


def _cut_off_the_unfinished(path: Path) -> None:
    """Leaves whole lines, so that the next one starts on its own."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if line.endswith("\n")))


def _done(path: Path, *, seconds: float) -> set[Run]:
    return {
        Run(row["case"], row["data"], row["seed"])
        for row in read_runs(path)
        if (row["seconds"], row["precision"]) == (seconds, PRECISION)
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks ablation")
    parser.add_argument("--dataset", nargs="+", choices=IMAGE_SIZES, default=[*IMAGE_SIZES])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=[*CASES], metavar="CASE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=40.0, help="of CPU time for each run")
    parser.add_argument("--workers", type=int, default=1, help="runs at a time, a thread each")
    parser.add_argument("--runs", type=Path, default=Path("ablation.jsonl"), help="one run a line")
    parser.add_argument("--shared", type=Path, default=SHARED, help="where the data sets lie")
    parser.add_argument("--name", default="ablation", help="of the file in results/")
    parser.add_argument("--collect", action="store_true", help="write results/NAME.json and end")
    parser.add_argument("--table", action="store_true", help="print results/NAME.json as Markdown")
    return parser
