"""Translation, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, open_pictures
from saccade.errors import UsageError
from saccade.jobs.drawing import drawing_name
from saccade.jobs.job import Judgement, Row
from saccade.jobs.translate.gallery import write_gallery
from saccade.jobs.translate.judge import TranslateJudgement, judge
from saccade.planning.generate import flow_epochs, from_minus_one_to_one
from saccade.planning.recipe import Recipe
from saccade.planning.translate import (
    judging_cost,
    open_pairs_or_pictures,
    pair_targets,
    translate_with,
)
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation
from saccade.serving.translate import Translator, resized


class TranslateJob:
    """One picture into another: pairs of a source, or an edit of plain pictures undone."""

    name: JobName = "translate"
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("height", pa.int32()),
            ("width", pa.int32()),
            ("difference", pa.float32()),
            ("error", pa.string()),
        ]
    )

    def open(self, path: str | Path) -> Source:
        """Pairs, or plain pictures from which an edit makes pairs (``task.edit.kind``)."""
        return open_pairs_or_pictures(str(path))

    def inputs(self, paths: Paths) -> Samples:
        """Pictures, or folders of them."""
        return open_pictures(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:
        """From scratch, for pairs or for the edit that the settings name."""
        return Recipe(
            config=translate_with(settings.get("task.edit.kind", "none")),
            preprocess=from_minus_one_to_one,
            targets=pair_targets,
            wanted_epochs=flow_epochs,
            default_model="vit",
            largest_unplanned_side=64,
            judging=judging_cost,
        )

    def judge(self, engine: Engine, loader: Loader) -> TranslateJudgement:
        """PSNR, SSIM and distances, of the flow and of the baseline."""
        return judge(engine, loader)

    def write_gallery(
        self,
        folder: RunFolder,
        engine: Engine,
        training: Loader,  # noqa: ARG002  as in Job
        judged_on: Loader,
        judgement: Judgement,
        *,
        config: RunConfig,  # noqa: ARG002
    ) -> None:
        """Given, both answers and the truth; the worst; several answers to one condition."""
        assert isinstance(judgement, TranslateJudgement)
        write_gallery(folder, engine, judged_on, judgement)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """The size of each answer, and how much both answers differ, as a share of white.

        Drawn are what was given, the flow's answer and the baseline's.
        """
        for number, answer in enumerate(Translator(engine).stream(samples)):
            if answer.picture is None or answer.regression is None or answer.given is None:
                empty = dict.fromkeys(("height", "width", "difference"))
                yield {"path": answer.path, **empty, "error": answer.error}
                continue
            height, width = answer.picture.shape[:2]
            if drawn is not None:
                parts = [resized(answer.given, height, width), answer.picture, answer.regression]
                strip = np.concatenate([_in_colour(part) for part in parts], axis=1)
                Image.fromarray(strip).save(drawn / drawing_name(number, answer.path))
            gap = np.abs(answer.picture.astype(np.float64) - answer.regression).mean() / 255
            yield {
                "path": answer.path,
                "height": height,
                "width": width,
                "difference": float(gap),
                "error": None,
            }

    def explain(
        self,
        engine: Engine,  # noqa: ARG002  as in Job
        samples: Samples,  # noqa: ARG002
        *,
        methods: Sequence[Method],  # noqa: ARG002
        label: str | None,  # noqa: ARG002
    ) -> Iterator[Explanation]:
        """There is nothing to explain.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            "a translator names nothing in a picture, so there is no answer to explain; `saccade "
            "translate` and `saccade predict --draw` show what it makes of pictures"
        )


def _in_colour(image: np.ndarray) -> np.ndarray:
    return image.repeat(3, axis=2) if image.shape[2] == 1 else image
