"""How the model was made, and what to do with it next."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from saccade.reporting.records import Json, RunRecords
from saccade.reporting.wording import count, plain, things_of


class Table(NamedTuple):
    """Names and values, both as text."""

    title: str
    rows: list[tuple[str, str]]


class Step(NamedTuple):
    """One thing to do next: what it does, as a command, in Python."""

    what: str
    command: str
    python: str


@dataclass(frozen=True, kw_only=True)
class Making:
    """The last two sections.

    Attributes:
        tables: facts, preprocessing, environment; then the config group by group.
        steps: what to do next.
    """

    facts: list[Table]
    settings: list[Table]
    steps: list[Step]


def making(records: RunRecords) -> Making:
    """Puts together what it takes to make the model again."""
    contract = records.contract
    facts = {
        "model": contract.get("model_name"),
        **_origin(contract.get("origin") or {}),
        **_teacher(contract.get("teacher") or {}),
        "parameters": count(contract["num_parameters"]) if "num_parameters" in contract else None,
        "seed": contract.get("seed"),
        "data fingerprint": contract.get("data", {}).get("fingerprint") or None,
        "licence of the weights": contract.get("licence"),
        "saccade": contract.get("saccade"),
    }
    groups: dict[str, Json] = {"run": {}}
    for name, value in records.config.items():
        if isinstance(value, dict):
            groups[name] = {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            groups["run"][name] = value
    tables = [
        _table("This run", facts),
        _table("Preprocessing", contract.get("preprocess", {})),
        _table("Environment", records.environment),
    ]
    settings = [_table(title.capitalize(), group) for title, group in groups.items()]
    return Making(
        facts=[table for table in tables if table.rows],
        settings=[table for table in settings if table.rows],
        steps=_steps(records),
    )


def _table(title: str, values: dict[str, Any]) -> Table:
    # "cpu" and the like are plain words already; only underscores separate words.
    return Table(title, [(k, plain(v)) for k, v in values.items() if v is not None])


def _origin(origin: Json) -> Json:
    """The weights that training began with; empty for a training from scratch."""
    if not origin:
        return {}
    head = "with a new head" if origin.get("has_new_head") else "with its head"
    return {
        "began with": f"{origin.get('architecture')} ({origin.get('library')}), {head}",
        "its weights": origin.get("source"),
        "their SHA-256": origin.get("sha256"),
    }


def _teacher(teacher: Json) -> Json:
    """Who told it what to learn; empty for a training by labels alone."""
    if not teacher:
        return {}
    return {
        "taught by": f"{teacher.get('architecture')} ({teacher.get('library')})",
        "the teacher's weights": teacher.get("source"),
        "the teacher's SHA-256": teacher.get("sha256"),
    }


def _steps(records: RunRecords) -> list[Step]:
    run = str(records.path.resolve())
    source = str(records.contract.get("data", {}).get("source") or "SOURCE")
    run_arg, source_arg = shlex.quote(run), shlex.quote(source)
    noun = things_of(records.job)
    verb = "pretrain" if records.job == "pretrain" else "train"
    if records.contract.get("teacher"):
        verb = "distill"
    return [
        *_uses(records.job, run_arg, run),
        Step(
            f"Judge it on other {noun} of the same kind",
            f"saccade evaluate {run_arg} SOURCE",
            f'saccade.evaluate({run!r}, "SOURCE")',
        ),
        Step(
            "Learn from here on your own pictures",
            f"saccade train PICTURES --init {run_arg} --out runs/mine",
            f'saccade.train("PICTURES", "runs/mine", init={run!r})',
        )
        if records.is_converted
        else Step(
            "Go on after an interruption",
            f"saccade {verb} {source_arg} --out {run_arg} --resume",
            f"saccade.{verb}({source!r}, {run!r}, resume=True)",
        ),
        Step(
            "Write this page anew",
            f"saccade report {run_arg}",
            f"saccade.report({run!r})",
        ),
    ]


def first_use(job: str, run: Path) -> str:
    """The command that most people go on with."""
    return _uses(job, shlex.quote(str(run)), str(run))[0].command


def _uses(job: str, run_arg: str, run: str) -> list[Step]:
    """What a model of this job is for."""
    inputs = things_of(job).upper()
    explain = Step(
        "See where it looks",
        f"saccade explain {run_arg} {inputs} --out overlays",
        f'saccade.explain({run!r}, "{inputs}", "overlays")',
    )
    predict = Step(
        f"Classify new {inputs.lower()}",
        f"saccade predict {run_arg} {inputs} --out predictions.csv",
        f'saccade.predict({run!r}, "{inputs}", "predictions.csv")',
    )
    draw = Step(
        "Answer for new pictures, and draw what was found",
        f"saccade predict {run_arg} PICTURES --out predictions.jsonl --draw drawn",
        f'saccade.predict({run!r}, "PICTURES", "predictions.jsonl", draw="drawn")',
    )
    index = Step(
        "Search pictures with it",
        f"saccade index {run_arg} PICTURES --out index && saccade search index PICTURE",
        f'saccade.index({run!r}, "PICTURES", "index"); saccade.search("index", "PICTURE")',
    )
    generate = Step(
        "Make new pictures",
        f"saccade generate {run_arg} --out made --count 16",
        f'saccade.generate({run!r}, "made", count=16)',
    )
    translate = Step(
        "Translate new pictures",
        f"saccade translate {run_arg} PICTURES --out translated",
        f'saccade.translate({run!r}, "PICTURES", "translated")',
    )
    learn = Step(
        "Learn a job from here",
        f"saccade train LABELLED_PICTURES --init {run_arg} --out runs/mine",
        f'saccade.train("LABELLED_PICTURES", "runs/mine", init={run!r})',
    )
    return {
        "detect": [draw, explain],
        "segment": [draw, explain],
        "embed": [index, explain],
        "pretrain": [learn, index],
        "generate": [generate],
        "translate": [translate],
    }.get(job, [predict, explain])
