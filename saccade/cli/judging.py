"""The command for poor pictures: stress."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import Device, Json, Quiet, Weights

if TYPE_CHECKING:
    from saccade.verbs.stress import StressResult


def stress(
    run: Weights,
    source: Annotated[Path, typer.Argument(help="Labelled pictures with the model's classes.")],
    num: Annotated[
        int, typer.Option(help="Pictures, at most; each is answered for 61 times.")
    ] = 500,
    kind: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="One way of being poor, such as jpeg; all if left out. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of which pictures are taken.")] = 0,
    weights: Annotated[str, typer.Option(help="Of a run: best (by validation) or last.")] = "best",
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Judge a model on pictures made poor: noise, blur, weather, light, JPEG, blocks."""
    with answering(is_json=as_json) as answer:
        result = saccade.stress(
            run,
            source,
            num=num,
            kinds=kind,
            seed=seed,
            device=device,
            weights=weights,
            is_quiet=quiet,
        )
        answer.give(result.to_json(), text=_table(result))


def _table(result: "StressResult") -> str:
    clean = result.clean
    lines = [
        f"{result.metric} on {result.n:,} pictures ({result.split}) as they are: "
        f"{clean.value:.4f}, {clean.low:.4f} to {clean.high:.4f}",
        "",
        f"{'strength':<18}"
        + "".join(f"{strength:>8}" for strength in range(1, 6))
        + f"{'mean':>9}",
    ]
    for poor in result.kinds:
        name = poor.kind + (" *" if poor.is_like_augmentation else "")
        cells = "".join(f"{value:>8.3f}" for value in poor.values)
        lines.append(f"{name:<18}{cells}{poor.mean:>9.3f}")
    lines += ["", f"mean over all: {result.mean:.4f}"]
    if result.mean_new is not None and any(poor.is_like_augmentation for poor in result.kinds):
        lines.append(f"mean over what training knew nothing like of: {result.mean_new:.4f}")
        lines.append("* training changed colours in a like way")
    if result.report is not None:
        lines.append(f"report: {result.report}")
    return "\n".join(lines)
