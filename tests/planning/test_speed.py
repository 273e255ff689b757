"""A step is timed as it will be trained, and timing it changes nothing in what follows."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from saccade.config.json import override
from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.planning import speed
from saccade.planning.segment import made_up_targets, segment
from saccade.planning.speed import seconds_per_step
from saccade.run.learner import Learner
from tests import tiny

CPU = torch.device("cpu")


def measure(config: RunConfig, *, num_steps: int = 4) -> float:
    return seconds_per_step(
        config,
        num_classes=3,
        preprocess=tiny.preprocess(),
        device=CPU,
        targets=torch.arange(config.data.batch_size) % 3,
        batch_size=config.data.batch_size,
        num_steps=num_steps,
    )


def small(model: str = "cnn-pico4", **settings: Any) -> RunConfig:
    return tiny.config(model, data__batch_size="4", **settings)


@pytest.mark.parametrize("model", ["vit-pico4", "rag-pico4", "attncnn-pico4", "cnn-pico4"])
def test_a_step_of_any_family_takes_some_time(model: str):
    assert measure(small(model), num_steps=1) > 0


def test_the_answer_is_the_median_without_the_first_step(monkeypatch: pytest.MonkeyPatch):
    durations = iter([100.0, 1.0, 7.0, 2.0, 3.0])
    now, is_started = 0.0, False

    def perf_counter() -> float:
        nonlocal now, is_started
        if is_started:
            now += next(durations)
        is_started = not is_started
        return now

    monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=perf_counter))
    assert measure(small()) == pytest.approx(2.5)
    assert next(durations, None) is None


def test_what_is_timed_are_whole_steps_on_pictures_of_the_right_shape(
    monkeypatch: pytest.MonkeyPatch,
):
    batches: list[Batch] = []
    steps: list[int] = []

    class Watched(Learner):
        def step(self, batch: Batch, **options: Any) -> dict[str, float]:
            batches.append(batch)
            steps.append(options["step"])
            before = [parameter.clone() for parameter in self.task.parameters()]
            figures = super().step(batch, **options)
            assert any(
                not torch.equal(a, b) for a, b in zip(before, self.task.parameters(), strict=True)
            )
            return figures

    monkeypatch.setattr(speed, "Learner", Watched)
    measure(small(), num_steps=2)
    assert steps == [0, 1, 2]
    for batch in batches:
        assert batch.images.shape == (4, 3, 16, 16)
        assert batch.images.dtype == torch.uint8
        assert batch.labels is not None
        assert 0 <= batch.labels.min() <= batch.labels.max() < 3


def test_timing_does_not_change_the_training_that_follows():
    """Torch's global generator is left elsewhere; a run must not depend on where it stands."""
    config = small("rag-pico4", model__drop_path="0.3")
    batch = Batch(
        images=torch.randint(256, (4, 3, 16, 16), dtype=torch.uint8),
        targets=torch.randint(3, (4,)),
        ids=torch.arange(4),
    )

    def trained() -> dict[str, torch.Tensor]:
        learner = Learner(tiny.task(config), config=config, device=CPU)
        learner.step(batch, epoch=0, step=0, planned_steps=10, progress=0.5)
        return learner.tensors()

    expected = trained()
    measure(config, num_steps=1)
    assert tiny.same_bits(trained(), expected)


def test_timing_is_repeatable_in_all_but_time(monkeypatch: pytest.MonkeyPatch):
    seen: list[list[float]] = []

    class Watched(Learner):
        def step(self, batch: Batch, **options: Any) -> dict[str, float]:
            figures = super().step(batch, **options)
            seen[-1].append(figures["loss"])
            return figures

    monkeypatch.setattr(speed, "Learner", Watched)
    for _ in range(2):
        seen.append([])
        measure(small("rag-pico4"), num_steps=1)
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2


def test_classes_that_are_stuff_are_timed_though_the_names_are_made_up():
    config = segment(
        replace(tiny.facts(), num_segments=8),
        source="masks",
        model="vit-pico4",
        image_size=16,
        steps=100,
        budget_seconds=60.0,
        precision="fp32",
        num_threads=1,
        seed=0,
    )
    config = override(config, {"task.stuff": "sky"})
    targets = made_up_targets(config, tiny.preprocess(), 3, 2)

    taken = seconds_per_step(
        config,
        num_classes=3,
        preprocess=tiny.preprocess(),
        device=CPU,
        targets=targets,
        batch_size=2,
        num_steps=1,
    )

    assert taken > 0
