"""Metric learning, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, labelled, open_pictures, open_source
from saccade.jobs.drawing import save_drawing
from saccade.jobs.embed.gallery import write_gallery
from saccade.jobs.embed.judge import EmbedJudgement, judge
from saccade.jobs.job import Judgement, Row
from saccade.planning.budget import wanted_epochs
from saccade.planning.classify import class_targets, preprocess_for
from saccade.planning.embed import embed
from saccade.planning.recipe import Recipe
from saccade.run.folder import RunFolder
from saccade.serving.embed import Embedder
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation


class EmbedJob:
    """Vectors by which pictures of one class are near each other."""

    name: JobName = "embed"
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("vector", pa.list_(pa.float32())),
            ("nearest_class", pa.string()),
            ("class_similarity", pa.float32()),
            ("error", pa.string()),
        ]
    )

    def open(self, path: str | Path) -> Source:
        """A class folder, split folders of them, or arrays with labels."""
        return labelled(open_source(path))

    def inputs(self, paths: Paths) -> Samples:
        """Pictures, and folders of them."""
        return open_pictures(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:  # noqa: ARG002  as in Job
        """From scratch, or fine-tuned where there are weights to start from."""
        return Recipe(
            config=embed,
            preprocess=preprocess_for,
            targets=class_targets,
            wanted_epochs=wanted_epochs,
        )

    def judge(self, engine: Engine, loader: Loader) -> EmbedJudgement:
        """Each picture searches among all others."""
        return judge(engine, loader)

    def write_gallery(
        self,
        folder: RunFolder,
        engine: Engine,  # noqa: ARG002  as in Job
        training: Loader,  # noqa: ARG002
        judged_on: Loader,
        judgement: Judgement,
        *,
        config: RunConfig,  # noqa: ARG002
    ) -> None:
        """Queries with their neighbours, and the surest mistakes."""
        assert isinstance(judgement, EmbedJudgement)
        write_gallery(folder, judged_on, judgement)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """The vector of each picture, and which of the classes of the training it is nearest to."""
        directions = engine.task.head.class_directions().detach().cpu()

        def answers(batch: Batch) -> Iterator[Row]:
            vectors = engine.answer(batch).cpu()
            cosines = vectors @ directions.T
            for i, vector, cosine in zip(batch.ids.tolist(), vectors, cosines, strict=True):
                yield _row(samples.pictures.name(i), vector, cosine, engine.class_names)

        for number, row in enumerate(engine.in_order(samples, answers, unreadable=_unreadable)):
            if drawn is not None and row["error"] is None:
                text = f"{row['nearest_class']} {row['class_similarity']:.2f}"
                save_drawing(samples, number, drawn, caption=text)
            yield row

    def explain(
        self, engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """What brings a picture near a class, the nearest one when none is asked for."""
        return Embedder(engine).explain_samples(samples, methods=methods, label=label)


def _row(name: str, vector: torch.Tensor, cosine: torch.Tensor, class_names: Sequence[str]) -> Row:
    best = int(cosine.argmax())
    return {
        "path": name,
        "vector": vector.numpy().astype(np.float32).tolist(),
        "nearest_class": class_names[best],
        "class_similarity": float(cosine[best]),
        "error": None,
    }


def _unreadable(name: str, reason: str) -> Row:
    return {
        "path": name,
        "vector": None,
        "nearest_class": None,
        "class_similarity": None,
        "error": reason,
    }
