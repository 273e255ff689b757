"""All optimisers of a run move every weight, and their state comes back to the bit."""

import copy
from typing import Any

import pytest
import torch

from saccade.data.batch import Batch
from saccade.run.device import place
from saccade.run.optim.optimizers import Optimizers
from saccade.tasks.build import AnyTask
from tests import tiny


def batch() -> Batch:
    return Batch(
        images=torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8),
        targets=torch.randint(3, (8,)),
        ids=torch.arange(8),
    )


def step(task: AnyTask, optimizers: Optimizers, given: Batch) -> None:
    optimizers.zero_grad()
    task.loss(given, progress=0.0)["loss"].backward()
    optimizers.step(lr=1e-3)


def optimizers(task: AnyTask, **settings: Any) -> Optimizers:
    return Optimizers(task, tiny.config("rag-pico4", **settings).optim)


@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize("model", ["rag-pico4", "cnn-pico4"])
def test_state_round_trip_continues_bitwise(model: str, name: str):
    config = tiny.config(model, optim__name=name)
    # Placed as in training: kernels lie channels last in memory, checkpoints do not.
    task = place(tiny.task(config), torch.device("cpu"))
    first = Optimizers(task, config.optim)
    for _ in range(3):
        step(task, first, batch())

    other = copy.deepcopy(task)
    restored = Optimizers(other, config.optim)
    restored.load({k: v.clone().contiguous() for k, v in first.tensors().items()})
    assert tiny.same_bits(restored.tensors(), first.tensors())

    given = batch()
    step(task, first, given)
    step(other, restored, given)
    assert tiny.same_bits(other.state_dict(), task.state_dict())
    assert tiny.same_bits(restored.tensors(), first.tensors())


@pytest.mark.parametrize("name", ["adamw", "sgd", "muon"])
def test_every_parameter_is_moved(name: str):
    task = tiny.task(tiny.config("rag-pico4"))
    before = copy.deepcopy(task.state_dict())

    made = optimizers(task, optim__name=name)
    for parameter in task.parameters():
        parameter.grad = torch.randn_like(parameter)

    made.step(lr=0.1)

    parameters = [(n, p) for n, p in task.named_parameters() if p.numel()]
    still = [n for n, p in parameters if torch.equal(p, before[n])]
    assert still == []


def test_each_group_takes_its_share_of_the_learning_rate():
    task = tiny.task(tiny.config("vit-pico4"))
    made = optimizers(task, optim__name="sgd", optim__momentum="0", optim__layer_decay="0.5",
                      optim__weight_decay="0")  # fmt: skip
    before = copy.deepcopy(task.state_dict())
    for parameter in task.parameters():
        parameter.grad = torch.ones_like(parameter)

    made.step(lr=0.1)

    shares = {name: group.lr_share for group in made.groups for name in group.parameters}
    for name, parameter in task.named_parameters():
        torch.testing.assert_close(
            before[name] - parameter,
            torch.full_like(parameter, 0.1 * shares[name]),
            rtol=1e-3,
            atol=1e-6,
        )
    assert len(set(shares.values())) > 2


def test_before_the_first_step_there_is_no_state():
    task = tiny.task(tiny.config())
    assert optimizers(task).tensors() == {}
