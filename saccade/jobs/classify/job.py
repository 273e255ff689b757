"""Classification, as the verbs see it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.annotated import guess_job
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths, labelled, open_pictures, open_source
from saccade.errors import DataError
from saccade.jobs.classify.gallery import write_gallery
from saccade.jobs.classify.judge import ClassJudgement, judge
from saccade.jobs.drawing import save_drawing
from saccade.jobs.job import Judgement, Row
from saccade.planning.budget import wanted_epochs
from saccade.planning.classify import class_targets, classify, preprocess_for
from saccade.planning.muon import by_muon
from saccade.planning.recipe import Recipe
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation
from saccade.serving.model import Model, Prediction

NUM_TOP = 5
"""How many classes a row lists, the most likely first."""


class ClassifyJob:
    """One class for each picture."""

    name: JobName = "classify"
    schema = pa.schema(
        [
            ("path", pa.string()),
            ("label", pa.string()),
            ("probability", pa.float32()),
            ("top_labels", pa.list_(pa.string())),
            ("top_probabilities", pa.list_(pa.float32())),
            ("refused", pa.string()),
            ("error", pa.string()),
        ]
    )

    def open(self, path: str | Path) -> Source:
        """A class folder, split folders of them, or arrays with labels."""
        if guess_job(path) == "segment":  # whose two folders look like two classes
            raise DataError(f"{path} holds pictures and their masks, and no folder for each class.")
        return labelled(open_source(path))

    def inputs(self, paths: Paths) -> Samples:
        """Pictures, and folders of them."""
        return open_pictures(paths)

    def recipe(self, settings: Mapping[str, str]) -> Recipe:  # noqa: ARG002  as in Job
        """From scratch, or fine-tuned where there are weights to start from."""
        return Recipe(
            config=classify,
            preprocess=preprocess_for,
            targets=class_targets,
            wanted_epochs=wanted_epochs,
            from_scratch=by_muon,
        )

    def judge(self, engine: Engine, loader: Loader) -> ClassJudgement:
        """Top-1 and its companions, and the answer to each picture."""
        return judge(Model(engine), loader)

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
        """Examples, the first batch, the worst mistakes and where the model looked."""
        assert isinstance(judgement, ClassJudgement)
        write_gallery(folder, Model(engine), training, judged_on, judgement, config=config)

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """The most likely classes of each picture."""
        for number, prediction in enumerate(Model(engine).stream(samples)):
            if drawn is not None and prediction.error is None:
                text = f"{prediction.label} {prediction.probability:.2f}"
                save_drawing(samples, number, drawn, caption=text)
            yield as_row(prediction, engine.class_names)

    def explain(
        self, engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Where the model looked for a class, the predicted one when none is asked for."""
        return Model(engine).explain_samples(samples, methods=methods, label=label)


def as_row(prediction: Prediction, class_names: Sequence[str]) -> dict[str, Any]:
    """A prediction as plain data."""
    top_labels: list[str] = []
    top_probabilities: list[float] = []
    if prediction.probs is not None:
        order = (-prediction.probs).argsort(kind="stable")[:NUM_TOP]
        top_labels = [class_names[k] for k in order.tolist()]
        top_probabilities = prediction.probs[order].tolist()
    return {
        "path": prediction.path,
        "label": prediction.label,
        "probability": prediction.probability,
        "top_labels": top_labels,
        "top_probabilities": top_probabilities,
        "refused": prediction.refused,
        "error": prediction.error,
    }
