"""A task together with what changes its weights: the optimiser and the average."""

import hashlib

import torch
from torch import Tensor, nn

from saccade.config.run import RunConfig
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.run.average import WeightAverage
from saccade.run.device import autocast, place
from saccade.run.freeze import freeze
from saccade.run.optimizer import load_optimizer_tensors, make_optimizer, optimizer_tensors
from saccade.run.schedule import learning_rate
from saccade.tasks.build import AnyTask
from saccade.transformer.block import Blocks
from saccade.transformer.modulate import ModulatedBlocks


class Learner:
    """One optimiser step at a time.

    Args:
        task: its weights are changed in place.
        config: all numbers.
        device: where to run.

    Attributes:
        frozen: what ``config.optim.freeze`` takes out of training.
        average: the averaged weights, as a task of its own.
        lr: the learning rate of the last step.

    Raises:
        UsageError: ``config.optim.freeze`` names no parameter, or all of them.
    """

    def __init__(self, task: AnyTask, *, config: RunConfig, device: torch.device) -> None:
        self.task = place(task, device).train()
        self.config = config
        self.device = device
        self.frozen = freeze(task, config.optim.freeze)
        if config.gradient_checkpointing:
            _recompute(task)
        self.optimizer = make_optimizer(task, config.optim)
        self.average = WeightAverage(task)
        self.lr = 0.0

    def step(
        self, batch: Batch, *, epoch: int, step: int, planned_steps: int, progress: float
    ) -> dict[str, float]:
        """Augments a batch, computes the loss and its gradient, and moves the weights.

        Args:
            batch: as it comes from the loader.
            epoch: of this batch; with the seed it decides how the pictures are augmented.
            step: how many steps were made before this one.
            planned_steps: how many there will be; the length of the average is a share of it.
            progress: the share of the training that is done, which decides the learning rate.

        Returns:
            The task's figures for this batch, and ``grad_norm`` before clipping.
        """
        config = self.config
        self.frozen.hold()  # somebody may have called task.train() since the last step
        batch = augment(batch.to(self.device), config.augment, seed=config.seed, epoch=epoch)
        torch.manual_seed(_step_seed(config.seed, step))  # for drop-path and its like
        with autocast(self.device, config.precision):
            losses = self.task.loss(batch, progress=progress)
        self.optimizer.zero_grad(set_to_none=True)
        losses["loss"].backward()
        grad_norm = nn.utils.clip_grad_norm_(self.task.parameters(), config.optim.clip_norm)
        self.lr = learning_rate(progress, config.optim)
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        self.optimizer.step()
        self.average.update(step=step + 1, horizon=config.optim.average * planned_steps)
        return {name: value.item() for name, value in losses.items()} | {
            "grad_norm": grad_norm.item()
        }

    def tensors(self) -> dict[str, Tensor]:
        """Weights, averages and the optimiser's state, by name."""
        return (
            {f"task/{name}": value for name, value in self.task.state_dict().items()}
            | {f"average/{name}": value for name, value in self.average.task.state_dict().items()}
            | {
                f"optimizer/{name}": value
                for name, value in optimizer_tensors(self.optimizer, self.task).items()
            }
        )

    def load(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of ``tensors``, exact to the bit."""
        parts: dict[str, dict[str, Tensor]] = {"task": {}, "average": {}, "optimizer": {}}
        for name, value in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = value
        self.task.load_state_dict(parts["task"])
        self.average.task.load_state_dict(parts["average"])
        load_optimizer_tensors(self.optimizer, self.task, parts["optimizer"])


def _recompute(task: AnyTask) -> None:
    """Tells all transformer blocks to keep only what goes into them; see ``Blocks``."""
    for module in task.modules():
        if isinstance(module, Blocks | ModulatedBlocks):
            module.recompute = True


def _step_seed(seed: int, step: int) -> int:
    """A seed for torch's generator that depends on nothing but the run's seed and the step."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{step}".encode(), digest_size=7).digest())
