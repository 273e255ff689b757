"""Commands that show what there is: report, models and recipes."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import MODEL_HELP, Device, Json, Run

if TYPE_CHECKING:
    from saccade.verbs.models import ModelInfo
    from saccade.verbs.recipes import RecipeResult


def report(run: Run, as_json: Json = False) -> None:
    """Write report.html anew; works while the run goes on."""
    with answering(is_json=as_json) as answer:
        page = saccade.report(run)
        answer.give({"run": run, "report": page}, text=str(page))


def models(
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(help="One model (vit-s16) or a family (vit) in detail; all if left out."),
    ] = None,
    image_size: Annotated[int, typer.Option(help="Pixels a side that costs are for.")] = 224,
    as_json: Json = False,
) -> None:
    """List what can be built, with its cost."""
    with answering(is_json=as_json) as answer:
        infos = saccade.models(name, image_size=image_size)
        text = _table(infos) if name is None else "\n\n".join(map(_details, infos))
        answer.give({"models": [asdict(info) for info in infos]}, text=text)


def recipes(
    explain: Annotated[
        Path, typer.Option(metavar="SOURCE", help="What `saccade train` would learn from.")
    ],
    job: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="What to learn; what the source is made for if left out."),
    ] = None,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help=f"{MODEL_HELP} What suits the job if left out."),
    ] = None,
    budget: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Wall clock, such as 5m; 10m if nothing says how long."),
    ] = None,
    epochs: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Passes over the data, instead of a budget."),
    ] = None,
    steps: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Optimiser steps, instead of a budget."),
    ] = None,
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", help="Any number of the config, such as optim.lr=3e-4. Repeatable."),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Of everything random; 0 if left out."),
    ] = None,
    init: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Weights to start from: a run folder, or those of another library."),
    ] = None,
    new_head: Annotated[
        bool, typer.Option("--new-head", help="Leave their head behind and learn other classes.")
    ] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Say what `train` would do with these words, and why; nothing is trained or written."""
    with answering(is_json=as_json) as answer:
        from saccade.config.json import parse_settings  # noqa: PLC0415 - keeps --help quick

        result = saccade.recipes(
            explain,
            job=job,
            model=model,
            budget=budget,
            epochs=epochs,
            steps=steps,
            settings=parse_settings(settings or []),
            seed=seed,
            init=init,
            new_head=new_head,
            device=device,
        )
        answer.give(asdict(result), text=_receipt(result))


def _receipt(result: "RecipeResult") -> str:
    lines = [f"{result.source}, {result.job}: {result.model}"]
    if result.tried:
        lines += [
            "",
            f"{'timed here':<18}{'pixels':>8}{'per second':>12}{'passes':>10}   "
            f"{result.epochs_wanted:g} wanted before a bigger one is worth its time",
        ]
    for tried in result.tried:
        is_chosen = (tried["model"], tried["image_size"]) == (
            result.model,
            result.config["data"]["image_size"],
        )
        lines.append(
            f"{tried['model']:<18}{tried['image_size']:>8}{tried['pictures_per_second']:>12,.1f}"
            f"{tried['epochs']:>10,.1f}" + ("   taken" if is_chosen else "")
        )
    lines += ["", f"{'number':<24}{'value':>12}   why"]
    for number in result.numbers:
        value = number["value"]
        shown = f"{value:.4g}" if isinstance(value, float) else f"{value}"
        lines.append(f"{number['name']:<24}{shown:>12}   {number['why']}")
    lines += ["", *(f"note: {note}" for note in result.notes)] if result.notes else []
    return "\n".join(lines)


def _table(infos: list["ModelInfo"]) -> str:
    size = infos[0].image_size
    lines = [f"{'name':<16}{'parameters':>14}{f'GFLOPs @ {size}':>16}   source"]
    lines += [f"{m.name:<16}{m.num_parameters:>14,}{m.gflops:>16.2f}   {m.source}" for m in infos]
    lines.append("The number is the patch in pixels; any power of two will do, as in rag-nano4.")
    return "\n".join(lines)


def _details(info: "ModelInfo") -> str:
    rows = {f"  {part}": f"{count:>14,}" for part, count in info.parts.items()}
    rows = {"parameters": f"{info.num_parameters:>14,}  of the backbone, for RGB pictures", **rows}
    if info.num_parameters_published is not None:
        rows["published"] = (
            f"{info.num_parameters_published:>14,}  with class token, learned positions and 1,000 "
            "classes, at 224 pixels"
        )
    weights = [f"{count / 2**20:,.1f} MiB in {kind}" for kind, count in info.weight_bytes.items()]
    rows["weights"] = ", ".join(weights)
    rows["cost"] = (
        f"{info.gflops:,.2f} GFLOPs and {info.num_tokens:,} tokens for a picture of "
        f"{info.image_size} x {info.image_size} pixels"
    )
    rows |= {f"from ({what})": paper for what, paper in info.papers.items()}
    rows["config"] = json.dumps(info.config)
    return "\n".join([info.name, *(f"  {row:<18}{text}" for row, text in rows.items())])
