"""A trained model of clips, ready to answer."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float32

from saccade.attribution.methods import Method
from saccade.data.batch import Batch
from saccade.data.clips.sources import open_clip_inputs
from saccade.data.samples import Samples
from saccade.data.sources import Paths
from saccade.serving.classes import Prediction, class_probs, explain_classes, stream_classes
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation, class_asked
from saccade.tasks.video import Video


class VideoModel:
    """A trained classifier of clips; ``saccade.load`` makes one.

    Args:
        engine: a task with its weights.
    """

    def __init__(self, engine: Engine[Video]) -> None:
        self.engine = engine
        self.task = engine.task
        self.preprocess = engine.preprocess
        self.notes = engine.notes

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of ``Prediction.probs``; none for weights without a head."""
        return self.task.class_names

    def predict(self, inputs: Paths) -> list[Prediction]:
        """Classifies clips, or folders of them; one answer per clip, in order.

        Args:
            inputs: video files, folders of frames, and folders of either.

        Raises:
            UsageError: a path does not exist, or the weights have no head.
        """
        return list(stream_classes(self.engine, open_clip_inputs(inputs)))

    def probs(self, batch: Batch) -> Float32[np.ndarray, "B K"]:
        """Class probabilities of a batch of clips."""
        return class_probs(self.engine, batch)

    def frame_probs(self, batch: Batch) -> Float32[np.ndarray, "B K"] | None:
        """What the model of single frames says, from the mean; None where there is none."""
        if self.task.frame_model is None:
            return None
        with torch.inference_mode():
            logits = self.task.frame_logits(batch.images.to(self.engine.device))
            return logits.float().softmax(dim=1).cpu().numpy()

    def explain(
        self,
        inputs: Paths,
        *,
        methods: Sequence[Method] = (),
        label: str | None = None,
    ) -> Iterator[Explanation]:
        """Where, and when, the model looked; clips that cannot be read are left out.

        Args:
            inputs, methods: see ``Model.explain``, for what is raised too.
            label: the class to explain; None: the one predicted for each clip.
        """
        yield from self.explain_samples(open_clip_inputs(inputs), methods=methods, label=label)

    def explain_samples(
        self, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains clips of a source; see ``explain``."""
        class_asked(self.engine, label)  # refused before the first clip is read
        for batch in self.engine.loader(samples).batches():
            names = [samples.pictures.name(i) for i in batch.ids.tolist()]
            yield from self.explain_batch(batch, names, methods=methods, label=label)

    def explain_batch(
        self, batch: Batch, names: Sequence[str], *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains one batch: heat for each step in time, on the frames that the model saw."""
        found = explain_classes(self.engine, batch, names, methods=methods, label=label)
        for explanation, clip in zip(found, self.task.seen(batch.images), strict=True):
            yield explanation._replace(
                image=clip.numpy(),
                # A clip of a single step in time has a picture's heat.
                heats={
                    method: heat.reshape(-1, *heat.shape[-2:])
                    for method, heat in explanation.heats.items()
                },
            )
