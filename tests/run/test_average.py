"""The average is the plain recurrence, over weights and batch statistics alike."""

import torch

from saccade.run.average import WeightAverage
from tests import tiny


def shake(task: torch.nn.Module, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    with torch.no_grad():
        for value in task.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=generator))
            else:
                value.add_(1)


def test_average_is_the_plain_recurrence():
    task = tiny.task(tiny.config("cnn-pico4"))
    average = WeightAverage(task)
    expected = {name: value.double() for name, value in task.state_dict().items()}
    for step in range(1, 40):
        shake(task, step)
        average.update(step=step, horizon=3.0)
        length = min(3.0, (10 + step) / 10)
        for name, value in task.state_dict().items():
            expected[name] += (value.double() - expected[name]) / length
    found = average.task.state_dict()
    for name, value in task.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(found[name].double(), expected[name], atol=1e-5, rtol=1e-5)


def test_batch_statistics_are_averaged_and_counters_copied():
    task = tiny.task(tiny.config("cnn-pico4"))
    average = WeightAverage(task)
    for step in range(1, 4):
        shake(task, step)
        average.update(step=step, horizon=1000.0)
    found, given = average.task.state_dict(), task.state_dict()
    (mean, *_) = [name for name in given if name.endswith("running_mean")]
    assert not torch.equal(found[mean], given[mean])
    assert found[mean].abs().max() > 0
    (counter, *_) = [name for name in given if name.endswith("num_batches_tracked")]
    assert found[counter].item() == given[counter].item() == 3


def test_a_horizon_of_one_step_or_less_is_the_weights_themselves():
    task = tiny.task(tiny.config())
    average = WeightAverage(task)
    shake(task, 1)
    average.update(step=1, horizon=0.2)
    assert tiny.same_bits(average.task.state_dict(), task.state_dict())


def test_early_averages_forget_the_first_weights_quickly():
    task = tiny.task(tiny.config())
    average = WeightAverage(task)
    with torch.no_grad():
        for value in task.parameters():
            value.fill_(1.0)
    for step in range(1, 11):
        average.update(step=step, horizon=10_000.0)
    for value in average.task.parameters():
        torch.testing.assert_close(value, torch.ones_like(value), atol=1e-3, rtol=0)


def test_average_stays_in_evaluation_mode_and_wants_no_gradient():
    task = tiny.task(tiny.config("cnn-pico4")).train()
    average = WeightAverage(task)
    assert not any(module.training for module in average.task.modules())
    assert not any(parameter.requires_grad for parameter in average.task.parameters())
    assert all(parameter.requires_grad for parameter in task.parameters())
