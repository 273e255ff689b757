"""A model with its weights, ready to answer: of a run folder, or of another library."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from saccade.attribution.methods import Method
from saccade.backbones.features import Norm
from saccade.data.batch import Batch
from saccade.data.sources import Paths, Samples, open_pictures
from saccade.serving.classes import Prediction, class_probs, explain_classes, stream_classes
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation, class_asked
from saccade.serving.features import Embeddings, Features, embed, features
from saccade.tasks.classify import Classify


class Model:
    """A trained classifier; ``saccade.load`` makes one.

    Args:
        engine: a classifier with its weights.
    """

    def __init__(self, engine: Engine[Classify]) -> None:
        self.engine = engine
        self.task = engine.task
        self.preprocess = engine.preprocess
        self.notes = engine.notes

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of ``Prediction.probs``; none for weights without a head."""
        return self.task.class_names

    def predict(self, inputs: Paths) -> list[Prediction]:
        """Classifies pictures, or folders of them; one answer per picture, in order.

        Raises:
            UsageError: a path does not exist.
        """
        return list(self.stream(open_pictures(inputs)))

    def stream(self, samples: Samples) -> Iterator[Prediction]:
        """The same, one at a time and in constant memory; for as many pictures as there are."""
        yield from stream_classes(self.engine, samples)

    def probs(self, batch: Batch) -> Float32[np.ndarray, "B K"]:
        """Class probabilities of a batch.

        Raises:
            UsageError: the weights have no head.
        """
        return class_probs(self.engine, batch)

    def embed(self, inputs: Paths) -> Embeddings:
        """Pictures, or folders of them, as vectors of unit length, to compare them by.

        Raises:
            UsageError: a path does not exist.
        """
        loader = self.engine.loader(open_pictures(inputs))
        return embed(self.task, loader, device=self.engine.device, precision=self.engine.precision)

    def features(
        self,
        inputs: Paths,
        *,
        layers: Sequence[int] = (-1,),
        norm: Norm = "none",
    ) -> Iterator[Features]:
        """What layers of the backbone make of pictures; those that cannot be read are left out.

        Args:
            inputs: pictures or folders.
            layers: blocks of vit and rag, stages of cnn and attncnn; from 0, and -1 is the last.
            norm: ``final`` for the norm after the last layer, ``none`` for the layer's own output.

        Raises:
            UsageError: a path does not exist.
            ValueError: a layer does not exist, or the final norm does not fit it.
        """
        yield from features(
            self.task,
            self.engine.loader(open_pictures(inputs)),
            layers=layers,
            norm=norm,
            device=self.engine.device,
            precision=self.engine.precision,
        )

    def explain(
        self,
        inputs: Paths,
        *,
        methods: Sequence[Method] = (),
        label: str | None = None,
    ) -> Iterator[Explanation]:
        """Where the model looked; pictures that cannot be read are left out.

        Args:
            inputs: pictures or folders.
            methods: ``legrad``, ``rollout``, ``gradcam``; none given: those that suit the model.
            label: the class to explain; None: the one predicted for each picture.

        Raises:
            UsageError: a path or a class does not exist, or a method does not suit the model.
        """
        yield from self.explain_samples(open_pictures(inputs), methods=methods, label=label)

    def explain_samples(
        self, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains pictures of a source; see ``explain``."""
        class_asked(self.engine, label)  # refused before the first picture is read
        for batch in self.engine.loader(samples).batches():
            names = [samples.pictures.name(i) for i in batch.ids.tolist()]
            yield from self.explain_batch(batch, names, methods=methods, label=label)

    def explain_batch(
        self, batch: Batch, names: Sequence[str], *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains one batch; see ``explain``."""
        yield from explain_classes(self.engine, batch, names, methods=methods, label=label)
