"""A model with its weights, ready to answer: of a run folder, or of another library."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from saccade.attribution.methods import (
    Method,
    default_methods,
    heat,
    most_likely,
    pictures_at_a_time,
)
from saccade.backbones.features import Norm
from saccade.config.run import Preprocess
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.sources import Samples, open_pictures
from saccade.errors import UsageError, nearest
from saccade.run.device import Precision, autocast, place
from saccade.serving.features import Embeddings, Features, embed, features
from saccade.tasks.classify import Classify

BATCH_SIZE = 32
"""Pictures answered at a time, fewer where they are large; more are no faster on a CPU."""


class Prediction(NamedTuple):
    """The answer for one picture.

    Attributes:
        path: as it was given.
        label: the most likely class; None when the picture could not be read.
        probability: of that class.
        probs: of all K classes, in the order of ``Model.class_names``.
        error: why there is no answer; None when there is one.
    """

    path: str
    label: str | None
    probability: float | None
    probs: Float32[np.ndarray, " K"] | None
    error: str | None


class Explanation(NamedTuple):
    """Where the model looked in one picture.

    Attributes:
        path: as it was given.
        image: what the model saw, after the preprocessing.
        asked: the class that was explained.
        prediction: the model's answer.
        heats: by method, 0 to 1 on the patch grid.
    """

    path: str
    image: UInt8[np.ndarray, "C H W"]
    asked: str
    prediction: Prediction
    heats: dict[Method, Float32[np.ndarray, "h w"]]


class Model:
    """A trained classifier; ``saccade.load`` makes one.

    Args:
        task: with its weights, in evaluation mode.
        preprocess: how its pictures are prepared.
        precision: to compute in.
        num_threads: that decode pictures.
        device: where to run.
        notes: what a user should hear about the weights.
    """

    def __init__(
        self,
        task: Classify,
        *,
        preprocess: Preprocess,
        precision: Precision,
        num_threads: int,
        device: torch.device,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.task = place(task, device).eval()
        self.preprocess = preprocess
        self.precision: Precision = precision
        self.num_threads = num_threads
        self.device = device
        self.notes = notes

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of ``Prediction.probs``; none for weights without a head."""
        return self.task.class_names

    def predict(self, inputs: str | Path | Sequence[str | Path]) -> list[Prediction]:
        """Classifies pictures, or folders of them; one answer per picture, in order.

        Raises:
            UsageError: a path does not exist.
        """
        return list(self.stream(open_pictures(_as_list(inputs))))

    def stream(self, samples: Samples) -> Iterator[Prediction]:
        """The same, one at a time and in constant memory; for as many pictures as there are."""
        loader = self._loader(samples)
        waiting = iter(samples.ids.tolist())
        for batch in loader.batches():
            for i, probs in zip(batch.ids.tolist(), self.probs(batch), strict=True):
                for skipped in waiting:
                    if skipped == i:
                        break
                    yield _unreadable(samples.pictures.name(skipped), loader)
                best = int(probs.argmax())
                yield Prediction(
                    path=samples.pictures.name(i),
                    label=self.class_names[best],
                    probability=float(probs[best]),
                    probs=probs,
                    error=None,
                )
        for skipped in waiting:
            yield _unreadable(samples.pictures.name(skipped), loader)

    def probs(self, batch: Batch) -> Float32[np.ndarray, "B K"]:
        """Class probabilities of a batch.

        Raises:
            UsageError: the weights have no head.
        """
        if not self.class_names:
            raise UsageError(
                "these weights have no head, so they name no class: `saccade train SOURCE --init` "
                "fits one to your classes; from Python, Model.embed and Model.features need none"
            )
        with autocast(self.device, self.precision):
            return self.task.predict(batch.to(self.device)).cpu().numpy()

    def embed(self, inputs: str | Path | Sequence[str | Path]) -> Embeddings:
        """Pictures, or folders of them, as vectors of unit length, to compare them by.

        Raises:
            UsageError: a path does not exist.
        """
        loader = self._loader(open_pictures(_as_list(inputs)))
        return embed(self.task, loader, device=self.device, precision=self.precision)

    def features(
        self,
        inputs: str | Path | Sequence[str | Path],
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
            self._loader(open_pictures(_as_list(inputs))),
            layers=layers,
            norm=norm,
            device=self.device,
            precision=self.precision,
        )

    def explain(
        self,
        inputs: str | Path | Sequence[str | Path],
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
        samples = open_pictures(_as_list(inputs))
        yield from self.explain_samples(samples, methods=methods, label=label)

    def explain_samples(
        self, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains pictures of a source; see ``explain``."""
        if label is not None and label not in self.class_names:
            raise UsageError(
                f"the model knows no class {label!r}; {nearest(label, self.class_names)}"
            )
        for batch in self._loader(samples).batches():
            names = [samples.pictures.name(i) for i in batch.ids.tolist()]
            yield from self.explain_batch(
                batch, names, methods=methods or default_methods(self.task), label=label
            )

    def explain_batch(
        self, batch: Batch, names: Sequence[str], *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Explains one batch; see ``explain``. In fp32: gradients of maps are small numbers."""
        probs = self.probs(batch)
        asked = most_likely(torch.from_numpy(probs))
        if label is not None:
            asked = torch.full_like(asked, self.class_names.index(label))
        images = batch.images.to(self.device)
        heats = {
            method: heat(self.task, images, asked.to(self.device), method=method).cpu().numpy()
            for method in methods
        }
        for k, name in enumerate(names):
            best = int(probs[k].argmax())
            yield Explanation(
                path=name,
                image=batch.images[k].numpy(),
                asked=self.class_names[int(asked[k])],
                prediction=Prediction(
                    name, self.class_names[best], float(probs[k, best]), probs[k], None
                ),
                heats={method: heats[method][k] for method in methods},
            )

    def _loader(self, samples: Samples) -> Loader:
        size = self.preprocess
        fitting = pictures_at_a_time(self.task, height=size.height, width=size.width)
        loader = Loader(
            samples,
            size,
            batch_size=min(BATCH_SIZE, fitting),
            num_threads=self.num_threads,
            cache_bytes=0,
            max_bad_fraction=1.0,
        )
        loader.prepare()
        return loader


def _unreadable(name: str, loader: Loader) -> Prediction:
    return Prediction(name, None, None, None, loader.bad.get(name, "could not be read"))


def _as_list(inputs: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [inputs] if isinstance(inputs, str | Path) else list(inputs)
