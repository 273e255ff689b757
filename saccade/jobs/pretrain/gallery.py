"""The pictures of a pretraining's report: what it was shown, what it finds alike, what it draws."""

import shutil

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from saccade.config.run import RunConfig
from saccade.config.task import PretrainConfig
from saccade.data.augment.crops import make_views
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.jobs.drawing import Album
from saccade.jobs.embed.sheet import Cell, Mark, contact_sheet
from saccade.jobs.pretrain.judge import PretrainJudgement
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.tasks.pretrain.features import PretrainFeatures
from saccade.tasks.pretrain.mae import PretrainMae

NUM_SHOWN = 8
"""Pictures whose views, or drawings, are shown."""

NUM_QUERIES, NUM_NEAREST = 12, 7


def write_gallery(
    folder: RunFolder,
    engine: Engine,
    training: Loader,
    judged_on: Loader,
    judgement: PretrainJudgement,
    *,
    config: RunConfig,
) -> None:
    """Writes ``pictures/`` and its ``index.json``, replacing what was there.

    Args:
        folder: of the run.
        engine: the run's model.
        training: what it learned from.
        judged_on, judgement: what it was asked, and the vectors that it answered with.
        config: how views are made.
    """
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = Album(folder)
    _show_neighbours(album, judged_on, judgement)
    if isinstance(engine.task, PretrainMae):
        _show_drawings(album, engine, engine.task, judged_on)
    elif not isinstance(engine.task, PretrainFeatures):
        assert isinstance(config.task, PretrainConfig)
        _show_views(album, training, config.task, seed=config.seed)
    album.close()


def _show_neighbours(album: Album, loader: Loader, judgement: PretrainJudgement) -> None:
    queries = _spread(judgement)
    entries = []
    for position in queries:
        cells = [_cell(loader, judgement, position, "query", "query")]
        for other, cosine in judgement.neighbours(position, NUM_NEAREST):
            mark: Mark = "plain"
            if judgement.labels is not None:
                same = judgement.labels[other] == judgement.labels[position]
                mark = "right" if same else "wrong"
            cells.append(_cell(loader, judgement, other, f"{cosine:.3f}", mark))
        file = album.save(contact_sheet([cells]), "neighbours")
        entries.append({"file": file, "path": judgement.names[position], "caption": ""})
    text = "A picture that was not trained on, then those whose vectors are nearest to its own."
    if judgement.labels is not None:
        text += " Green: of the same class, red: of another; nobody told the model."
    album.gallery("neighbours", title="What the model finds alike", text=text, entries=entries)


def _show_views(album: Album, training: Loader, config: PretrainConfig, *, seed: int) -> None:
    batch = _some(training)
    views = make_views(batch.images, config, generator=torch.Generator().manual_seed(seed))
    entries = []
    for k, i in enumerate(batch.ids.tolist()):
        name = training.samples.pictures.name(i)
        cells = [Cell(_channels_last(batch.images[k]), ("picture",), "query")]
        for number, view in enumerate(views.whole[:, k], start=1):
            cells.append(Cell(_channels_last(view), (f"global {number}",), "plain"))
        for number, view in enumerate(views.parts[:, k], start=1):
            cells.append(Cell(_channels_last(view), (f"local {number}",), "plain"))
        file = album.save(contact_sheet([cells]), "views")
        entries.append({"file": file, "path": name, "caption": ""})
    album.gallery(
        "views",
        title="What the model was shown",
        text="Training pictures, and views of each as the model gets them: it learns to say the "
        "same about all views of one picture. If views of different pictures look alike to you, "
        "or what matters is gone from them, take larger local views or --method mae.",
        entries=entries,
    )


def _show_drawings(album: Album, engine: Engine, task: PretrainMae, loader: Loader) -> None:
    batch = _some(loader)
    images = batch.images.to(engine.device)
    drawing = task.redraw(images, generator=torch.Generator().manual_seed(0))
    entries = []
    for k, i in enumerate(batch.ids.tolist()):
        cells = [
            Cell(_channels_last(drawing.shown[k]), ("what it saw",), "plain"),
            Cell(_channels_last(drawing.drawn[k]), ("what it drew",), "plain"),
            Cell(_channels_last(batch.images[k]), ("the picture",), "query"),
        ]
        file = album.save(contact_sheet([cells]), "drawings")
        entries.append({"file": file, "path": loader.samples.pictures.name(i), "caption": ""})
    album.gallery(
        "drawings",
        title="What the model draws",
        text=f"{task.config.hidden:.0%} of the patches are hidden, and drawn from the others. The "
        "brightness and contrast of each drawn patch are those of the true one: the model is not "
        "asked for them.",
        entries=entries,
    )


def _cell(
    loader: Loader, judgement: PretrainJudgement, position: int, line: str, mark: Mark
) -> Cell:
    i = int(judgement.ids[position])
    image = loader.samples.pictures.load(i, channels=3, min_side=None)
    return Cell(image, (line, judgement.names[position]), mark)


def _spread(judgement: PretrainJudgement) -> list[int]:
    """Positions of queries: one of each class in turn where there are classes, evenly spaced."""
    if judgement.labels is None:
        places = np.linspace(0, judgement.n - 1, min(NUM_QUERIES, judgement.n))
        return np.unique(places.astype(int)).tolist()
    _, first = np.unique(judgement.labels, return_index=True)
    places = np.linspace(0, len(first) - 1, min(NUM_QUERIES, len(first))).astype(int)
    return first[places].tolist()


def _some(loader: Loader) -> Batch:
    """The first pictures of a loader."""
    batch = next(iter(loader.batches()))
    return Batch(images=batch.images[:NUM_SHOWN], targets=None, ids=batch.ids[:NUM_SHOWN])


def _channels_last(image: UInt8[Tensor, "C H W"]) -> UInt8[np.ndarray, "H W C"]:
    return np.ascontiguousarray(image.cpu().permute(1, 2, 0).numpy())
