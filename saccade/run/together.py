"""A step of several processes: each computes its share, and gradients are averaged."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from saccade.data.batch import Batch
from saccade.tasks.build import AnyTask


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
    for parameter in loss.parameters():
        if parameter.numel() == 0:  # a prefix of no tokens; nothing would ever arrive for it
            parameter.requires_grad = False
    return DistributedDataParallel(
        loss, device_ids=[device.index] if device.type == "cuda" else None
    )


def exchange(loss: nn.Module, *, is_due: bool) -> AbstractContextManager[None]:
    """Whether the gradients of a part are exchanged at once, or with those of the next parts."""
    if is_due or not isinstance(loss, DistributedDataParallel):
        return nullcontext()
    return loss.no_sync()
