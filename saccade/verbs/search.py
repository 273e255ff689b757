"""search: an index and queries -> the pictures most like them."""

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from saccade.data.sources import Paths, as_list
from saccade.errors import UsageError, nearest
from saccade.jobs.embed.sheet import Cell, contact_sheet
from saccade.jobs.embed.sheet_page import sheet_page
from saccade.jobs.find import find_job
from saccade.run.folder import write_atomic
from saccade.serving.load import load_engine
from saccade.serving.search.index import Index, Neighbour, open_index
from saccade.serving.search.known import model_hash
from saccade.serving.search.originals import Originals
from saccade.serving.search.queries import Query, embed_queries, is_vector_folder, read_queries
from saccade.serving.search.vectors import VectorFolder
from saccade.verbs.embed import parse_pool
from saccade.verbs.readable import require_any_readable
from saccade.verbs.voice import Voice

SHEET_ENDINGS = (".png", ".html")

QUERIES_AT_A_TIME = 256

MOST_ON_A_SHEET = 2000
"""Pictures, queries among them: of 10 neighbours each, 181 queries and 25 megapixels."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One picture that was found.

    Attributes:
        rank: from 1, the nearest.
        path: of the picture, from here where it is a file.
        label: its class in the gallery; None where it had none.
        similarity: the cosine between query and picture, both whitened.
        score: the same on a scale of this query: 0 is as near as unrelated pictures come to it, 1
            is equal.
    """

    rank: int
    path: str
    label: str | None
    similarity: float
    score: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found for one query.

    Attributes:
        query: the picture as it was given, or the class that was asked for.
        neighbours: nearest first; none where there is an error.
        error: why the query could not be read.
    """

    query: str
    neighbours: list[Hit]
    error: str | None


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What was found.

    Attributes:
        index: the folder.
        n: pictures in it.
        k: neighbours asked for.
        queries: one entry per query, in order.
        sheet: the contact sheet, if one was asked for.
        num_on_sheet: how many queries it shows, the first ones.
    """

    index: Path
    n: int
    k: int
    queries: list[Found]
    sheet: Path | None
    num_on_sheet: int


def search(
    index: str | Path,
    queries: Paths = (),
    *,
    k: int = 10,
    label: str | None = None,
    run: str | Path | None = None,
    sheet: str | Path | None = None,
    device: str | None = None,
    is_quiet: bool = False,
) -> SearchResult:
    """Finds the pictures of an index that are most like others, or like a class.

    Args:
        index: a folder that ``index`` made.
        queries: pictures, folders of them, or one folder that ``embed`` made.
        k: how many neighbours; fewer where the index is smaller.
        label: search by a class instead: one that the index's model has learned, or, where it has
            learned none, one that pictures of the gallery are labelled with.
        run: the index's model, where it no longer lies where it was.
        sheet: a ``.png`` or ``.html`` file to make, with queries and their neighbours: all, or as
            many as 2,000 pictures hold.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such index, query or class, or a model other than the index's.
        DataError: a file of the index is damaged, or none of the queries can be read.
    """
    asked = as_list(queries)
    sheet = None if sheet is None else Path(sheet)
    _refuse(asked, k=k, label=label, sheet=sheet)
    opened = open_index(index)
    voice = Voice(is_quiet=is_quiet)
    originals = Originals(opened.manifest.made.source)
    found: list[Found] = []
    if label is not None:
        hits = _hits(opened.search_label(label, k), originals)
        found.append(Found(query=label, neighbours=hits, error=None))
    else:
        for some in _in_parts(_queries(opened, asked, run=run, device=device, voice=voice)):
            found += _answer(opened, some, k, originals)
    on_sheet = [] if sheet is None else found[: max(1, MOST_ON_A_SHEET // (1 + k))]
    if sheet is not None:
        said = f" (the first {len(on_sheet)} of {len(found):,} queries)"
        said = said if len(on_sheet) < len(found) else ""
        _write_sheet(sheet, on_sheet, originals, title=f"Search results{said}")
        voice.say(f"contact sheet{said}: {sheet}")
    errors = [each.error for each in found if each.error is not None]
    first = "".join(errors[:1])
    require_any_readable(len(errors), len(found), noun="picture", why=f"the first: {first}")
    return SearchResult(
        index=Path(index),
        n=len(opened),
        k=k,
        queries=found,
        sheet=sheet,
        num_on_sheet=len(on_sheet),
    )


def _refuse(asked: list[Path], *, k: int, label: str | None, sheet: Path | None) -> None:
    if k < 1:
        raise UsageError(f"k is {k}; at least one neighbour can be asked for")
    if (label is None) == (not asked):
        raise UsageError("give pictures to search by, or a class with --label; one of the two")
    if sheet is None:
        return
    if sheet.suffix not in SHEET_ENDINGS:
        raise UsageError(
            f"{sheet} has the ending {sheet.suffix!r}; {nearest(sheet.suffix, SHEET_ENDINGS)}"
        )
    if sheet.exists():
        raise UsageError(f"{sheet} exists already and is never overwritten; choose another --sheet")
    if not sheet.parent.is_dir():
        raise UsageError(f"the folder {sheet.parent} does not exist; make it first")


def _queries(
    index: Index,
    asked: list[Path],
    *,
    run: str | Path | None,
    device: str | None,
    voice: Voice,
) -> Iterator[Query]:
    """The queries as vectors of the index's own model."""
    if len(asked) == 1 and is_vector_folder(asked[0]):
        folder = VectorFolder(asked[0])
        made = folder.require_complete().made
        index.require_model(made.model, run=f"that of {asked[0]}")
        _require_pool(index, made.pool, given=str(asked[0]))
        return read_queries(folder)
    made = index.manifest.made
    model = run or index.manifest.run
    try:
        engine = load_engine(model, device=device)
    except UsageError as error:
        if run is not None:
            raise
        raise UsageError(
            f"the model of {index.path}, {model}, cannot be loaded ({error}); name the place where "
            "it is now with --run"
        ) from None
    index.require_model(model_hash(engine), run=str(model))
    for note in engine.notes:
        voice.say(note)
    samples = find_job(engine.job).inputs(asked)
    return embed_queries(engine, samples, pool=parse_pool(made.pool))


def _require_pool(index: Index, pool: str, *, given: str) -> None:
    if pool != index.manifest.made.pool:
        raise UsageError(
            f"{given} was embedded with the pool {pool!r}, and {index.path} with "
            f"{index.manifest.made.pool!r}; they cannot be compared"
        )


def _in_parts(queries: Iterator[Query]) -> Iterator[list[Query]]:
    waiting: list[Query] = []
    for query in queries:
        waiting.append(query)
        if len(waiting) == QUERIES_AT_A_TIME:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _answer(index: Index, queries: list[Query], k: int, originals: Originals) -> list[Found]:
    vectors = [query.vector for query in queries if query.vector is not None]
    answers = iter(index.search(np.stack(vectors), k) if vectors else [])
    return [
        Found(
            query=query.path,
            neighbours=[] if query.vector is None else _hits(next(answers), originals),
            error=query.error,
        )
        for query in queries
    ]


def _hits(neighbours: list[Neighbour], originals: Originals) -> list[Hit]:
    return [
        Hit(
            rank=rank,
            path=originals.path(each.path),
            label=each.label,
            similarity=each.similarity,
            score=each.score,
        )
        for rank, each in enumerate(neighbours, start=1)
    ]


def _write_sheet(path: Path, found: list[Found], originals: Originals, *, title: str) -> None:
    rows = [_cells(each, originals) for each in found]
    if path.suffix == ".html":
        sheets = [contact_sheet([row]) for row in rows]
        page = sheet_page([asdict(each) for each in found], sheets, title=title)
        write_atomic(path, page.encode())
        return
    png = io.BytesIO()
    contact_sheet(rows).save(png, "PNG")
    write_atomic(path, png.getvalue())


def _cells(found: Found, originals: Originals) -> list[Cell]:
    query = Cell(originals.picture(found.query), (found.query, found.error or "query"), "query")
    return [query] + [
        Cell(originals.picture(hit.path), (hit.path, f"{hit.score:+.2f}"), "plain")
        for hit in found.neighbours
    ]
