"""Decay pulls on matrices and kernels alone, and the optimiser's state comes back to the bit."""

import copy
import re
from typing import Any

import pytest
import torch
from torch import nn

from saccade.data.batch import Batch
from saccade.run.device import place
from saccade.run.optimizer import load_optimizer_tensors, make_optimizer, optimizer_tensors
from saccade.tasks.build import AnyTask
from tests import tiny

MODELS: list[tuple[str, dict[str, Any]]] = [
    ("rag-pico4", {}),
    ("rag-pico4", {"model__residual": "layerscale", "model__position": "learned"}),
    (
        "vit-pico4",
        {
            "model__has_class_token": "true",
            "model__num_registers": "2",
            "model__position": "learned",
            "model__residual": "rezero",
        },
    ),
    ("attncnn-pico4", {}),
    ("attncnn-pico4", {"model__similarity": "cosine"}),
    ("cnn-pico4", {}),
]

# What a parameter with decay may be called: the weight of a linear layer or of a convolution.
MATRIX = re.compile(r".*\.weight")


def batch() -> Batch:
    return Batch(
        images=torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8),
        targets=torch.randint(3, (8,)),
        ids=torch.arange(8),
    )


def step(task: AnyTask, optimizer: torch.optim.Optimizer, given: Batch) -> None:
    optimizer.zero_grad()
    task.loss(given, progress=0.0)["loss"].backward()
    optimizer.step()


@pytest.mark.parametrize(("model", "settings"), MODELS)
def test_every_parameter_is_in_exactly_one_group(model: str, settings: dict[str, Any]):
    config = tiny.config(model, **settings)
    task = tiny.task(config)
    grouped = [
        p for group in make_optimizer(task, config.optim).param_groups for p in group["params"]
    ]
    assert len(grouped) == len(list(task.parameters()))
    assert {id(p) for p in grouped} == {id(p) for p in task.parameters()}


@pytest.mark.parametrize(("model", "settings"), MODELS)
def test_only_matrices_and_kernels_decay(model: str, settings: dict[str, Any]):
    config = tiny.config(model, optim__weight_decay="0.3", **settings)
    task = tiny.task(config)
    decayed, free = make_optimizer(task, config.optim).param_groups
    assert decayed["weight_decay"] == 0.3
    assert free["weight_decay"] == 0
    names = {id(p): name for name, p in task.named_parameters()}
    assert [names[id(p)] for p in decayed["params"] if not MATRIX.fullmatch(names[id(p)])] == []
    layers = (nn.Linear, nn.Conv2d)
    matrices = {id(m.weight) for m in task.modules() if isinstance(m, layers)}
    assert {id(p) for p in decayed["params"]} == matrices


def test_frozen_parameters_are_in_no_group_even_where_a_group_is_empty_then():
    config = tiny.config("vit-pico4")
    for is_frozen in (lambda p: p.ndim > 1, lambda p: p.ndim <= 1):
        task = tiny.task(config)
        for parameter in filter(is_frozen, task.parameters()):
            parameter.requires_grad_(False)
        optimizer = make_optimizer(task, config.optim)
        grouped = {id(p) for group in optimizer.param_groups for p in group["params"]}
        assert grouped == {id(p) for p in task.parameters() if p.requires_grad}
        step(task, optimizer, batch())  # torch must bear a group without parameters


@pytest.mark.parametrize("model", ["rag-pico4", "cnn-pico4"])
def test_state_round_trip_continues_bitwise(model: str):
    config = tiny.config(model)
    # Placed as in training: kernels lie channels last in memory, checkpoints do not.
    task = place(tiny.task(config), torch.device("cpu"))
    optimizer = make_optimizer(task, config.optim)
    for _ in range(3):
        step(task, optimizer, batch())

    other = copy.deepcopy(task)
    restored = make_optimizer(other, config.optim)
    load_optimizer_tensors(
        restored,
        other,
        {k: v.clone().contiguous() for k, v in optimizer_tensors(optimizer, task).items()},
    )
    assert tiny.same_bits(optimizer_tensors(restored, other), optimizer_tensors(optimizer, task))

    given = batch()
    step(task, optimizer, given)
    step(other, restored, given)
    assert tiny.same_bits(other.state_dict(), task.state_dict())
    assert tiny.same_bits(optimizer_tensors(restored, other), optimizer_tensors(optimizer, task))


def test_before_the_first_step_there_is_no_state():
    config = tiny.config()
    task = tiny.task(config)
    assert optimizer_tensors(make_optimizer(task, config.optim), task) == {}
