"""Learning without labels, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.bare import open_bare
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, open_pictures
from saccade.errors import UsageError
from saccade.jobs.job import Judgement, Row
from saccade.jobs.pretrain.gallery import write_gallery
from saccade.jobs.pretrain.judge import PretrainJudgement, judge
from saccade.planning.classify import preprocess_for
from saccade.planning.pretrain import method_of, no_targets, pretrain, pretraining_epochs
from saccade.planning.recipe import Recipe
from saccade.run.folder import RunFolder
from saccade.serving.embed import Embedder
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation


class PretrainJob:
    """A backbone that knows pictures of this kind, for other jobs to start from."""

    name: JobName = "pretrain"
    schema = pa.schema(
        [("path", pa.string()), ("vector", pa.list_(pa.float32())), ("error", pa.string())]
    )

    def open(self, path: str | Path) -> Source:
        """Any pictures: of what else is known about them, classes only judge neighbours."""
        return replace(open_bare(path), class_names=None)

    def inputs(self, paths: Paths) -> Samples:
        """Pictures, and folders of them."""
        return open_pictures(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:
        """That of the method which ``task.method`` names."""
        return Recipe(
            config=partial(pretrain, method=method_of(settings)),
            preprocess=preprocess_for,
            targets=no_targets,
            wanted_epochs=pretraining_epochs,
            default_model="vit",
        )

    def judge(self, engine: Engine, loader: Loader) -> PretrainJudgement:
        """In how many directions vectors differ, and whether neighbours are of one class."""
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
        """Neighbours, and the views of training pictures or what MAE draws."""
        assert isinstance(judgement, PretrainJudgement)
        write_gallery(folder, engine, training, judged_on, judgement, config=config)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """The vector of each picture, at unit length."""
        if drawn is not None:
            raise UsageError(
                "a pretrained model answers with vectors, which cannot be drawn; leave --draw out, "
                "or see `saccade search` and the neighbours in its report"
            )

        def answers(batch: Batch) -> Iterator[Row]:
            vectors = engine.answer(batch).cpu()
            for i, vector in zip(batch.ids.tolist(), vectors, strict=True):
                numbers = vector.numpy().astype(np.float32).tolist()
                yield {"path": samples.pictures.name(i), "vector": numbers, "error": None}

        return engine.in_order(samples, answers, unreadable=_unreadable)

    def explain(
        self, engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Which patches make the vector of a picture what it is."""
        return Embedder(engine).explain_samples(samples, methods=methods, label=label)


def _unreadable(name: str, reason: str) -> Row:
    return {"path": name, "vector": None, "error": reason}
