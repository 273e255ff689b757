"""Video, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from saccade.attribution.methods import Method
from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import JobName
from saccade.data.clips.frames import Clips, read_clip
from saccade.data.clips.sources import open_clip_inputs, open_clips
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths
from saccade.errors import DataError
from saccade.jobs.classify.job import ClassifyJob, as_row
from saccade.jobs.drawing import captioned, drawing_name
from saccade.jobs.job import Judgement, Row
from saccade.jobs.video.gallery import row_of_frames, write_gallery
from saccade.jobs.video.judge import VideoJudgement, judge
from saccade.planning.recipe import Recipe
from saccade.planning.video import video_recipe
from saccade.run.folder import RunFolder
from saccade.serving.classes import stream_classes
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation
from saccade.serving.video import VideoModel

DRAWN_PX = 144
"""The height that frames are drawn in, unless they are smaller."""


class VideoJob:
    """One class for each clip."""

    name: JobName = "video"
    schema: pa.Schema = ClassifyJob.schema

    def open(self, path: str | Path) -> Source:
        """Class folders of video files or of folders of frames, with or without splits above."""
        return labelled_clips(open_clips(path))

    def inputs(self, paths: Paths) -> Samples:
        """Clips, and folders of them."""
        return open_clip_inputs(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:
        """From scratch, or from weights for pictures or for clips."""
        return video_recipe(settings)

    def judge(self, engine: Engine, loader: Loader) -> VideoJudgement:
        """Top-1 and its companions, beside single frames and frames out of order."""
        return judge(VideoModel(engine), loader)

    def write_gallery(
        self,
        folder: RunFolder,
        engine: Engine,
        training: Loader,
        judged_on: Loader,
        judgement: Judgement,
        *,
        config: RunConfig,
    ) -> None:
        """Clips as rows of frames: examples, augmented, looked at, mistaken."""
        assert isinstance(judgement, VideoJudgement)
        write_gallery(folder, VideoModel(engine), training, judged_on, judgement, config=config)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """The most likely classes of each clip."""
        for number, prediction in enumerate(stream_classes(engine, samples)):
            if drawn is not None and prediction.error is None:
                clips, i = samples.pictures, int(samples.ids[number])
                assert isinstance(clips, Clips)
                row = row_of_frames(read_clip(clips, i, as_it_lies(clips, i, engine.preprocess)))
                text = f"{prediction.label} {prediction.probability:.2f}"
                drawing = captioned(np.asarray(row), text)
                drawing.save(drawn / drawing_name(number, clips.name(i)))
            yield as_row(prediction, engine.class_names)

    def explain(
        self, engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Where, and when, the model looked for a class."""
        return VideoModel(engine).explain_samples(samples, methods=methods, label=label)


def as_it_lies(clips: Clips, i: int, preprocess: Preprocess) -> Preprocess:
    """Gives the frames that the model sees in the shape, and nearly the size, that they have."""
    header = clips.header(i)
    scale = min(1.0, DRAWN_PX / header.height)
    colour = (0.5,) * 3  # of no use here
    return replace(
        preprocess,
        height=max(1, round(header.height * scale)),
        width=max(1, round(header.width * scale)),
        channels=3,
        fit="squash",
        mean=colour,
        std=colour,
    )


def labelled_clips(source: Source) -> Source:
    """The same source, if a classifier of clips can be trained or judged on it.

    Raises:
        DataError: it has no labels, or only one class.
    """
    if source.class_names is None:
        raise DataError(
            f"{source.path} ({source.kind}) is without labels. Put the clips of each class into a "
            "folder named after it: wave/clip1.mp4, or wave/clip1/001.jpg, wave/clip1/002.jpg. "
            "(Folders of single pictures, one for each class, are for --job classify.)"
        )
    if len(source.class_names) < 2:
        raise DataError(
            f"{source.path} has one class only ({', '.join(source.class_names)}). At least two "
            "are needed: one folder of clips for each."
        )
    return source
