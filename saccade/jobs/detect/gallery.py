"""The pictures of a report: what was found, what was missed, what is not there."""

import shutil
from collections.abc import Sequence

import numpy as np
import torch

from saccade.config.run import RunConfig
from saccade.data.annotations import Boxes
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.data.example import read_example
from saccade.data.loader import Loader
from saccade.data.targets import PADDING, BoxTargets
from saccade.jobs.detect.boxes import Drawn, class_colour, draw_boxes
from saccade.jobs.detect.judge import (
    DetectJudgement,
    JudgedPicture,
    is_in_crowd,
    pair,
    shown,
)
from saccade.jobs.drawing import Album
from saccade.run.folder import RunFolder
from saccade.serving.detect import Detector, FoundObjects

NUM_FOUND, NUM_WORST, NUM_BATCH = 12, 12, 12

_MISSED = (20, 20, 20)
_FALSE = (255, 0, 200)


def write_gallery(
    folder: RunFolder,
    detector: Detector,
    training: Loader,
    judged_on: Loader,
    judgement: DetectJudgement,
    *,
    config: RunConfig,
) -> None:
    """Writes ``pictures/`` and its ``index.json``, replacing what was there.

    Args:
        folder: of the run.
        detector: the run's.
        training: what it learned from.
        judged_on, judgement: what it was asked, and what it answered.
        config: how the pictures were augmented.
    """
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = Album(folder)
    pictures = judgement.pictures
    spread = np.linspace(0, len(pictures) - 1, min(NUM_FOUND, len(pictures))).astype(int)
    missed = sorted(pictures, key=lambda each: -each.num_missed / max(each.num_objects, 1))
    false = sorted(pictures, key=lambda each: -each.surest_false)

    def entries(chosen: Sequence[JudgedPicture]) -> list[dict[str, str]]:
        return [_entry(album, detector, judged_on, each) for each in chosen]

    album.gallery(
        "found",
        title="What it finds",
        text="Pictures evenly spread over the judged ones, and what scores at least "
        f"{judgement.smallest_score:.3f}, which was best on the validation pictures. Boxes have "
        "the colour of their class and a score; pink: not there, or found a second time; dashed: "
        "there and missed.",
        entries=entries([pictures[k] for k in spread.tolist()]),
    )
    album.gallery(
        "missed",
        title="Most missed",
        text="Pictures in which the largest share of the objects was missed (dashed).",
        entries=entries([each for each in missed if each.num_missed][:NUM_WORST]),
    )
    album.gallery(
        "false",
        title="Surest false alarms",
        text="Detections that are none of the objects (pink), the surest first. Some may be "
        "objects that nobody marked.",
        entries=entries([each for each in false if each.num_false][:NUM_WORST]),
    )
    album.gallery(
        "batch",
        title="What it learned from",
        text="Training pictures as the model saw them, with the boxes that followed them.",
        entries=_first_batch(album, detector, training, config),
    )
    album.close()


def _entry(
    album: Album, detector: Detector, loader: Loader, judged: JudgedPicture
) -> dict[str, str]:
    """One picture with what was found in it and what is true."""
    samples = loader.samples
    (position,) = np.flatnonzero(samples.ids == judged.id).tolist()
    example = read_example(samples, position, detector.engine.preprocess, keeps_size=True)
    batch = Batch(
        images=torch.from_numpy(example.image)[None],
        targets=None,
        ids=torch.tensor([judged.id]),
        sizes=torch.tensor([example.size]),
    )
    (found,) = detector.objects(batch)
    assert samples.annotations is not None
    known = samples.annotations.load(judged.id)
    assert isinstance(known, Boxes)
    image = samples.pictures.load(judged.id, channels=3, min_side=None)
    shown_objects = shown(found, detector.engine.smallest_score)
    drawing = draw_boxes(image, compared(shown_objects, known, detector.class_names))
    return {
        "file": album.save(drawing, "objects"),
        "path": judged.path,
        "caption": f"{judged.num_found} of {judged.num_objects} found, {judged.num_false} false",
    }


def compared(found: FoundObjects, known: Boxes, class_names: Sequence[str]) -> list[Drawn]:
    """Right detections in the colours of their classes, wrong ones in pink, missed ones dashed."""
    pairs = pair(found, known)
    is_excused = is_in_crowd(found, known).tolist()
    drawn = []
    for k, (box, label, score) in enumerate(
        zip(found.boxes_xyxy.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True)
    ):
        colour = _FALSE if pairs[k] is None and not is_excused[k] else class_colour(label)
        drawn.append(Drawn(box, f"{class_names[label]} {score:.2f}", colour))
    for m, (box, label) in enumerate(
        zip(known.boxes_xyxy.tolist(), known.labels.tolist(), strict=True)
    ):
        if m not in pairs and not known.is_crowd[m]:
            drawn.append(Drawn(box, class_names[label], _MISSED, is_dashed=True))
    return drawn


def _first_batch(
    album: Album, detector: Detector, training: Loader, config: RunConfig
) -> list[dict[str, str]]:
    """The first pictures, changed as in the first epoch."""
    few = training.samples.take(np.arange(min(NUM_BATCH, len(training.samples))))
    entries = []
    for batch in detector.engine.loader(few).batches():
        batch = augment(batch, config.augment, seed=config.seed, epoch=0)
        targets = batch.targets
        assert isinstance(targets, BoxTargets)
        for b in range(len(batch)):
            drawn = [
                Drawn(box, detector.class_names[label], class_colour(label))
                for box, label in zip(
                    targets.boxes_xyxy[b].tolist(), targets.labels[b].tolist(), strict=True
                )
                if label != PADDING
            ]
            image = batch.images[b].permute(1, 2, 0).numpy()
            entries.append(
                {
                    "file": album.save(draw_boxes(image, drawn), "batch"),
                    "path": few.pictures.name(int(batch.ids[b])),
                    "caption": f"{len(drawn)} object{'s' * (len(drawn) != 1)}",
                }
            )
    return entries
