"""Rates are those of the time between two records, and counting operations disturbs nothing."""

import copy
import math
import time

import pytest
import torch

from saccade.data.batch import Batch
from saccade.run.meter import Meter, counted_flops, flops_per_picture, matmul_rate, memory_bytes
from saccade.transformer.linear import Linear
from tests import tiny

CPU = torch.device("cpu")


class FakeTime:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def batch(count: int = 4) -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        images=torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8, generator=generator),
        targets=torch.arange(count) % 3,
        ids=torch.arange(count),
    )


def meter(step: int = 0) -> Meter:
    return Meter(
        tiny.config("vit-pico4"), step=step, pictures_per_step=8, device=CPU, num_devices=1
    )


def test_rates_are_of_the_steps_since_the_last_record(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeTime(monkeypatch)
    made = meter(step=10)
    clock.now += 4

    found = made.take(20)

    assert found["images_per_second"] == pytest.approx(20)
    assert found["step_seconds"] == pytest.approx(0.4)
    clock.now += 1
    assert made.take(21)["images_per_second"] == pytest.approx(8)


def test_waiting_is_a_share_of_the_time_since_the_last_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = FakeTime(monkeypatch)
    made = meter()
    with made.waiting():
        clock.now += 1
    clock.now += 3

    assert made.take(1)["data_wait"] == pytest.approx(0.25)
    clock.now += 1
    assert made.take(2)["data_wait"] == 0


def test_the_share_of_the_peak_is_what_went_into_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saccade.run.meter.matmul_rate", lambda device, precision: 1e9)
    clock = FakeTime(monkeypatch)
    task, config = tiny.task(tiny.config("vit-pico4")), tiny.config("vit-pico4")
    made = meter()
    assert "mfu" not in made.take(0)
    made.look(task, batch())
    clock.now += 2

    flops = flops_per_picture(task, batch(), config)

    assert flops is not None
    assert made.take(5)["mfu"] == pytest.approx(20 * flops / 1e9)


def test_operations_are_three_times_those_of_the_products_forward() -> None:
    config = tiny.config("vit-pico4", model__stem="patches", precision="bf16")
    task = tiny.task(config)
    found = flops_per_picture(task, batch(), config)

    blocks = sum(
        p.numel() for n, p in task.backbone.named_parameters() if "blocks" in n and p.ndim > 1
    )
    products = 2 * 16 * blocks  # 16 patches meet each weight once
    assert found is not None
    assert 3 * products < found < 3 * products * 1.3  # and attention, stem, head


def test_counting_leaves_the_task_and_the_random_numbers_as_they_were() -> None:
    config = tiny.config("cnn-pico4")
    task = tiny.task(config)
    before, state = copy.deepcopy(task.state_dict()), torch.get_rng_state()

    flops_per_picture(task, batch(), config)

    assert tiny.same_bits(task.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in task.parameters())


def test_a_loss_that_cannot_be_had_of_few_pictures_has_no_count() -> None:
    config = tiny.config("cnn-pico4")
    task = tiny.task(config)
    bad = Batch(images=batch().images, targets=torch.full((4,), 99), ids=torch.arange(4))

    assert flops_per_picture(task, bad, config) is None


def test_a_copy_that_does_not_fit_into_memory_has_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(task: object) -> None:
        raise torch.OutOfMemoryError(f"no room for a second {type(task).__name__}")

    config = tiny.config("cnn-pico4")
    task = tiny.task(config)
    monkeypatch.setattr(copy, "deepcopy", refuse)

    assert flops_per_picture(task, batch(), config) is None


def test_what_is_measured_is_a_positive_number() -> None:
    assert math.isfinite(matmul_rate(CPU, "fp32"))
    assert matmul_rate(CPU, "fp32") > 1e6
    assert memory_bytes(CPU) > 50 * 2**20


def test_linear_maps_are_counted_whatever_library_computes_them() -> None:
    x, layer = torch.zeros(2, 5, 8, requires_grad=True), Linear(8, 16)
    with counted_flops() as counter:
        layer(x).sum().backward()
    assert counter.get_total_flops() == 3 * 2 * (2 * 5) * 8 * 16
