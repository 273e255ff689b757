"""The pictures of a report on clips: each clip is a row of its frames."""

import shutil
from itertools import islice

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from saccade.attribution.methods import default_methods
from saccade.config.run import RunConfig
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.data.clips.frames import Clips, read_clip
from saccade.data.loader import Loader
from saccade.jobs.classify.gallery import varied
from saccade.jobs.drawing import Album
from saccade.jobs.video.judge import VideoJudgement
from saccade.reporting.overlay import GAP_PX, PIXEL_ART_PX, strip
from saccade.run.folder import RunFolder
from saccade.serving.explanation import Explanation
from saccade.serving.video import VideoModel

NUM_PER_CLASS, NUM_EXAMPLES, NUM_AUGMENTED, NUM_MISTAKES, NUM_EXPLAINED = 2, 24, 12, 12, 12

STRIP_PX = 960
"""The width of a row of frames."""


def write_gallery(
    folder: RunFolder,
    model: VideoModel,
    training: Loader,
    judged_on: Loader,
    judgement: VideoJudgement,
    *,
    config: RunConfig,
) -> None:
    """Writes ``pictures/`` and its ``index.json``, replacing what was there.

    Args:
        folder: of the run.
        model: the run's.
        training: what it learned from.
        judged_on, judgement: what it was asked, and what it answered.
        config: how the clips were augmented.
    """
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = Album(folder)
    album.gallery(
        "clips",
        title="Clips",
        text="Training clips as the model gets them, from the first frame to the last.",
        entries=_examples(album, model, training),
    )
    album.gallery(
        "batch",
        title="Augmented",
        text="Clips of the first batch as they were learned: all frames are changed alike.",
        entries=_augmented(album, model, training, config),
    )
    album.gallery(
        "looked",
        title="Where and when it looked",
        text="Clips that were answered right. Bright yellow: what speaks for the class (LeGrad), "
        "all frames on one scale.",
        entries=[
            _explained(album, model, judged_on, judgement, position)
            for position in varied(judgement.labels, judgement.predicted, count=NUM_EXPLAINED)
        ],
    )
    album.gallery(
        "mistakes",
        title="Worst mistakes",
        text="Wrong answers that the model was surest of; bright yellow speaks for that answer.",
        entries=[
            _explained(album, model, judged_on, judgement, position)
            for position in judgement.worst(NUM_MISTAKES)
        ],
    )
    album.close()


def row_of_frames(clip: UInt8[np.ndarray, "T C H W"]) -> Image.Image:
    """The frames of a clip side by side with white lines between, about as wide as a page."""
    num_frames, channels, height, width = clip.shape
    factor = STRIP_PX / (num_frames * width)
    has_few_pixels = factor >= 1 and max(height, width) < PIXEL_ART_PX
    if has_few_pixels:  # enlarged by whole pixels, so that each stays a square
        factor = int(factor)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    resampling = Image.Resampling.NEAREST if has_few_pixels else Image.Resampling.BICUBIC
    whole = Image.new("RGB", (num_frames * (size[0] + GAP_PX) - GAP_PX, size[1]), "white")
    for number, frame in enumerate(clip.transpose(0, 2, 3, 1)):
        picture = Image.fromarray(np.ascontiguousarray(frame[:, :, 0] if channels == 1 else frame))
        whole.paste(picture.resize(size, resampling), (number * (size[0] + GAP_PX), 0))
    return whole


def _as_wide_as_a_page(image: Image.Image) -> Image.Image:
    height = max(1, round(image.height * STRIP_PX / image.width))
    return image.resize((STRIP_PX, height), Image.Resampling.BICUBIC)


def _examples(album: Album, model: VideoModel, training: Loader) -> list[dict[str, str]]:
    """A few training clips of each class."""
    left = dict.fromkeys(range(min(len(model.class_names), NUM_EXAMPLES)), NUM_PER_CLASS)
    found: list[tuple[int, dict[str, str]]] = []
    for batch in training.batches():
        seen = model.task.seen(batch.images).numpy()
        for clip, label, i in zip(seen, batch.labels.tolist(), batch.ids.tolist(), strict=True):
            if left.get(label, 0) > 0 and len(found) < NUM_EXAMPLES:
                left[label] -= 1
                entry = {
                    "file": album.save(row_of_frames(clip), "clip"),
                    "caption": model.class_names[label],
                    "path": training.samples.pictures.name(i),
                }
                found.append((label, entry))
        if not any(left.values()) or len(found) == NUM_EXAMPLES:
            break
    return [entry for _, entry in sorted(found, key=lambda each: each[0])]


def _augmented(
    album: Album, model: VideoModel, training: Loader, config: RunConfig
) -> list[dict[str, str]]:
    """The beginning of the first batch of the run."""
    shown: list[dict[str, str]] = []
    for epoch, batch, _ in islice(training.training_batches(config.seed, start_step=0), 1):
        batch = augment(batch, config.augment, seed=config.seed, epoch=epoch)
        seen = model.task.seen(batch.images).numpy()
        clips = zip(seen, batch.spelt(model.class_names), strict=True)
        for clip, caption in islice(clips, NUM_AUGMENTED):
            file = album.save(row_of_frames(clip), "batch")
            shown.append({"file": file, "caption": caption})
    return shown


def _explained(
    album: Album,
    model: VideoModel,
    loader: Loader,
    judgement: VideoJudgement,
    position: int,
) -> dict[str, str]:
    explanation = _explain(model, loader, judgement, position)
    heat = next(iter(explanation.heats.values()))
    label = judgement.class_names[judgement.labels[position]]
    predicted = judgement.class_names[judgement.predicted[position]]
    caption = f"{predicted} {judgement.probability[position]:.2f}"
    image = _as_wide_as_a_page(Image.fromarray(strip(explanation.image, heat)))
    return {
        "file": album.save(image, "heat"),
        "caption": caption if label == predicted else f"{caption}, is {label}",
        "path": judgement.names[position],
    }


def _explain(
    model: VideoModel, loader: Loader, judgement: VideoJudgement, position: int
) -> Explanation:
    clips = loader.samples.pictures
    assert isinstance(clips, Clips)
    clip = read_clip(clips, int(judgement.ids[position]), model.preprocess)
    batch = Batch(
        images=torch.from_numpy(clip.copy())[None],
        targets=None,
        ids=torch.from_numpy(judgement.ids[position : position + 1]),
    )
    (explanation,) = model.explain_batch(
        batch,
        [judgement.names[position]],
        methods=default_methods(model.task)[:1],
        label=None,
    )
    return explanation
