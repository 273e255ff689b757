"""Commands for learning from more than labels: pretrain, probe and distill."""

from pathlib import Path
from typing import Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import MODEL_HELP, Device, Json, OnNan, Quiet, Track, Weights
from saccade.errors import UsageError


def pretrain(
    source: Annotated[Path, typer.Argument(help="Any pictures; labels are not needed.")],
    out: Annotated[Path, typer.Option(help="The run folder to make.")],
    method: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="visreg, lejepa, dino, or mae for pictures that cropping and recolouring would "
            "spoil; visreg if left out."
        ),
    ] = None,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help=f"{MODEL_HELP} vit if left out."),
    ] = None,
    budget: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Wall clock for the whole command, such as 20m; 10m if nothing says how long."
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
        typer.Option(help="Weights to go on from: a run folder, or those of another library."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, exactly.")
    ] = False,
    on_nan: OnNan = "stop",
    track: Track = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn what pictures look like without labels; `train --init` starts from the result."""
    with answering(is_json=as_json) as answer:
        from saccade.config.json import parse_settings  # noqa: PLC0415 - keeps --help quick

        result = saccade.pretrain(
            source,
            out,
            method=method,
            model=model,
            budget=budget,
            epochs=epochs,
            steps=steps,
            settings=parse_settings(settings or []),
            seed=seed,
            init=init,
            resume=resume,
            on_nan=on_nan,
            track=track or (),
            device=device,
            is_quiet=quiet,
        )
        answer.give(result, text=str(result.report))


def distill(
    source: Annotated[
        Path, typer.Argument(help="Pictures, with or without classes; the teacher's, or some.")
    ],
    out: Annotated[Path, typer.Option(help="The run folder to make.")],
    teacher: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Who is learned from: a run folder, or weights of another library. With --resume "
            "the one that the run began with."
        ),
    ] = None,
    method: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="What is learned: logits, its probabilities; hard, its answers; features, what it "
            "sees, for which it needs to know no class. logits if left out."
        ),
    ] = None,
    ignore_labels: Annotated[
        bool, typer.Option("--ignore-labels", help="Let the teacher alone teach.")
    ] = False,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help=f"The student. {MODEL_HELP} rag if left out."),
    ] = None,
    budget: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Wall clock for the whole command, such as 20m; 10m if nothing says how long."
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
        typer.Option(
            "--set", help="Any number of the config, such as teach.temperature=4. Repeatable."
        ),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Of everything random; 0 if left out."),
    ] = None,
    init: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Weights that the student starts from."),
    ] = None,
    new_head: Annotated[
        bool, typer.Option("--new-head", help="Leave the head of these weights behind.")
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
    """Learn from a trained model: a smaller one of any family, on pictures without labels too."""
    with answering(is_json=as_json) as answer:
        from saccade.config.json import parse_settings  # noqa: PLC0415 - keeps --help quick

        result = saccade.distill(
            source,
            out,
            teacher=teacher,
            method=method,
            ignore_labels=ignore_labels,
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


def probe(
    run: Weights,
    source: Annotated[Path, typer.Argument(help="Pictures with classes, the model's or others.")],
    shots: Annotated[
        str, typer.Option(help="Labels of each class, besides all: numbers with commas.")
    ] = "1,5,10",
    repeats: Annotated[int, typer.Option(help="Draws of these labels.")] = 3,
    probes: Annotated[
        str, typer.Option(help="Which: knn, linear, attentive, with commas.")
    ] = "knn,linear,attentive",
    control: Annotated[
        bool, typer.Option("--control", help="Probe the model with fresh weights too.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what can be read from a model's frozen features, with all labels and with a few."""
    with answering(is_json=as_json) as answer:
        result = saccade.probe(
            run,
            source,
            shots=_numbers(shots),
            repeats=repeats,
            probes=[name.strip() for name in probes.split(",") if name.strip()],
            control=control,
            seed=seed,
            device=device,
            is_quiet=quiet,
        )
        lines = [
            f"{'features':<14} {'probe':<10} {'labels':>8} {'top-1':>8} {'low':>8} {'high':>8}"
            f" {'draws':>6}"
        ]
        lines += [
            f"{row.features:<14} {row.probe:<10} {row.num_labels:>8,} {row.top1:>8.4f} "
            f"{row.low:>8.4f} {row.high:>8.4f} {row.draws:>6}"
            for row in result.rows
        ]
        answer.give(result, text="\n".join([*lines, *result.notes]))


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() for part in parts):
        raise UsageError(f"--shots is {text!r}; expected whole numbers with commas, such as 1,5,10")
    return [int(part) for part in parts]
