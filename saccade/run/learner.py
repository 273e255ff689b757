"""A task together with what changes its weights: the optimiser and the average."""

import copy
import hashlib
import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from saccade.config.run import RunConfig
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.errors import SaccadeError
from saccade.run.average import WeightAverage
from saccade.run.device import autocast, place, require_compiler
from saccade.run.freeze import freeze
from saccade.run.optim.optimizers import Optimizers
from saccade.run.schedule import learning_rate
from saccade.run.shards import put, whole
from saccade.run.teacher import Teacher
from saccade.run.together import TaskLoss, exchange, require_shareable, shared_out, together
from saccade.run.world import ALONE, World
from saccade.tasks.build import AnyTask
from saccade.tasks.pretrain.features import PretrainFeatures
from saccade.transformer.block import Blocks
from saccade.transformer.modulate import ModulatedBlocks


class Learner:
    """One optimiser step at a time.

    Args:
        task: its weights are changed in place.
        config: all numbers.
        device: where to run.
        world: who learns with this process; all start from the weights of the first.
        teacher: says what it thinks of each batch, where there is one.

    Attributes:
        frozen: what ``config.optim.freeze`` takes out of training.
        average: the averaged weights, as a task of its own.
        is_shared_out: whether this process holds but a part of the weights.
        lr: the learning rate of the last step.

    Raises:
        UsageError: ``config.optim.freeze`` names no parameter, or all of them; or nothing here
            compiles; or the weights cannot be shared out.
    """

    def __init__(
        self,
        task: AnyTask,
        *,
        config: RunConfig,
        device: torch.device,
        world: World = ALONE,
        teacher: Teacher | None = None,
    ) -> None:
        self.task = place(task, device).train()
        self.config = config
        self.device = device
        self._statistics = _Statistics(task)  # before freezing adds parameters that never move
        self.frozen = freeze(task, config.optim.freeze)
        if config.gradient_checkpointing:
            _recompute(task)
        if config.compile:
            require_compiler(device)
            task.backbone.compile()  # in place, so that names in checkpoints stay as they are
        self._world = world
        self._teacher = teacher
        self.is_shared_out = config.shard and not world.is_alone
        copied = None
        if self.is_shared_out:
            require_shareable(config)
            copied = copy.deepcopy(task)
            self._loss = shared_out(TaskLoss(task), device)
        else:
            self._loss = TaskLoss(task) if world.is_alone else together(TaskLoss(task), device)
        self.optimizers = Optimizers(task, config.optim)
        self.average = WeightAverage(task, copied=copied)
        self.lr = 0.0

    def step(
        self,
        batch: Batch,
        *,
        epoch: int,
        step: int,
        planned_steps: int,
        progress: float,
        micro_batch: int = 0,
    ) -> dict[str, float]:
        """Augments a batch, computes the loss and its gradient, and moves the weights.

        Where a figure is not finite, nothing is moved, and running statistics are put back; so they
        are where memory does not suffice.

        Args:
            batch: as it comes from the loader.
            epoch: of this batch; with the seed it decides how the pictures are augmented.
            step: how many steps were made before this one.
            planned_steps: how many there will be; the length of the average is a share of it.
            progress: the share of the training that is done, which decides the learning rate.
            micro_batch: pictures computed at a time, their gradients added up; 0: all of them.

        Returns:
            The task's figures for this batch, and ``grad_norm`` before clipping.

        Raises:
            torch.OutOfMemoryError: fewer pictures at a time may fit.
        """
        config = self.config
        self.frozen.hold()  # somebody may have called task.train() since the last step
        batch = augment(batch.to(self.device), config.augment, seed=config.seed, epoch=epoch)
        torch.manual_seed(_step_seed(config.seed, step))  # for drop-path and its like
        self._statistics.keep()
        self.optimizers.zero_grad()
        try:
            sums = self._backward(batch, progress, size=micro_batch or len(batch))
        except torch.OutOfMemoryError:
            self._statistics.put_back()
            raise
        grad_norm = whole(nn.utils.clip_grad_norm_(self.task.parameters(), config.optim.clip_norm))
        figures = self._world.mean(_numbers(sums | {"grad_norm": grad_norm}))
        if not all(map(math.isfinite, figures.values())):
            self._statistics.put_back()
            return figures
        self.lr = learning_rate(progress, config.optim)
        self.optimizers.step(lr=self.lr)
        self.average.update(step=step + 1, horizon=config.optim.average * planned_steps)
        return figures

    def _backward(self, batch: Batch, progress: float, *, size: int) -> dict[str, Tensor]:
        """Adds up the gradients and the figures of the parts of a batch."""
        sums: dict[str, Tensor] = {}
        parts = batch.parts(size)
        for part in parts:
            share = len(part) / len(batch)
            is_last = part is parts[-1]
            if self._teacher is not None:
                part = self._teacher.tell(part)
            with exchange(self._loss, is_due=is_last):
                with autocast(self.device, self.config.precision):
                    losses = self._loss(part, progress)
                (losses["loss"] * share).backward()
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value.detach() * share
        return sums

    def judged(self, batches: Iterable[Batch]) -> Iterable[Batch]:
        """Batches of a validation; with the teacher's words, where a task is judged by them."""
        if self._teacher is None or not isinstance(self.task, PretrainFeatures):
            return batches
        return self._teacher.tell_all(batches)

    def plain_task(self) -> AnyTask:
        """A task whose weights are all here, of the shapes that are trained."""
        return self.average.task if self.is_shared_out else self.task

    def tensors(self) -> dict[str, Tensor]:
        """Weights, averages and the optimiser's state, by name, all of them whole.

        Where weights are shared out, all processes must ask at the same point.
        """
        average = self.average.gathered().state_dict()
        return (
            {f"task/{name}": whole(value) for name, value in self.task.state_dict().items()}
            | {f"average/{name}": value for name, value in average.items()}
            | {f"optimizer/{name}": whole(x) for name, x in self.optimizers.tensors().items()}
        )

    def load(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of ``tensors``, exact to the bit."""
        parts: dict[str, dict[str, Tensor]] = {"task": {}, "average": {}, "optimizer": {}}
        for name, value in tensors.items():
            part, _, rest = name.partition("/")
            parts[part][rest] = value
        if self.is_shared_out:
            for name, target in self.task.state_dict().items():
                put(target, parts["task"][name])
        else:
            self.task.load_state_dict(parts["task"])
        self.average.load(parts["average"])
        self.optimizers.load(parts["optimizer"])


def smaller_part(part: int, task: AnyTask, error: Exception) -> int:
    """How many pictures to compute at a time after so many did not fit into memory.

    Args:
        part: that were tried.
        task: whether its loss adds up is what decides if parts are possible.
        error: what the device said.

    Raises:
        SaccadeError: fewer are not possible.
    """
    if part == 1 or not task.takes_parts:
        why = (
            "one picture alone does not fit"
            if part == 1
            else "this loss compares the pictures of a batch with each other, so that it cannot be "
            "computed in parts"
        )
        raise SaccadeError(
            f"out of memory with {part} pictures at a time, and {why}; lower data.batch_size, "
            "data.image_size or the size of the model, or set gradient_checkpointing=true "
            f"({str(error).splitlines()[0]})"
        ) from error
    return (part + 1) // 2


class _Statistics:
    """What a task changes while it computes a loss: running means of batch norms, a teacher."""

    def __init__(self, task: nn.Module) -> None:
        by_task = [each for each in task.parameters() if not each.requires_grad]
        self._buffers = [*task.buffers(), *by_task]
        self._kept = [buffer.detach().clone() for buffer in self._buffers]

    @torch.no_grad()
    def keep(self) -> None:
        for kept, buffer in zip(self._kept, self._buffers, strict=True):
            kept.copy_(buffer)

    @torch.no_grad()
    def put_back(self) -> None:
        for kept, buffer in zip(self._kept, self._buffers, strict=True):
            buffer.copy_(kept)


def _numbers(figures: dict[str, Tensor]) -> dict[str, float]:
    """Scalars in one copy: a GPU is waited for once in a step, when its gradient is known."""
    device = figures["loss"].device
    values = [value.detach().to(device, torch.float32) for value in figures.values()]
    return dict(zip(figures, torch.stack(values).tolist(), strict=True))


def _recompute(task: AnyTask) -> None:
    """Tells all transformer blocks to keep only what goes into them; see ``Blocks``."""
    for module in task.modules():
        if isinstance(module, Blocks | ModulatedBlocks):
            module.recompute = True


def _step_seed(seed: int, step: int) -> int:
    """A seed for torch's generator that depends on nothing but the run's seed and the step."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{step}".encode(), digest_size=7).digest())
