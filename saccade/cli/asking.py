"""Commands that ask a model: evaluate, predict and explain."""

import json
from pathlib import Path
from typing import Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import Device, Json, Pictures, Quiet, Weights


def evaluate(
    run: Weights,
    source: Annotated[Path, typer.Argument(help="Labelled pictures with the model's classes.")],
    weights: Annotated[str, typer.Option(help="Of a run: best (by validation) or last.")] = "best",
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a model on labelled pictures: figures with their 95 % intervals."""
    with answering(is_json=as_json) as answer:
        result = saccade.evaluate(run, source, device=device, weights=weights, is_quiet=quiet)
        lines = [f"{result.n:,} pictures ({result.split})"]
        for name, value in result.metrics.items():
            low, high = result.intervals[name]
            lines.append(f"{name:<18} {value:.4f}   {low:.4f} to {high:.4f}")
        lines += [f"left out {name}: {reason}" for name, reason in result.bad.items()]
        document = {key: value for key, value in vars(result).items() if key != "result"}
        details = {"per_class", "confusion", "reliability"}
        document |= {k: v for k, v in result.result.to_json().items() if k in details}
        answer.give(document, text="\n".join(lines))


def predict(
    run: Weights,
    inputs: Pictures,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A .parquet, .csv or .jsonl table; JSON lines on stdout if left out."),
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Classify pictures: one row each, in input order."""
    with answering(is_json=as_json) as answer:
        if out is not None:
            result = saccade.predict(run, inputs, out, device=device, is_quiet=quiet)
            answer.give(
                result, text=f"{result.n:,} rows in {result.out}, {result.num_errors} with an error"
            )
            return
        from saccade.verbs.predict import rows  # noqa: PLC0415 - keeps --help quick

        if as_json:
            found = list(rows(run, inputs, device=device, is_quiet=quiet))
            answer.give({"run": run, "predictions": found}, text="")
            return
        for row in rows(run, inputs, device=device, is_quiet=quiet):
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
    with answering(is_json=as_json) as answer:
        result = saccade.explain(
            run, inputs, out, methods=method or (), label=label, device=device, is_quiet=quiet
        )
        lines = [
            f"{entry['path']}: {entry['label']} ({entry['probability']:.2f}); "
            f"{', '.join(entry['overlays'].values())}"
            for entry in result.pictures
        ]
        answer.give(result, text="\n".join(lines))
