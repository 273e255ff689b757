"""The pictures of a report: the first batch, and true masks beside found ones."""

import shutil
from collections.abc import Sequence
from itertools import islice

import numpy as np
from jaxtyping import Int32, UInt8

from saccade.config.run import RunConfig
from saccade.data.annotations import IGNORED_CLASS, IGNORED_SEGMENT, ClassMap, Segments
from saccade.data.augment.changes import augment
from saccade.data.loader import Loader
from saccade.data.samples import Samples
from saccade.data.targets import MapTargets, SegmentTargets
from saccade.jobs.drawing import Album
from saccade.jobs.segment.drawing import colour, marked, painted, side_by_side
from saccade.jobs.segment.judge import MapJudgement, SegmentJudgement, true_classes
from saccade.metrics.segment import BACKGROUND
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.segment import Segmented, Segmenter
from saccade.tasks.segment.classes import Segment

NUM_AUGMENTED, NUM_WORST, NUM_OTHERS = 16, 12, 12

Colours = list[tuple[int, int, int] | None]


def write_gallery(
    folder: RunFolder,
    engine: Engine,
    training: Loader,
    judged_on: Loader,
    judgement: SegmentJudgement,
    *,
    config: RunConfig,
) -> None:
    """Writes ``pictures/`` and its index, replacing what was there."""
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = Album(folder)
    segmenter, of_classes = Segmenter(engine), isinstance(judgement, MapJudgement)
    evenly = np.linspace(0, judgement.n - 1, min(NUM_OTHERS, judgement.n)).round().astype(int)
    album.gallery(
        "found",
        title="Masks",
        text="Each row: the picture, the true mask, the mask found, and in red where they differ. "
        + (
            "A colour is a class."
            if of_classes
            else "A colour is an object; shown is what scores at least "
            f"{engine.smallest_score:.3f}, which was best on the validation pictures."
        ),
        entries=_compared(album, segmenter, judged_on, judgement, evenly.tolist()),
    )
    album.gallery(
        "worst",
        title="Where it fails",
        text="The pictures with the poorest masks, in the same way.",
        entries=_compared(album, segmenter, judged_on, judgement, judgement.worst(NUM_WORST)),
    )
    album.gallery(
        "batch",
        title="What the model was shown",
        text="The beginning of the training, with the random changes: masks follow their pictures.",
        entries=_augmented(album, engine, training, config),
    )
    album.close()


def colours_of_classes(names: Sequence[str]) -> Colours:
    """A colour for each class but the background."""
    return [None if name.lower() == BACKGROUND else colour(k) for k, name in enumerate(names)]


def colours_of_objects(count: int) -> Colours:
    """No colour for 0, which is no object, and one for each other number."""
    return [None, *(colour(k) for k in range(count))]


def colours_of(found: Segmented, segmenter: Segmenter) -> Colours:
    """Of each number in an answer's map."""
    if isinstance(segmenter.engine.task, Segment):
        return colours_of_classes(segmenter.class_names)
    return colours_of_objects(len(found.regions))


def drawn_over(
    image: UInt8[np.ndarray, "H W C"], found: Segmented, segmenter: Segmenter
) -> UInt8[np.ndarray, "H2 W2 3"]:
    """A picture with what was found in it."""
    assert found.map is not None
    return painted(image, found.map, colours_of(found, segmenter))


def _compared(
    album: Album,
    segmenter: Segmenter,
    loader: Loader,
    judgement: SegmentJudgement,
    positions: list[int],
) -> list[dict[str, str]]:
    ids = judgement.ids[positions]
    places = {int(i): place for place, i in enumerate(loader.samples.ids)}
    chosen = loader.samples.take(np.array([places[int(i)] for i in ids], dtype=np.int64))
    entries = []
    for number, (found, position) in enumerate(
        zip(segmenter.stream(chosen), positions, strict=True)
    ):
        if found.map is None:  # it could be read when it was judged, and cannot be any more
            continue
        row = _row(chosen, number, found, segmenter)
        entries.append(
            {
                "file": album.save(row, "masks"),
                "path": found.path,
                "caption": _said(judgement, position),
            }
        )
    return entries


def _row(
    samples: Samples, number: int, found: Segmented, segmenter: Segmenter
) -> UInt8[np.ndarray, "H W 3"]:
    i = int(samples.ids[number])
    image = samples.pictures.load(i, channels=3, min_side=None)
    assert samples.annotations is not None
    annotation = samples.annotations.load(i)
    assert isinstance(annotation, ClassMap | Segments)
    assert found.map is not None
    task = segmenter.engine.task
    if isinstance(task, Segment):
        truth = true_classes(annotation, task).astype(np.int32)
        colours, is_known = colours_of_classes(task.pixel_names), truth != IGNORED_CLASS
        said, true = found.map, truth
    else:
        assert isinstance(annotation, Segments)
        truth = annotation.segments
        colours, is_known = colours_of_objects(len(annotation.labels)), truth != IGNORED_SEGMENT
        # By class and not by number, which differ for the same object.
        names = task.class_names
        labels = [names.index(region.label) for region in found.regions]
        said = np.array([0, *(label + 1 for label in labels), 0])[found.map]
        true = np.concatenate([[0], annotation.labels + 1, [0]])[truth]
    return side_by_side(
        [
            painted(image, truth, []),
            painted(image, truth, colours),
            drawn_over(image, found, segmenter),
            marked(image, is_known & (said != true)),
        ]
    )


def _said(judgement: SegmentJudgement, position: int) -> str:
    if isinstance(judgement, MapJudgement):
        return f"Dice {judgement.dice[position]:.2f}"
    true, found = judgement.num_true[position], judgement.num_found[position]
    return f"{judgement.num_right[position]} of {true} objects found, {found} said"


def _augmented(
    album: Album, engine: Engine, training: Loader, config: RunConfig
) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = []
    batches = training.training_batches(config.seed, start_step=0)
    for epoch, batch, _ in islice(batches, -(-NUM_AUGMENTED // training.batch_size)):
        batch = augment(batch, config.augment, seed=config.seed, epoch=epoch)
        for image, (numbers, colours) in zip(
            batch.images.numpy(), _maps(batch.targets, engine), strict=True
        ):
            drawn = painted(np.ascontiguousarray(image.transpose(1, 2, 0)), numbers, colours)
            entries.append({"file": album.save(drawn, "batch"), "path": "", "caption": ""})
    return entries[:NUM_AUGMENTED]


def _maps(targets: object, engine: Engine) -> list[tuple[Int32[np.ndarray, "H W"], Colours]]:
    match targets:
        case MapTargets(classes=classes):
            colours = colours_of_classes(engine.task.class_names)
            return [(each, colours) for each in classes.numpy().astype(np.int32)]
        case SegmentTargets(segments=segments):
            return [
                (each, colours_of_objects(int(each.max(initial=0)))) for each in segments.numpy()
            ]
        case _:
            raise AssertionError("masks were expected")
