"""Commands that show what there is: report and models."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import Json, Run

if TYPE_CHECKING:
    from saccade.verbs.models import ModelInfo


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
