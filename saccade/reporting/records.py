"""What a run folder holds, read as it is: half written, without evaluation, or complete."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from saccade.errors import UsageError
from saccade.reporting.wording import Number, things_of

Json = dict[str, Any]

_SPLITS = ("test", "val", "train")  # the better witness first: val chose the weights


@dataclass(frozen=True, kw_only=True)
class RunRecords:
    """The records of a run; what is absent is empty, so that a page can be made at any time.

    Attributes:
        path: the run folder.
        config, contract, environment: the files of that name.
        training: the ``train`` lines of the log, by rising step; after a resume the newer of two.
        evaluations: the ``eval`` lines on val, likewise.
        notes: the log's ``note`` lines, as they stand.
        planned_steps: steps to make, with the newest correction; None when unknown.
        results: ``evaluation/<split>.json`` by split.
        beside: ``evaluation/teacher.json``: a table of student and teacher; empty without one.
        pictures: ``pictures/index.json``: entries by gallery, of a classifier.
        galleries: the same of other jobs: title, text and entries by gallery; see outcome.py.
        poor: ``evaluation/poor.json``, which ``stress`` leaves.
        unreadable: one sentence for each thing that is there but could not be read.
    """

    path: Path
    config: Json
    contract: Json
    environment: Json
    training: tuple[Json, ...]
    evaluations: tuple[Json, ...]
    notes: tuple[Json, ...]
    planned_steps: int | None
    results: dict[str, Json]
    beside: Json
    pictures: dict[str, list[Json]]
    galleries: dict[str, Json]
    poor: Json
    unreadable: tuple[str, ...]

    @property
    def job(self) -> str:
        """What was learned; what does not say is from before there were other jobs."""
        return str(self.contract.get("job") or self.config.get("job") or "classify")

    @property
    def things(self) -> str:
        """What was learned from: clips or pictures."""
        return things_of(self.job)

    @property
    def class_names(self) -> list[str]:
        """The K classes in the model's order; empty when unknown."""
        return [str(name) for name in self.contract.get("class_names", [])]

    @property
    def is_converted(self) -> bool:
        """Whether these are weights from elsewhere in a run folder, and nothing was trained."""
        return bool(self.contract.get("origin")) and self.config.get("steps") == 0

    @property
    def is_unlabelled(self) -> bool:
        """Whether a teacher's answers stand in for labels."""
        return self.job == "classify" and self.config.get("teach", {}).get("has_labels") is False

    @property
    def final_split(self) -> str | None:
        """``test``, or ``val`` where nothing was held out for testing; None before evaluation."""
        return next((split for split in _SPLITS if self.results.get(split, {}).get("n")), None)

    @property
    def last_step(self) -> int:
        """The last step that the log knows; 0 before the first."""
        return max((int(line["step"]) for line in self.training + self.evaluations), default=0)

    @property
    def seconds(self) -> Number | None:
        """Training time up to the last line of the log; None before the first."""
        times = [line["seconds"] for line in self.training + self.evaluations if "seconds" in line]
        return max(times, default=None)


def read_records(run: Path) -> RunRecords:
    """Reads a run folder.

    Args:
        run: the folder.

    Raises:
        UsageError: there is no such folder.
    """
    if not run.is_dir():
        raise UsageError(f"there is no run folder {run}; give the folder that training made")
    trouble: list[str] = []
    log = _read_log(run / "log.jsonl", trouble)
    config = _read_json(run / "config.json", trouble, form=Json)
    plans = [line.get("planned_steps") for line in log if line.get("kind") == "plan"]
    pictures = _read_json(run / "pictures" / "index.json", trouble, form=_PICTURES)
    results = {
        s: _read_json(run / "evaluation" / f"{s}.json", trouble, form=_Result) for s in _SPLITS
    }
    return RunRecords(
        path=run,
        config=config,
        contract=_read_json(run / "contract.json", trouble, form=_Contract),
        environment=_read_json(run / "environment.json", trouble, form=Json),
        training=_by_step(log, kind="train"),
        evaluations=_by_step([x for x in log if x.get("split", "val") == "val"], kind="eval"),
        notes=tuple(line for line in log if line.get("kind") == "note"),
        planned_steps=([config.get("steps"), *plans])[-1],
        results={split: result for split, result in results.items() if result},
        beside=_read_json(run / "evaluation" / "teacher.json", trouble, form=_Beside),
        pictures={name: list(e or []) for name, e in pictures.items() if not isinstance(e, dict)},
        galleries={name: e for name, e in pictures.items() if isinstance(e, dict)},
        poor=_read_json(run / "evaluation" / "poor.json", trouble, form=_Poor),
        unreadable=tuple(trouble),
    )


class _Contract(msgspec.Struct):
    """What the page takes from a contract; each part may be absent."""

    data: Json = {}
    class_names: list[str] = []
    preprocess: Json = {}
    origin: Json | None = None
    teacher: Json | None = None
    num_parameters: int | None = None


class _Estimate(msgspec.Struct):
    value: float | None
    low: float | None
    high: float | None


class _Table(msgspec.Struct):
    columns: list[str] = []
    rows: list[list[Any]] = []


class _Beside(_Table):
    agreement: float | None = None


class _Result(msgspec.Struct):
    """What the page takes from the figures of a split."""

    n: int = 0
    metrics: dict[str, _Estimate] = {}
    headline: Json = {}
    tables: list[_Table] = []
    notes: list[Any] = []
    per_class: list[Json] = []
    confusion: list[list[int]] = []
    reliability: list[Json] = []


class _PoorKind(msgspec.Struct):
    kind: str
    values: list[float]
    is_like_augmentation: bool


class _Poor(msgspec.Struct):
    """What the page takes from the figures on poor pictures."""

    n: int
    metric: str
    clean: _Estimate
    mean: float
    mean_new: float | None
    kinds: list[_PoorKind]


class _Gallery(msgspec.Struct):
    entries: list[Json] = []


class _Line(msgspec.Struct):
    """What the page takes from a line of the log."""

    kind: str
    step: int | None = None
    seconds: float | None = None
    metrics: dict[str, float | None] = {}


_PICTURES = dict[str, _Gallery | list[Json] | None]


def _read_json(path: Path, trouble: list[str], *, form: Any) -> Json:
    """A file of this form; nothing where it is absent, or of another, which is then said."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        msgspec.convert(found, form)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):  # msgspec's errors are ValueErrors
        trouble.append(f"{path.name} could not be read and is left out.")
        return {}
    return found


def _read_log(path: Path, trouble: list[str]) -> list[Json]:
    if not path.is_file():
        return []
    lines, broken = [], 0
    # A power cut can leave half a line, and half a character in it.
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
            msgspec.convert(line, _Line)
        except ValueError:
            broken += 1
            continue
        lines.append(line)
    if broken:
        trouble.append(f"{broken} line(s) of log.jsonl cannot be read and are left out.")
    return lines


def _by_step(log: list[Json], *, kind: str) -> tuple[Json, ...]:
    of_kind = [line for line in log if line["kind"] == kind and line.get("step") is not None]
    found = {line["step"]: line for line in of_kind}
    return tuple(found[step] for step in sorted(found))
