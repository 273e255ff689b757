"""Detection, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.annotated import open_boxes
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, open_pictures
from saccade.jobs.detect.boxes import Drawn, class_colour, draw_boxes
from saccade.jobs.detect.gallery import write_gallery
from saccade.jobs.detect.judge import DetectJudgement, judge
from saccade.jobs.drawing import drawing_name
from saccade.jobs.job import Judgement, Row
from saccade.planning.detect import (
    DEFAULT_MODEL,
    LARGEST_UNPLANNED_SIDE,
    detect,
    detect_targets,
    patch_for_objects,
    preprocess_for_objects,
    wanted_epochs_for_objects,
)
from saccade.planning.recipe import Recipe
from saccade.run.folder import RunFolder
from saccade.serving.detect import Detector, PictureObjects
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation


class DetectJob:
    """A class and a box for each object."""

    name: JobName = "detect"
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("boxes", pa.list_(pa.list_(pa.float32()))),
            ("labels", pa.list_(pa.string())),
            ("scores", pa.list_(pa.float32())),
            ("error", pa.string()),
        ]
    )

    def open(self, path: str | Path) -> Source:
        """COCO, Pascal VOC or YOLO."""
        return open_boxes(path)

    def inputs(self, paths: Paths) -> Samples:
        """Pictures, and folders of them."""
        return open_pictures(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:  # noqa: ARG002  as in Job
        """From scratch, or from the weights of a pretraining."""
        return Recipe(
            config=detect,
            preprocess=preprocess_for_objects,
            targets=detect_targets,
            wanted_epochs=wanted_epochs_for_objects,
            default_model=DEFAULT_MODEL,
            largest_unplanned_side=LARGEST_UNPLANNED_SIDE,
            patch_for=patch_for_objects,
        )

    def judge(self, engine: Engine, loader: Loader) -> DetectJudgement:
        """Average precision and its companions, and what was found in each picture."""
        return judge(Detector(engine), loader)

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
        """Objects found, missed and imagined, and what the first batch looked like."""
        assert isinstance(judgement, DetectJudgement)
        write_gallery(folder, Detector(engine), training, judged_on, judgement, config=config)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """The objects of each picture, the surest first."""
        lowest = min(engine.lowest_listed, engine.smallest_score)
        found = Detector(engine).stream(samples, min_score=lowest)
        for number, objects in enumerate(found):
            if drawn is not None and objects.error is None:
                _draw(objects, samples, number, drawn, engine=engine)
            yield as_row(objects)

    def explain(
        self, engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """What spoke for the surest object of a class; of all classes when none is asked for."""
        return Detector(engine).explain_samples(samples, methods=methods, label=label)


def as_row(objects: PictureObjects) -> Row:
    """A picture's objects as plain data."""
    return {
        "path": objects.path,
        "width": objects.width,
        "height": objects.height,
        "boxes": objects.boxes_xyxy.tolist(),
        "labels": objects.labels,
        "scores": objects.scores.tolist(),
        "error": objects.error,
    }


def _draw(
    objects: PictureObjects,
    samples: Samples,
    number: int,
    folder: Path,
    *,
    engine: Engine,
) -> None:
    """Writes the picture with the objects that are meant to be believed."""
    image = samples.pictures.load(int(samples.ids[number]), channels=3, min_side=None)
    boxes = [
        Drawn(box, f"{label} {score:.2f}", class_colour(engine.class_names.index(label)))
        for box, label, score in zip(
            objects.boxes_xyxy.tolist(), objects.labels, objects.scores.tolist(), strict=True
        )
        if score >= engine.smallest_score
    ]
    draw_boxes(image, boxes).save(folder / drawing_name(number, objects.path))
