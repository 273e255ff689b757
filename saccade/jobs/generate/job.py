"""Generation, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.bare import open_bare
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, open_pictures
from saccade.errors import UsageError
from saccade.jobs.drawing import drawing_name
from saccade.jobs.generate.gallery import write_gallery
from saccade.jobs.generate.judge import GenerateJudgement, judge
from saccade.jobs.job import Judgement, Row
from saccade.planning.generate import (
    flow_epochs,
    from_minus_one_to_one,
    generate,
    judging_cost,
    label_targets,
)
from saccade.planning.recipe import Recipe
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation
from saccade.serving.sheet import sheet
from saccade.tasks.flow.generate import Recalled


class GenerateJob:
    """New pictures, of a class where there are classes."""

    name: JobName = "generate"
    schema = pa.schema([("path", pa.string()), ("flow_loss", pa.float32()), ("error", pa.string())])

    def open(self, path: str | Path) -> Source:
        """Any pictures; class folders, and arrays with labels, can be asked for their classes."""
        return open_bare(path)

    def inputs(self, paths: Paths) -> Samples:
        """Pictures, or folders of them."""
        return open_pictures(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:  # noqa: ARG002  as in Job
        """From scratch."""
        return Recipe(
            config=generate,
            preprocess=from_minus_one_to_one,
            targets=label_targets,
            wanted_epochs=flow_epochs,
            default_model="vit",
            largest_unplanned_side=64,
            judging=judging_cost,
        )

    def judge(self, engine: Engine, loader: Loader) -> GenerateJudgement:
        """Distances to real pictures, with floor and ceiling, and what the observer recognises."""
        return judge(engine, loader)

    def write_gallery(
        self,
        folder: RunFolder,
        engine: Engine,
        training: Loader,
        judged_on: Loader,  # noqa: ARG002  as in Job
        judgement: Judgement,  # noqa: ARG002
        *,
        config: RunConfig,
    ) -> None:
        """Samples of each class, the way from noise, and the nearest training pictures."""
        write_gallery(folder, engine, training, config=config)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """How badly the model knows each picture: what is unlike its training has a high loss.

        Drawn are the picture, the same half way to noise, and what the model takes that for.
        """

        def answers(batch: Batch) -> Iterator[Row]:
            answer: Recalled = engine.answer(batch)
            losses = answer.flow_loss.cpu().tolist()
            for k, i in enumerate(batch.ids.tolist()):
                name = samples.pictures.name(i)
                if drawn is not None:
                    three = [batch.images[k], answer.noisy[k].cpu(), answer.restored[k].cpu()]
                    strip = sheet(np.stack([image.numpy() for image in three]), columns=3)
                    image = Image.fromarray(strip[:, :, 0] if strip.shape[2] == 1 else strip)
                    image.save(drawn / drawing_name(i, name))  # inputs are numbered from 0
                yield {"path": name, "flow_loss": losses[k], "error": None}

        yield from engine.in_order(samples, answers, unreadable=_unreadable)

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
            "a generator names nothing in a picture, so there is no answer to explain; `saccade "
            "predict --draw` shows what it makes of pictures, `saccade generate` draws new ones"
        )


def _unreadable(name: str, reason: str) -> Row:
    return {"path": name, "flow_loss": None, "error": reason}
