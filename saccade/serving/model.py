"""A trained run, ready to answer."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from saccade.attribution.methods import Method, default_methods, heat, most_likely
from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.sources import Samples, open_pictures
from saccade.errors import UsageError, nearest
from saccade.run.contract import Contract, load_contract
from saccade.run.device import autocast, choose_device, place
from saccade.run.folder import RunFolder, read_json
from saccade.run.weights import load_weights
from saccade.tasks.build import build_task
from saccade.tasks.classify import Classify

BATCH_SIZE = 32
"""Pictures answered at a time; on a CPU a larger batch is no faster, only larger."""


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
    """A trained classifier; make one with ``load``.

    Args:
        task: with its weights, in evaluation mode.
        config: the run's.
        contract: the run's.
        device: where to run.
    """

    def __init__(
        self, task: Classify, *, config: RunConfig, contract: Contract, device: torch.device
    ) -> None:
        self.task = place(task, device).eval()
        self.config = config
        self.contract = contract
        self.device = device

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes, in the order of ``Prediction.probs``."""
        return self.contract.class_names

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
        """Class probabilities of a batch."""
        with autocast(self.device, self.config.precision):
            return self.task.predict(batch.to(self.device)).cpu().numpy()

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
        loader = Loader(
            samples,
            self.contract.preprocess,
            batch_size=BATCH_SIZE,
            num_threads=self.config.data.num_threads,
            cache_bytes=0,
            max_bad_fraction=1.0,
        )
        loader.prepare()
        return loader


def load(run: str | Path, *, device: str | None = None, weights: str = "best") -> Model:
    """Loads a trained run.

    Args:
        run: the run folder.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        weights: ``best`` (by validation) or ``last``.

    Raises:
        UsageError: it is not a run folder, or its weights are missing or damaged.
    """
    folder = RunFolder(run)
    folder.require()
    if weights not in ("best", "last"):
        raise UsageError(f"weights is {weights!r}; it must be 'best' or 'last'")
    config = from_json(RunConfig, read_json(folder.config))
    contract = load_contract(folder.contract)
    task = build_task(config, class_names=contract.class_names, preprocess=contract.preprocess)
    load_weights(folder.weights if weights == "best" else folder.last_weights, task)
    return Model(task, config=config, contract=contract, device=choose_device(device))


def _unreadable(name: str, loader: Loader) -> Prediction:
    return Prediction(name, None, None, None, loader.bad.get(name, "could not be read"))


def _as_list(inputs: str | Path | Sequence[str | Path]) -> list[str | Path]:
    return [inputs] if isinstance(inputs, str | Path) else list(inputs)
