"""A step of several processes: each computes its share, and gradients are averaged."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.errors import UsageError
from saccade.tasks.build import AnyTask
from saccade.transformer.block import Blocks
from saccade.transformer.modulate import ModulatedBlocks


class TaskLoss(nn.Module):
    """A task's loss as the forward pass, which is what PyTorch distributes."""

    def __init__(self, task: AnyTask) -> None:
        super().__init__()
        self.task = task

    def forward(self, batch: Batch, progress: float) -> Mapping[str, Tensor]:
        """See ``Task.loss``."""
        return self.task.loss(batch, progress=progress)


def together(loss: TaskLoss, device: torch.device) -> DistributedDataParallel:
    """The same in each of several processes, which all take the weights of the first.

    While gradients are computed they are averaged over the processes, so that every process moves
    its weights by the same step. Batch norms see their own share of the batch alone.
    """
    _freeze_the_empty(loss)
    return DistributedDataParallel(
        loss, device_ids=[device.index] if device.type == "cuda" else None
    )


def shared_out(loss: TaskLoss, device: torch.device) -> nn.Module:
    """The same, with weights, gradients and the optimiser's state shared out among processes.

    Each block of a transformer is put together just before it computes, and taken apart after
    (fully sharded data parallel, arXiv 2304.11277, as FSDP2 of PyTorch does it).
    """
    from torch.distributed.fsdp import fully_shard  # noqa: PLC0415 - slow to import

    _freeze_the_empty(loss)
    for tensor in (*loss.parameters(), *loss.buffers()):
        tensor.data = tensor.data.contiguous()  # kernels are channels last, which it does not take
        dist.broadcast(tensor.data, src=0)
    mesh = dist.device_mesh.init_device_mesh(device.type, (dist.get_world_size(),))
    for module in loss.modules():
        if isinstance(module, Blocks | ModulatedBlocks):
            for block in module:
                fully_shard(block, mesh=mesh)
    fully_shard(loss, mesh=mesh)
    return loss


def require_shareable(config: RunConfig) -> None:
    """Checks that weights can be shared out.

    Raises:
        UsageError: something looks at whole matrices, or at two networks at once.
    """
    if config.optim.name == "muon":
        raise UsageError(
            "shard=true shares each matrix out, and optim.name=muon needs whole ones; leave out one"
        )
    if getattr(config.task, "method", "") == "dino":
        raise UsageError(
            "shard=true does not take task.method=dino, whose teacher follows the student's "
            "weights; take another method, or leave out shard"
        )


def _freeze_the_empty(loss: TaskLoss) -> None:
    """A prefix of no tokens is a parameter without numbers: nothing would ever arrive for it."""
    for parameter in loss.parameters():
        if parameter.numel() == 0:
            parameter.requires_grad = False


def exchange(loss: nn.Module, *, is_due: bool) -> AbstractContextManager[None]:
    """Whether the gradients of a part are exchanged at once, or with those of the next parts."""
    if is_due or not isinstance(loss, DistributedDataParallel):
        return nullcontext()
    return loss.no_sync()
