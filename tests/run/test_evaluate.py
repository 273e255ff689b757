"""Figures over batches are those over all pictures at once; a signal ends it between batches."""

from collections.abc import Iterable, Iterator

import pytest
import torch

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.metrics.classify import ClassMetrics
from saccade.run.evaluate import evaluate
from saccade.run.stop import StopSignals
from saccade.tasks.classify import Classify
from tests import tiny

CPU = torch.device("cpu")


def batch(count: int, *, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        images=torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8, generator=generator),
        targets=torch.randint(3, (count,), generator=generator),
        ids=torch.arange(count),
    )


def split(whole: Batch, *sizes: int) -> list[Batch]:
    assert whole.labels is not None
    parts = zip(*(x.split(sizes) for x in (whole.images, whole.labels, whole.ids)), strict=True)
    return [Batch(images=images, targets=targets, ids=ids) for images, targets, ids in parts]


def figures(
    task: Classify,
    batches: Iterable[Batch],
    *,
    config: RunConfig,
    stop: StopSignals | None = None,
) -> dict[str, float] | None:
    measure = evaluate(task, batches, config=config, device=CPU, stop=stop)
    return None if measure is None else measure.figures()


def test_figures_are_those_of_all_pictures_at_once():
    config, given = tiny.config("cnn-pico4"), batch(12)
    task = tiny.task(config).eval()
    expected = ClassMetrics(tiny.CLASSES)
    assert given.labels is not None
    expected.update(task.predict(given), given.labels)
    found = figures(task, split(given, 5, 4, 2, 1), config=config)
    assert found == pytest.approx(expected.result().values(), abs=1e-5)


def test_evaluating_changes_no_weight_and_keeps_no_gradient():
    config = tiny.config("rag-pico4")
    task = tiny.task(config).eval()
    before = {name: value.clone() for name, value in task.state_dict().items()}
    first = figures(task, [batch(8)], config=config)
    assert tiny.same_bits(task.state_dict(), before)
    assert all(parameter.grad is None for parameter in task.parameters())
    assert figures(task, [batch(8)], config=config) == first


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)]
)
def test_the_precision_is_that_of_the_config(precision: str, dtype: torch.dtype):
    seen: list[tuple[torch.dtype, bool]] = []
    config = tiny.config("vit-pico4", precision=precision)
    task = tiny.task(config).eval()

    def note(_: object, __: object, output: torch.Tensor) -> None:
        seen.append((output.dtype, torch.is_inference_mode_enabled()))

    linear = next(m for m in task.modules() if isinstance(m, torch.nn.Linear))
    linear.register_forward_hook(note)
    assert figures(task, [batch(4)], config=config) is not None
    assert seen == [(dtype, True)]


@pytest.mark.parametrize("number", [2, 15])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_signal_stops_it_before_the_next_batch_and_there_are_no_figures(number: int, after: int):
    config, stop = tiny.config("cnn-pico4"), StopSignals()
    task = tiny.task(config).eval()
    answered: list[int] = []
    task.register_forward_pre_hook(lambda _, args: answered.append(len(args[0])))

    def batches() -> Iterator[Batch]:
        for place in range(5):
            if place == after:
                stop.received = number
            yield batch(place + 1)

    assert figures(task, batches(), config=config, stop=stop) is None
    assert answered == list(range(1, after + 1))


def test_while_no_signal_comes_the_listener_changes_nothing():
    config, given = tiny.config("cnn-pico4"), split(batch(6), 4, 2)
    task = tiny.task(config).eval()
    with StopSignals() as stop:
        assert figures(task, given, config=config, stop=stop) == figures(task, given, config=config)
