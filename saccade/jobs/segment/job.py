"""Segmentation, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from PIL import Image

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.annotated import open_masks
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, open_pictures
from saccade.jobs.drawing import drawing_name
from saccade.jobs.job import Judgement, Row
from saccade.jobs.segment.drawing import save_mask
from saccade.jobs.segment.gallery import colours_of, drawn_over, write_gallery
from saccade.jobs.segment.judge import MapJudgement, MaskJudgement, SegmentJudgement, judge
from saccade.planning.budget import wanted_epochs
from saccade.planning.objects_from_scratch import pixels_instead
from saccade.planning.recipe import Recipe
from saccade.planning.segment import made_up_targets, preprocess_for, segment
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation
from saccade.serving.segment import Segmented, Segmenter


class SegmentJob:
    """A class for each pixel, or a mask for each object."""

    name: JobName = "segment"
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("labels", pa.list_(pa.string())),
            ("scores", pa.list_(pa.float32())),
            ("shares", pa.list_(pa.float32())),
            ("areas", pa.list_(pa.int64())),
            ("boxes", pa.list_(pa.list_(pa.float32()))),
            ("mask", pa.string()),
            ("error", pa.string()),
        ]
    )

    def open(self, path: str | Path) -> Source:
        """A folder of masks beside one of pictures, or COCO outlines."""
        return open_masks(path)

    def inputs(self, paths: Paths) -> Samples:
        """Pictures, and folders of them."""
        return open_pictures(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:  # noqa: ARG002  as in Job
        """Upsampling for masks of classes; eomt for masks of objects, given enough steps."""
        return Recipe(
            config=segment,
            preprocess=preprocess_for,
            targets=made_up_targets,
            wanted_epochs=wanted_epochs,
            instead=pixels_instead,
        )

    def judge(self, engine: Engine, loader: Loader) -> SegmentJudgement:
        """Overlap of classes; or average precision and panoptic quality of objects."""
        return judge(engine, loader)

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
        """True masks beside found ones, the worst, and the first batch."""
        assert isinstance(judgement, MapJudgement | MaskJudgement)
        write_gallery(folder, engine, training, judged_on, judgement, config=config)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """The classes or objects of each picture; with ``drawn`` also masks as files."""
        segmenter = Segmenter(engine)
        for number, found in enumerate(segmenter.stream(samples)):
            mask = None
            if drawn is not None and found.map is not None:
                name = drawing_name(number, found.path)
                image = samples.pictures.load(int(samples.ids[number]), channels=3, min_side=None)
                Image.fromarray(drawn_over(image, found, segmenter)).save(drawn / name)
                mask = f"{Path(name).stem}-mask.png"
                save_mask(found.map, drawn / mask, colours=colours_of(found, segmenter))
            yield as_row(found, mask)

    def explain(
        self, engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """What speaks for a class; none asked for: the one with the most pixels, or the surest."""
        return Segmenter(engine).explain_samples(samples, methods=methods, label=label)


def as_row(found: Segmented, mask: str | None) -> Row:
    """An answer as plain data.

    Args:
        found: the answer.
        mask: the name of the file with its map; None: none was written.
    """
    regions = found.regions
    height, width = found.map.shape if found.map is not None else (None, None)
    num_pixels = 1 if found.map is None else found.map.size
    return {
        "path": found.path,
        "width": width,
        "height": height,
        "labels": [region.label for region in regions],
        "scores": [region.score for region in regions],
        "shares": [region.area / num_pixels for region in regions],
        "areas": [region.area for region in regions],
        "boxes": [list(region.box_xyxy) for region in regions],
        "mask": mask,
        "error": found.error,
    }
