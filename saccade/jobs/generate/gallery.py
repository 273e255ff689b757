"""The pictures of a generator's report: samples, their way from noise, what they are near to."""

import shutil

import numpy as np
from jaxtyping import UInt8

from saccade.config.run import RunConfig
from saccade.data.loader import Loader
from saccade.jobs.drawing import Album
from saccade.jobs.generate.looking import look, pictures_of, samples_of
from saccade.metrics.distance import nearest, nearest_row
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.generate import Generator
from saccade.serving.sheet import sheet
from saccade.tasks.flow.generate import Generate

NUM_PER_CLASS, NUM_CLASSES_SHOWN, NUM_WAYS, NUM_MOMENTS, NUM_NEAREST = 10, 20, 6, 9, 8

MAX_SEARCHED = 20_000
"""Training pictures that the nearest one is looked for among."""


def write_gallery(
    folder: RunFolder, engine: Engine[Generate], training: Loader, *, config: RunConfig
) -> None:
    """Writes ``pictures/`` and its ``index.json``, replacing what was there."""
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = Album(folder)
    _samples(album, engine, training)
    _ways(album, engine, config)
    _nearest(album, engine, training)
    album.close()


def _samples(album: Album, engine: Engine[Generate], training: Loader) -> None:
    generator, entries = Generator(engine), []
    for name in engine.class_names[:NUM_CLASSES_SHOWN]:
        drawn = generator.sample(NUM_PER_CLASS, label=name)
        large = sheet(drawn.images, columns=NUM_PER_CLASS)
        entries.append({"file": album.save(large, "samples"), "caption": name})
    if not engine.class_names:
        made = samples_of(engine).images[: 4 * NUM_PER_CLASS]
        large = sheet(made, columns=NUM_PER_CLASS)
        entries.append({"file": album.save(large, "samples"), "caption": "samples"})
    real = pictures_of(engine, training, 2 * NUM_PER_CLASS).images
    entries.append(
        {
            "file": album.save(sheet(real, columns=NUM_PER_CLASS), "real"),
            "caption": "for comparison: real training pictures",
        }
    )
    text = "Drawn from noise, none chosen: the first ones of seed 0."
    if engine.class_names:
        text += f" Guidance {engine.task.config.guidance:g}; 1 would be none."
    album.gallery("samples", title="Samples", text=text, entries=entries)


def _ways(album: Album, engine: Engine[Generate], config: RunConfig) -> None:
    flow = engine.task.config.flow
    paths = Generator(engine).path(NUM_WAYS, num_shown=NUM_MOMENTS)
    names = engine.class_names
    entries = [
        {
            "file": album.save(sheet(way, columns=NUM_MOMENTS), "way"),
            "caption": names[k % len(names)] if names else f"sample {k}",
        }
        for k, way in enumerate(paths)
    ]
    album.gallery(
        "denoising",
        title="From noise to a picture",
        text=f"The sampler's way in {flow.num_steps} steps, noise at the left; the network answers "
        f"with the {flow.prediction}, {config.model.embed_dim} numbers wide.",
        entries=entries,
    )


def _nearest(album: Album, engine: Engine[Generate], training: Loader) -> None:
    """The samples that come nearest to a training picture, beside it."""
    most = min(MAX_SEARCHED, 4 * engine.task.config.num_real)
    made, real = samples_of(engine), pictures_of(engine, training, most)
    ours = look(engine, made.images, None).features
    theirs = look(engine, real.images, None).features
    closest = np.argsort(nearest(ours, theirs), kind="stable")[:NUM_NEAREST]
    entries = []
    for k in closest.tolist():
        twin = nearest_row(ours[k], theirs)
        pair: UInt8[np.ndarray, "2 C H W"] = np.stack([made.images[k], real.images[twin]])
        entries.append({"file": album.save(sheet(pair, columns=2), "nearest"), "caption": ""})
    album.gallery(
        "nearest",
        title="Is anything copied?",
        text="Left: the samples that come nearest to a training picture, by the observer's "
        "features. Right: that training picture. Likeness is expected, equality is not.",
        entries=entries,
    )
