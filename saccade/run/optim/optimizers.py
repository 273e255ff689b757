"""All the optimisers of a run as one: what moves the weights, and its state by name."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from saccade.config.run import OptimConfig
from saccade.run.optim.groups import ParameterGroup, Rule, parameter_groups
from saccade.run.optim.muon import Muon
from saccade.run.shards import shared_out_like


class Optimizers:
    """AdamW (arXiv 1711.05101), SGD with Nesterov's momentum, or Muon with AdamW for the rest.

    Args:
        task: whose parameters are moved.
        config: rule, decay, momenta.

    Attributes:
        groups: which parameters are moved alike.
    """

    def __init__(self, task: nn.Module, config: OptimConfig) -> None:
        self.groups = parameter_groups(task, config)
        self._parameters = dict(task.named_parameters())
        self._optimizers = [
            _make(rule, of_rule, config)
            for rule in ("muon", "adamw", "sgd")
            if (of_rule := [group for group in self.groups if group.rule == rule])
        ]

    def zero_grad(self) -> None:
        """Forgets all gradients."""
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)

    def step(self, *, lr: float) -> None:
        """Moves the weights by their gradients.

        Args:
            lr: learning rate; each group takes its share of it.
        """
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr * group["lr_share"]
            optimizer.step()

    def tensors(self) -> dict[str, Tensor]:
        """The state as flat tensors, named ``<parameter>/<what>``."""
        return {
            f"{name}/{key}": value
            for name, parameter in self._parameters.items()
            for optimizer in self._optimizers
            for key, value in optimizer.state.get(parameter, {}).items()
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        """The inverse of ``tensors``, exact to the bit."""
        whose = {
            parameter: optimizer
            for optimizer in self._optimizers
            for group in optimizer.param_groups
            for parameter in group["params"]
        }
        # In one order in all processes, which share tensors out together; a file has none.
        for name, tensor in sorted(tensors.items()):
            parameter_name, key = name.rsplit("/", 1)
            parameter = self._parameters[parameter_name]
            value = tensor.to(parameter.device)
            if value.shape == parameter.shape:
                # In the parameter's own memory order (channels last for kernels): the fused AdamW
                # walks through memory, and would pair each weight with another weight's moments.
                value = shared_out_like(value, parameter)
                value = torch.empty_like(parameter, requires_grad=False).copy_(value)
            whose[parameter].state[parameter][key] = value


def _make(
    rule: Rule, groups: Sequence[ParameterGroup], config: OptimConfig
) -> torch.optim.Optimizer:
    given: list[dict[str, Any]] = [
        {
            "params": list(group.parameters.values()),
            "weight_decay": group.weight_decay,
            "lr_share": group.lr_share,
        }
        for group in groups
    ]
    match rule:
        case "adamw":
            betas = (config.beta1, config.beta2)
            return torch.optim.AdamW(given, lr=config.lr, betas=betas, fused=True)
        case "sgd":
            return torch.optim.SGD(
                given, lr=config.lr, momentum=config.momentum, nesterov=config.momentum > 0,
                fused=True,
            )  # fmt: skip
        case "muon":
            for each, group in zip(given, groups, strict=True):
                each["num_parts"] = group.num_parts
            return Muon(
                given, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay
            )
