"""Commands that compare pictures: embed, index, search and duplicates."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

import saccade
from saccade.cli.answer import answering
from saccade.cli.options import Device, Json, Quiet, Weights

if TYPE_CHECKING:
    from saccade.verbs.duplicates import DuplicatesResult
    from saccade.verbs.search import SearchResult

Gallery = Annotated[Path, typer.Argument(help="Pictures of any source, with or without classes.")]
Pool = Annotated[
    str,
    typer.Option(
        help="How tokens become a vector: auto, class, mean, gem, or quarters for copies."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with what is in --out, as it was begun.")
]


def embed(
    run: Weights,
    source: Gallery,
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    pool: Pool = "auto",
    resume: Resume = False,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a vector for every picture: vectors.npy and items.parquet, row by row."""
    with answering(is_json=as_json) as answer:
        result = saccade.embed(
            run, source, out, pool=pool, resume=resume, device=device, is_quiet=quiet
        )
        answer.give(
            result,
            text=f"{result.n:,} vectors of {result.embed_dim:,} numbers in {result.out}, "
            f"{result.num_errors:,} with an error",
        )


def index(
    run: Weights,
    source: Gallery,
    out: Annotated[Path, typer.Option(help="The index folder to make.")],
    engine: Annotated[
        str, typer.Option(help="exact, or approximate for very large galleries (extra: search).")
    ] = "exact",
    pool: Pool = "auto",
    whitening: Annotated[
        str,
        typer.Option(help="full to find copies, none to find pictures of one class, or auto."),
    ] = "auto",
    background: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            help="Other pictures, to judge by how near means little; the gallery itself if left "
            "out."
        ),
    ] = None,
    resume: Resume = False,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make pictures searchable: an index folder that search and duplicates take."""
    with answering(is_json=as_json) as answer:
        result = saccade.index(
            run,
            source,
            out,
            engine=engine,
            pool=pool,
            whitening=whitening,
            background=background,
            resume=resume,
            device=device,
            is_quiet=quiet,
        )
        answer.give(result, text=str(result.out))


def search(
    index: Annotated[Path, typer.Argument(help="The folder that `saccade index` made.")],
    queries: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(help="Pictures, folders of them, or a folder that `saccade embed` made."),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours of each query.")] = 10,
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Search by a class that the model or the gallery knows."),
    ] = None,
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The index's model, where it no longer lies where it was."),
    ] = None,
    sheet: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="A .png or .html file to make with queries and neighbours."),
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the pictures most like others, or like a class."""
    with answering(is_json=as_json) as answer:
        result = saccade.search(
            index,
            queries or (),
            k=k,
            label=label,
            run=run,
            sheet=sheet,
            device=device,
            is_quiet=quiet,
        )
        answer.give(result, text=_found(result))


def duplicates(
    source: Annotated[Path, typer.Argument(help="Pictures of any source, or an index.")],
    run: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="A model to compare by; the pixels of small versions if left out."),
    ] = None,
    threshold: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Score from which two pictures count as copies; 1 is equal."),
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find copies among pictures: the same file, or the same picture edited a little."""
    with answering(is_json=as_json) as answer:
        result = saccade.duplicates(
            source, run=run, threshold=threshold, device=device, is_quiet=quiet
        )
        answer.give(result, text=_grouped(result))


def _found(result: "SearchResult") -> str:
    lines: list[str] = []
    for each in result.queries:
        lines.append(each.query if each.error is None else f"{each.query}: {each.error}")
        for hit in each.neighbours:
            label = f"  {hit.label}" if hit.label is not None else ""
            lines.append(
                f"{hit.rank:>4}  score {hit.score:>6.3f}  similarity {hit.similarity:.3f}  "
                f"{hit.path}{label}"
            )
    return "\n".join(lines)


def _grouped(result: "DuplicatesResult") -> str:
    lines: list[str] = []
    for number, group in enumerate(result.groups, start=1):
        kind = "the same file" if group.is_exact else f"near copies, score {group.lowest_score:.3f}"
        lines.append(f"group {number}: {len(group.paths)} pictures, {kind}")
        for path, label in zip(group.paths, group.labels, strict=True):
            lines.append(f"  {path}" + (f"  {label}" if label is not None else ""))
    return "\n".join(lines)
