"""Which parameters are moved alike: by rule, by weight decay, by depth."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from saccade.config.run import OptimConfig
from saccade.transformer.attention import SelfAttention
from saccade.transformer.mlp import GatedMlp, Mlp

Rule = Literal["adamw", "sgd", "muon"]

_STAGE = re.compile(r"(?:^|\.)(?:stages|attentions)\.(\d+)\.")
_BLOCK = re.compile(r"(?:^|\.)blocks\.(\d+)\.")


@dataclass(frozen=True, kw_only=True)
class ParameterGroup:
    """Parameters that are moved alike.

    Attributes:
        rule: who moves them.
        lr_share: of the run's learning rate.
        weight_decay: of each step, times the learning rate.
        parameters: by name, in the task's order.
        num_parts: into how many matrices each is divided for Muon, along its rows: 3 for queries,
            keys and values that come from one map.
    """

    rule: Rule
    lr_share: float
    weight_decay: float
    parameters: Mapping[str, nn.Parameter]
    num_parts: int = 1

    @property
    def size(self) -> int:
        """How many numbers these are."""
        return sum(parameter.numel() for parameter in self.parameters.values())


def parameter_groups(task: nn.Module, config: OptimConfig) -> list[ParameterGroup]:
    """Puts each parameter that is trained into exactly one group.

    Decay pulls on matrices and kernels alone. Norms, biases, alphas, gammas, temperatures, learned
    tokens and positions are left out: it would pull them towards a value that means something else
    than "small". Frozen parameters are in no group: they have no gradient, and decay would move
    them all the same.

    With ``layer_decay`` below 1 the learning rate shrinks from the head to the first layer, by this
    factor for each (arXiv 1905.12265); everything outside the backbone counts as the head.
    """
    matrices = _hidden_matrices(task) if config.name == "muon" else {}
    share = _lr_shares(task, config.layer_decay)
    kinds: dict[tuple[Rule, float, float, int], dict[str, nn.Parameter]] = {}
    for name, parameter in task.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = config.weight_decay if _decays(name, parameter) else 0.0
        num_parts = matrices.get(parameter, 0)
        rule: Rule = "sgd" if config.name == "sgd" else "muon" if num_parts else "adamw"
        kinds.setdefault((rule, share[name], decay, num_parts or 1), {})[name] = parameter
    return [
        ParameterGroup(
            rule=rule,
            lr_share=lr_share,
            weight_decay=decay,
            parameters=parameters,
            num_parts=num_parts,
        )
        for (rule, lr_share, decay, num_parts), parameters in kinds.items()
    ]


def group_table(groups: list[ParameterGroup]) -> list[str]:
    """A line for each group: who moves how many numbers, how fast."""
    return [
        f"{group.rule:<6} {group.size:>12,} numbers in {len(group.parameters):>3} tensors, "
        f"lr x {group.lr_share:.3g}, weight decay {group.weight_decay:g}"
        + (f", each as {group.num_parts} matrices" if group.num_parts > 1 else "")
        for group in sorted(groups, key=lambda group: (group.rule, -group.lr_share, -group.size))
    ]


def _decays(name: str, parameter: nn.Parameter) -> bool:
    is_special = name.endswith(("prefix", "position.table", "log_factor"))
    return parameter.ndim > 1 and not is_special


def _hidden_matrices(task: nn.Module) -> dict[Tensor, int]:
    """The weights that map one hidden vector to another, and how many maps each holds.

    Those of blocks, and kernels of the stages of a CNN; not the first layer, which reads pixels,
    nor the head, whose rows are classes: there AdamW is better (Muon's author, and arXiv
    2502.16982).
    """
    found: dict[Tensor, int] = {}
    for place, module in task.named_modules():
        match module:
            case SelfAttention():
                found[module.qkv.weight] = 3
                found[module.proj.weight] = 1
            case Mlp():
                found[module.widen.weight] = found[module.narrow.weight] = 1
            case GatedMlp():
                found[module.widen.weight] = 2
                found[module.narrow.weight] = 1
            case nn.Conv2d() if module.groups == 1 and _STAGE.search(place + "."):
                found[module.weight] = 1
            case _:
                pass
    return found


def _lr_shares(task: nn.Module, layer_decay: float) -> dict[str, float]:
    names = [name for name, _ in task.named_parameters()]
    if layer_decay == 1.0:
        return dict.fromkeys(names, 1.0)
    depths = {name: _depth(name, names) for name in names}
    deepest = max(depths.values())
    return {name: layer_decay ** (deepest - depth) for name, depth in depths.items()}


def _depth(name: str, names: list[str]) -> int:
    """0 for what reads pixels, then a number for each stage and each block, then all the rest."""
    num_stages, num_blocks = (
        1 + max((int(found[1]) for found in map(pattern.search, names) if found), default=-1)
        for pattern in (_STAGE, _BLOCK)
    )
    if not name.startswith("backbone."):
        return num_stages + num_blocks + 1
    stage, block = _STAGE.search(name), _BLOCK.search(name)
    if block is not None:
        return 1 + num_stages + int(block[1])
    if stage is not None:
        return 1 + int(stage[1])
    is_last = name.startswith("backbone.norm.")
    return num_stages + num_blocks + 1 if is_last else 0
