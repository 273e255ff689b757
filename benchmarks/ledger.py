"""Trainings as lines of a file: what is missing is run, what is there is collected.

Each line is one case with one seed, so a benchmark can be stopped and started again, run by several
processes at once, and summed up at any time. A line counts only while its case is what it was. What
is in the results already is not run again either.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.harness import SHARED, commit, save, spread

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a case is given to work with.

    Attributes:
        case: its name.
        seed: of whatever is random in it.
        work: a folder for what cases share or leave behind to be looked at.
        shared: where the real data lies.
    """

    case: str
    seed: int
    work: Path
    shared: Path


def run_cases(
    arguments: Sequence[str],
    *,
    benchmark: str,
    cases: Mapping[str, Any],
    train: Callable[[Training], Mapping[str, Any]],
    controls: Callable[[], Mapping[str, Any]] | None = None,
) -> None:
    """Runs what is missing in ``--runs``, or with ``--collect`` writes the results there are.

    Args:
        arguments: of the command line after the benchmark's name.
        benchmark: its name.
        cases: by name, whatever says what a case is: a line whose case was another is left out.
        train: one case, one seed -> its figures.
        controls: figures that no training and no seed changes.
    """
    options = _parser(benchmark, cases).parse_args(arguments)
    if not options.collect:
        options.work.mkdir(parents=True, exist_ok=True)
        options.runs.parent.mkdir(parents=True, exist_ok=True)
        for seed in options.seeds:
            for case in options.cases:
                if (case, seed) not in _known(benchmark, options.runs, cases):
                    work = Training(case=case, seed=seed, work=options.work, shared=options.shared)
                    row = _measured(train, work) | {"settings": _plain(cases[case])}
                    with options.runs.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                    print(json.dumps(row), flush=True)
        return
    known = _known(benchmark, options.runs, cases)
    rows = [
        known[case, seed] for case in cases for seed in sorted(s for c, s in known if c == case)
    ]
    save(
        benchmark,
        command=f"python -m benchmarks {benchmark}",
        rows=rows,
        trained_at=sorted({row["commit"] for row in rows}),
        summary=summary(rows),
        **({} if controls is None else {"controls": controls()}),
    )


def read(path: Path, cases: Mapping[str, Any]) -> list[Row]:
    """The lines of cases that are still what they were; a line cut short is passed over."""
    if not path.exists():
        return []
    lines = [line for line in path.read_text().splitlines() if line.endswith("}")]
    return [row for row in map(json.loads, lines) if _is_current(row, cases)]


def summary(rows: Iterable[Row]) -> dict[str, dict[str, dict[str, float]]]:
    """Of each case, the spread of each figure that all its rows have."""
    by_case: dict[str, list[Row]] = {}
    for row in rows:
        by_case.setdefault(row["case"], []).append(row)
    return {
        case: {
            name: spread([row[name] for row in of_case])
            for name in of_case[0]
            if name != "seed" and all(_is_figure(row.get(name)) for row in of_case)
        }
        for case, of_case in by_case.items()
    }


def cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _measured(train: Callable[[Training], Mapping[str, Any]], work: Training) -> Row:
    """A row: the figures, and what it took to get them."""
    cpu, start = cpu_seconds(), time.perf_counter()
    figures = {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in train(work).items()
    }
    taken = {
        "cpu_seconds": round(cpu_seconds() - cpu, 1),
        "seconds": round(time.perf_counter() - start, 1),
    }
    return {"case": work.case, "seed": work.seed, **taken, **figures, "commit": commit()}


def _known(benchmark: str, runs: Path, cases: Mapping[str, Any]) -> dict[tuple[str, int], Row]:
    """What was run here, or is in the results already, by case and seed."""
    path = harness.RESULTS / f"{benchmark}.json"
    published = json.loads(path.read_text())["rows"] if path.exists() else []
    rows = [row for row in published if _is_current(row, cases)] + read(runs, cases)
    return {(row["case"], row["seed"]): row for row in rows}


def _is_current(row: Row, cases: Mapping[str, Any]) -> bool:
    case = row.get("case")
    return case in cases and row.get("settings") == _plain(cases[case])


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(case: Any) -> Any:
    """As it comes back from a line."""
    return json.loads(json.dumps(asdict(case) if is_dataclass(case) else case))


def _parser(benchmark: str, cases: Mapping[str, Any]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {benchmark}")
    parser.add_argument("--cases", nargs="+", choices=[*cases], default=[*cases], metavar="CASE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--runs", type=Path, default=Path(f"runs/{benchmark}.jsonl"), help="one training a line"
    )
    parser.add_argument(
        "--work", type=Path, default=Path(f"runs/{benchmark}"), help="what is made on the way"
    )
    parser.add_argument("--shared", type=Path, default=SHARED, help="where the real data lies")
    parser.add_argument("--collect", action="store_true", help=f"write results/{benchmark}.json")
    return parser
