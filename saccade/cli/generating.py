"""Commands that make pictures: generate and translate."""

from pathlib import Path
from typing import Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import Device, Json, Pictures, Quiet, Run

Steps = Annotated[
    Optional[int],  # noqa: UP045 - typer reads it at run time
    typer.Option(help="Of the sampler: more are finer and slower; as the run says if left out."),
]
Seed = Annotated[int, typer.Option(help="Of the noise; another one gives other pictures.")]


def generate(
    run: Run,
    out: Annotated[Path, typer.Option(help="The folder to make for the pictures.")],
    count: Annotated[int, typer.Option(help="How many.")] = 16,
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Of which class; all classes in turn if left out."),
    ] = None,
    guidance: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="How much to exaggerate the class; 1 is not at all."),
    ] = None,
    steps: Steps = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw new pictures with a run of --job generate."""
    with answering(is_json=as_json) as answer:
        result = saccade.generate(
            run,
            out,
            count=count,
            label=label,
            guidance=guidance,
            steps=steps,
            seed=seed,
            device=device,
            is_quiet=quiet,
        )
        answer.give(result, text=str(result.sheet))


def translate(
    run: Run,
    inputs: Pictures,
    out: Annotated[Path, typer.Option(help="The folder to make for the pictures.")],
    steps: Steps = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn pictures into others with a run of --job translate."""
    with answering(is_json=as_json) as answer:
        result = saccade.translate(
            run, inputs, out, steps=steps, seed=seed, device=device, is_quiet=quiet
        )
        lines = [f"{e['path']}: {e['error'] or e['file']}" for e in result.pictures]
        answer.give(result, text="\n".join(lines))
