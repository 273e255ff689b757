"""Commands that ask a model: evaluate, predict and explain."""

import json
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

import saccade
from saccade.cli.answer import Answer, answering
from saccade.cli.options import Device, Json, Pictures, Quiet, Views, Weights
from saccade.errors import UsageError
from saccade.reporting.wording import things_of


def evaluate(
    run: Weights,
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="[WEIGHTS] SOURCE",
            help="Labelled pictures with the model's classes; a second model before them is "
            "compared with the first.",
        ),
    ],
    unknown: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Pictures of other things: how well does it tell that it knows none?"),
    ] = None,
    views: Views = 1,
    weights: Annotated[str, typer.Option(help="Of a run: best (by validation) or last.")] = "best",
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a model on pictures whose truth is known: figures with their 95 % intervals."""
    with answering(is_json=as_json) as answer:
        if len(source) > 1:
            _compare(answer, [run, *source], (unknown, weights), views, device, is_quiet=quiet)
            return
        result = saccade.evaluate(
            run,
            source[0],
            unknown=unknown,
            views=views,
            device=device,
            weights=weights,
            is_quiet=quiet,
        )
        lines = [f"{result.n:,} {things_of(result.job)} ({result.split})"]
        width = max(map(len, result.metrics))
        for name, value in result.metrics.items():
            low, high = result.intervals[name]
            interval = f"   {low:.4f} to {high:.4f}" if low < high else ""  # some have none
            lines.append(f"{name:<{width}} {value:.4f}{interval}")
        if result.details.get("temperature", 1.0) != 1.0:
            lines += _before_temperature(result.details)
        lines += _against_unknown(result.unknown)
        lines += [f"left out {name}: {reason}" for name, reason in result.bad.items()]
        document = {key: value for key, value in vars(result).items() if key != "details"}
        document |= {k: v for k, v in result.details.items() if k not in document}
        answer.give(document, text="\n".join(lines))


def predict(
    run: Weights,
    inputs: Pictures,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A .parquet, .csv or .jsonl table; JSON lines on stdout if left out."),
    ] = None,
    reject: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            help="Refuse what it knows little of: the share of known pictures that may be refused "
            "(0.05), by what was held out in training. The row says why."
        ),
    ] = None,
    reject_by: Annotated[
        str, typer.Option(help="knn (unlike the training pictures), probability or energy.")
    ] = "knn",
    views: Views = 1,
    draw: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A folder to make for the pictures with the answers drawn; needs --out."),
    ] = None,
    min_score: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            help="Of boxes and masks of objects, in table and drawings; left out, drawings begin "
            "at the run's own score, a table of boxes at 0.05."
        ),
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Answer for pictures: one row each, in input order."""
    with answering(is_json=as_json) as answer:
        if draw is not None and out is None:
            raise UsageError("--draw needs --out: give a table for the answers too")
        if out is not None:
            result = saccade.predict(
                run,
                inputs,
                out,
                draw=draw,
                min_score=min_score,
                reject=reject,
                reject_by=reject_by,
                views=views,
                device=device,
                is_quiet=quiet,
            )
            text = f"{result.n:,} rows in {result.out}, {result.num_errors} with an error"
            if reject is not None:
                text += f", {result.num_refused:,} refused"
            answer.give(result, text=text)
            return
        from saccade.verbs.predict import rows  # noqa: PLC0415 - keeps --help quick

        answers = rows(
            run,
            inputs,
            min_score=min_score,
            reject=reject,
            reject_by=reject_by,
            views=views,
            device=device,
            is_quiet=quiet,
        )
        if as_json:
            found = list(answers)
            answer.give({"run": run, "predictions": found}, text="")
            return
        for row in answers:
            typer.echo(json.dumps(row, ensure_ascii=False))


def explain(
    run: Weights,
    inputs: Pictures,
    out: Annotated[Path, typer.Option(help="The folder to make for the overlays.")],
    method: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="legrad, rollout or gradcam; those that suit the model if left out."),
    ] = None,
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The class to explain; the predicted one if left out."),
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what the model looked at: an overlay per picture and method."""

    def said(entry: dict[str, Any]) -> str:
        sure = "" if entry["probability"] is None else f" ({entry['probability']:.2f})"
        return f"{entry['label'] or entry['explained']}{sure}"

    with answering(is_json=as_json) as answer:
        result = saccade.explain(
            run, inputs, out, methods=method or (), label=label, device=device, is_quiet=quiet
        )
        lines = [
            f"{entry['path']}: {said(entry)}; {', '.join(entry['overlays'].values())}"
            for entry in result.pictures
        ]
        answer.give(result, text="\n".join(lines))


def _compare(
    answer: Answer,
    named: list[str],
    alone: tuple[Path | None, str],
    views: int,
    device: str | None,
    *,
    is_quiet: bool,
) -> None:
    """``evaluate`` with two models: which is better on these pictures."""
    from saccade.verbs.compare import table  # noqa: PLC0415 - keeps --help quick

    if len(named) > 3:
        raise UsageError(
            f"{len(named)} names were given ({', '.join(named)}); expected a model and a source, "
            "or two models and a source"
        )
    if alone != (None, "best"):
        raise UsageError("--unknown and --weights are for one model; leave them out to compare two")
    first, second, source = named
    result = saccade.compare(first, second, source, views=views, device=device, is_quiet=is_quiet)
    lines = [f"{result.n:,} pictures ({result.split}) that neither was trained on"]
    lines += table(result.differences, first=first, second=second)
    answer.give(result, text="\n".join([*lines, result.conclusion]))


def _before_temperature(details: dict[str, Any]) -> list[str]:
    """The figures that a temperature moves, as they were without it."""
    before = details["untempered"]["metrics"]
    named = ", ".join(
        f"{name} {before[name]['value']:.4f}"
        for name in ("ece", "ece_equal_mass", "log_loss", "brier")
    )
    return [f"at temperature {details['temperature']:.3f}; without it: {named}"]


def _against_unknown(rows: list[dict[str, Any]]) -> list[str]:
    """How well each score tells known pictures from unknown ones."""
    if not rows:
        return []
    lines = [f"told from {rows[0]['n']:,} unknown pictures"]
    for row in rows:
        area, passed = row["auroc"], row["fpr95"]
        lines.append(
            f"by {row['score']:<12} AUROC {area['value']:.4f}   {area['low']:.4f} to "
            f"{area['high']:.4f}   FPR95 {passed['value']:.4f}   {passed['low']:.4f} to "
            f"{passed['high']:.4f}"
        )
    return lines
