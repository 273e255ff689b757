"""The pictures of an embedder's report: queries with their neighbours."""

import shutil
from typing import NamedTuple

import numpy as np
from PIL import Image

from saccade.data.loader import Loader
from saccade.jobs.drawing import Album
from saccade.jobs.embed.judge import EmbedJudgement
from saccade.jobs.embed.sheet import Cell, contact_sheet
from saccade.run.folder import RunFolder

NUM_VARIED, NUM_MISTAKES, NUM_SHOWN = 12, 12, 8


class _Part(NamedTuple):
    name: str
    title: str
    text: str
    positions: list[int]


def write_gallery(folder: RunFolder, judged_on: Loader, judgement: EmbedJudgement) -> None:
    """Writes ``pictures/`` and its ``index.json``, replacing what was there."""
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = Album(folder)
    how = "The query, then its nearest others; green: of the same class, red: of another."
    worst = judgement.worst(NUM_MISTAKES)
    parts = [
        _Part("neighbours", "What is found", f"{how} One query of each class.", _varied(judgement)),
        _Part(
            "mistakes",
            "The surest mistakes",
            f"{how} Queries whose nearest is wrong, and nearest of all such.",
            worst,
        ),
    ]
    for part in parts:
        entries = [
            {
                "file": album.save(_row(position, judged_on, judgement), part.name),
                "path": judgement.names[position],
                "caption": judgement.class_names[judgement.labels[position]],
            }
            for position in part.positions
        ]
        if entries:
            album.gallery(part.name, title=part.title, text=part.text, entries=entries)
    album.close()


def _row(position: int, loader: Loader, judgement: EmbedJudgement) -> Image.Image:
    cells = [_cell(position, loader, judgement, None, asked=position)]
    nearest = judgement.result.nearest[position, :NUM_SHOWN].tolist()
    similarities = judgement.result.similarities[position].tolist()
    for other, similarity in zip(nearest, similarities, strict=False):
        cells.append(_cell(other, loader, judgement, similarity, asked=position))
    return contact_sheet([cells])


def _cell(
    position: int,
    loader: Loader,
    judgement: EmbedJudgement,
    similarity: float | None,
    *,
    asked: int,
) -> Cell:
    image = loader.samples.pictures.load(int(judgement.ids[position]), channels=3, min_side=None)
    name = judgement.class_names[judgement.labels[position]]
    if similarity is None:
        return Cell(image, (name, "query"), "query")
    is_right = judgement.labels[position] == judgement.labels[asked]
    return Cell(image, (name, f"{similarity:.2f}"), "right" if is_right else "wrong")


def _varied(judgement: EmbedJudgement) -> list[int]:
    """The first query of each class, spread over the classes where there are many."""
    asked = np.flatnonzero(judgement.result.is_asked)
    _, first = np.unique(judgement.labels[asked], return_index=True)
    chosen = asked[first]
    return chosen[
        np.linspace(0, len(chosen) - 1, min(NUM_VARIED, len(chosen))).astype(int)
    ].tolist()
