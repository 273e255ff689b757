"""Commands that ask a model: evaluate, predict and explain."""

import json
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import Device, Json, Pictures, Quiet, Weights
from saccade.errors import UsageError
from saccade.reporting.wording import things_of


def evaluate(
    run: Weights,
    source: Annotated[Path, typer.Argument(help="Labelled pictures with the model's classes.")],
    weights: Annotated[str, typer.Option(help="Of a run: best (by validation) or last.")] = "best",
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a model on pictures whose truth is known: figures with their 95 % intervals."""
    with answering(is_json=as_json) as answer:
        result = saccade.evaluate(run, source, device=device, weights=weights, is_quiet=quiet)
        lines = [f"{result.n:,} {things_of(result.job)} ({result.split})"]
        width = max(map(len, result.metrics))
        for name, value in result.metrics.items():
            low, high = result.intervals[name]
            interval = f"   {low:.4f} to {high:.4f}" if low < high else ""  # some have none
            lines.append(f"{name:<{width}} {value:.4f}{interval}")
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
                run, inputs, out, draw=draw, min_score=min_score, device=device, is_quiet=quiet
            )
            answer.give(
                result, text=f"{result.n:,} rows in {result.out}, {result.num_errors} with an error"
            )
            return
        from saccade.verbs.predict import rows  # noqa: PLC0415 - keeps --help quick

        answers = rows(run, inputs, min_score=min_score, device=device, is_quiet=quiet)
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
