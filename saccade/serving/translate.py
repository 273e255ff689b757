"""A trained translator, ready to turn pictures into others."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from saccade.data.batch import Batch
from saccade.data.samples import Samples
from saccade.data.sources import Paths, open_pictures
from saccade.errors import UsageError
from saccade.serving.engine import Engine
from saccade.tasks.flow.edits import grey
from saccade.tasks.flow.sampling import JUDGING_SEED
from saccade.tasks.flow.translate import Translate

Pixels = UInt8[np.ndarray, "H W C"]


class Translation(NamedTuple):
    """The answer for one picture, as large as that was; larger by the factor of ``enlarge``.

    Attributes:
        path: as it was given.
        given: what the model was shown, in its own size; None when the picture could not be read.
        picture: the flow's answer.
        regression: the baseline's, made in one step.
        error: why there is no answer; None when there is one.
    """

    path: str
    given: Pixels | None
    picture: Pixels | None
    regression: Pixels | None
    error: str | None


class Translator:
    """Translates pictures; ``saccade.load`` of a run of ``translate`` makes one.

    Args:
        engine: with the run's task.
    """

    def __init__(self, engine: Engine[Translate]) -> None:
        self.engine = engine

    def translate(
        self,
        inputs: Paths,
        *,
        steps: int | None = None,
        seed: int = JUDGING_SEED,
    ) -> list[Translation]:
        """Translates pictures, or folders of them; one answer per picture, in order.

        Args:
            inputs: pictures as the model is to be given them: noisy ones to be denoised, small
                ones to be enlarged; their colours are taken away where it is to give others.
            steps: of the sampler; None: as the run says.
            seed: another one gives other answers.

        Raises:
            UsageError: a path does not exist, or a number makes no sense.
        """
        return list(self.stream(open_pictures(inputs), steps=steps, seed=seed))

    def stream(
        self, samples: Samples, *, steps: int | None = None, seed: int = JUDGING_SEED
    ) -> Iterator[Translation]:
        """The same, one at a time and in constant memory."""
        if steps is not None and steps < 1:
            raise UsageError(f"steps is {steps}; the sampler needs at least 1")
        if seed < 0:
            raise UsageError(f"seed is {seed}; it must be 0 or more")

        def answers(batch: Batch) -> Iterator[Translation]:
            for answer, i in zip(
                self._answers(batch, steps=steps, seed=seed), batch.ids.tolist(), strict=True
            ):
                yield answer._replace(path=samples.pictures.name(i))

        yield from self.engine.in_order(samples, answers, unreadable=_unreadable, keeps_sizes=True)

    def _answers(self, batch: Batch, *, steps: int | None, seed: int) -> Iterator[Translation]:
        task, device = self.engine.task, self.engine.device
        edit = task.config.edit
        images = batch.images.to(device)
        given = grey(images) if edit.kind == "colourise" else images
        with torch.inference_mode():
            answer = task.translate(
                given,
                batch.ids.to(device),
                seed=seed,
                num_steps=steps or task.config.flow.num_steps,
            )
        assert batch.sizes is not None
        factor = edit.factor if edit.kind == "enlarge" else 1
        for k, (height, width) in enumerate(batch.sizes.tolist()):
            size = (height * factor, width * factor)
            yield Translation(
                path="",
                given=_last(given[k].cpu().numpy()),
                picture=resized(_last(answer.pictures[k].cpu().numpy()), *size),
                regression=resized(_last(answer.regression[k].cpu().numpy()), *size),
                error=None,
            )


def resized(image: Pixels, height: int, width: int) -> UInt8[np.ndarray, "{height} {width} C"]:
    """A picture in the size of another, by Lanczos' filter."""
    if image.shape[:2] == (height, width):
        return image
    plain = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    large = np.asarray(plain.resize((width, height), Image.Resampling.LANCZOS))
    return large.reshape(height, width, image.shape[2])


def _last(image: UInt8[np.ndarray, "C H W"]) -> Pixels:
    return np.ascontiguousarray(image.transpose(1, 2, 0))


def _unreadable(name: str, reason: str) -> Translation:
    return Translation(name, None, None, None, reason)
