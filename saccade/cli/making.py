"""Commands that make a model: demo, train and convert."""

from pathlib import Path
from typing import Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import MODEL_HELP, Device, Json, OnNan, Quiet, Track, Weights


def demo(
    job: Annotated[
        str,
        typer.Option(
            help="What to show: classify, detect, segment, video, embed, generate, translate or "
            "pretrain."
        ),
    ] = "classify",
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The folder to make; saccade-demo if left out."),
    ] = None,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help=f"{MODEL_HELP} What suits the job if left out."),
    ] = None,
    budget: Annotated[str, typer.Option(help="Wall clock, such as 90s or 2m.")] = "150s",
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train on handwritten digits that need no network, and show where the report is."""
    with answering(is_json=as_json) as answer:
        result = saccade.demo(
            job=job, out=out, model=model, budget=budget, seed=seed, is_quiet=quiet
        )
        answer.give(result, text=str(result.report))


def train(
    source: Annotated[
        Path,
        typer.Argument(
            help="Pictures or clips with what is to be learned of them: class folders, boxes, "
            "masks, pairs, arrays; docs/data.md has the forms."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The run folder to make.")],
    job: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="What to learn: classify, detect, segment, video, embed, generate, translate or "
            "pretrain; what the source is made for if left out."
        ),
    ] = None,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help=f"{MODEL_HELP} What suits the job if left out."),
    ] = None,
    budget: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Wall clock for the whole command, such as 5m; 10m if nothing says how long."
        ),
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, exactly.")
    ] = False,
    on_nan: OnNan = "stop",
    track: Track = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn a job from pictures: a folder in, a run folder out."""
    with answering(is_json=as_json) as answer:
        from saccade.config.json import parse_settings  # noqa: PLC0415 - keeps --help quick

        result = saccade.train(
            source,
            out,
            job=job,
            model=model,
            budget=budget,
            epochs=epochs,
            steps=steps,
            settings=parse_settings(settings or []),
            seed=seed,
            init=init,
            new_head=new_head,
            resume=resume,
            on_nan=on_nan,
            track=track or (),
            device=device,
            is_quiet=quiet,
        )
        answer.give(result, text=str(result.report))


def convert(
    weights: Weights,
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    to: Annotated[str, typer.Option(help="Who loads it: saccade, timm or transformers.")] = (
        "saccade"
    ),
    leave_out: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Drop their tensors of this name, such as 'decoder.*'. Repeatable."),
    ] = None,
    class_names: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A text file with a class name per line, in the order of the logits."),
    ] = None,
    patch_size: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Resize the patch embedding to patches of so many pixels a side."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn weights into a run folder that every verb takes, or into one of another library."""
    with answering(is_json=as_json) as answer:
        result = saccade.convert(
            weights,
            out,
            to=to,
            leave_out=leave_out or (),
            class_names=class_names,
            patch_size=patch_size,
            is_quiet=quiet,
        )
        answer.give(result, text=str(result.out))
