"""A trained generator, ready to draw pictures."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8

from saccade.attribution.methods import pictures_at_a_time
from saccade.errors import UsageError, nearest
from saccade.serving.engine import BATCH_SIZE, Engine
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.pixels import to_bytes
from saccade.tasks.flow.sampling import Point, last

MOST_AT_ONCE = 100_000
"""Pictures of one call: all of them lie in memory."""


class Drawn(NamedTuple):
    """New pictures.

    Attributes:
        images: as bytes.
        labels: what each was asked to be; None where there are no classes.
    """

    images: UInt8[np.ndarray, "N C H W"]
    labels: list[str | None]


class Generator:
    """Draws pictures; ``saccade.load`` of a run of ``generate`` makes one.

    Args:
        engine: with the run's task.
    """

    def __init__(self, engine: Engine[Generate]) -> None:
        self.engine = engine

    @property
    def class_names(self) -> tuple[str, ...]:
        """What can be asked for; empty where the model was trained without classes."""
        return self.engine.class_names

    def sample(
        self,
        count: int,
        *,
        label: str | None = None,
        guidance: float | None = None,
        steps: int | None = None,
        seed: int = 0,
    ) -> Drawn:
        """Draws pictures.

        Picture ``i`` of a seed is the same (but for rounding) however many are drawn with it.

        Args:
            count: how many.
            label: of which class; None: of all classes in turn.
            guidance: how much to exaggerate the class, 1 for not at all; None: as the run says.
            steps: of the sampler; None: as the run says.
            seed: another one gives other pictures.

        Raises:
            UsageError: a number that makes no sense, a class that the model does not know, or a
                class or guidance of a model without classes.
        """
        self.check(count, label=label, guidance=guidance, steps=steps, seed=seed)
        names = self.class_names
        asked = (
            [names.index(label)] * count
            if label is not None
            else [k % max(len(names), 1) for k in range(count)]
        )
        images = [
            to_bytes(last(points)).cpu().numpy()
            for points in self._ways(asked, guidance=guidance, steps=steps, seed=seed)
        ]
        return Drawn(np.concatenate(images), [names[k] if names else None for k in asked])

    def path(self, count: int, *, num_shown: int, seed: int = 0) -> UInt8[np.ndarray, "N T C H W"]:
        """Pictures on their way from noise: ``num_shown`` moments of each, evenly spread.

        Fewer where the sampler has fewer steps.
        """
        asked = [k % max(len(self.class_names), 1) for k in range(count)]
        num_steps = self.engine.task.config.flow.num_steps
        moments = np.linspace(0, num_steps, num_shown).round().astype(int).tolist()
        strips = []
        for points in self._ways(asked, guidance=None, steps=None, seed=seed):
            shown = [to_bytes(p.images).cpu().numpy() for k, p in enumerate(points) if k in moments]
            strips.append(np.stack(shown, axis=1))
        return np.concatenate(strips)

    def check(
        self,
        count: int,
        *,
        label: str | None,
        guidance: float | None,
        steps: int | None,
        seed: int,
    ) -> None:
        """Refuses what cannot be drawn; see ``sample``."""
        if not 1 <= count <= MOST_AT_ONCE:
            raise UsageError(
                f"count is {count:,}; from 1 to {MOST_AT_ONCE:,} pictures can be drawn, and more "
                "with other seeds"
            )
        if steps is not None and steps < 1:
            raise UsageError(f"steps is {steps}; the sampler needs at least 1")
        if seed < 0:
            raise UsageError(f"seed is {seed}; it must be 0 or more")
        if guidance is not None and not 0 <= guidance < math.inf:
            raise UsageError(
                f"guidance is {guidance:g}; it must be a number of 0 (the class is ignored) or more"
            )
        if self.class_names and label is not None and label not in self.class_names:
            raise UsageError(f"no class is called {label!r}; {nearest(label, self.class_names)}")
        if not self.class_names and (label is not None or guidance is not None):
            given = "--label" if label is not None else "--guidance"
            raise UsageError(
                f"{given} was given, and this model was trained on pictures without classes; leave "
                "it out, or train on a class folder"
            )

    def _ways(
        self, asked: Sequence[int], *, guidance: float | None, steps: int | None, seed: int
    ) -> Iterator[Iterator[Point]]:
        """The way of a few samples at a time, from noise to pictures; ended before the next."""
        task, device, size = self.engine.task, self.engine.device, self.engine.preprocess
        config = task.config
        fitting = pictures_at_a_time(task, height=size.height, width=size.width)
        at_a_time = min(2 * BATCH_SIZE, fitting)
        for start in range(0, len(asked), at_a_time):
            labels = torch.tensor(asked[start : start + at_a_time], device=device)
            yield task.sample(
                torch.arange(start, start + len(labels), device=device),
                labels,
                seed=seed,
                guidance=config.guidance if guidance is None else guidance,
                num_steps=steps or config.flow.num_steps,
            )
