"""AdamW and its parameter groups."""

import torch
from torch import Tensor, nn

from saccade.config.run import OptimConfig


def make_optimizer(task: nn.Module, config: OptimConfig) -> torch.optim.AdamW:
    """AdamW (arXiv 1711.05101) with weight decay on matrices and kernels alone.

    Norms, biases, alphas, gammas, temperatures, learned tokens and positions are left out: decay
    would pull them towards a value that means something else than "small". Frozen parameters are
    in no group: they have no gradient, and decay would move them all the same.
    """
    decayed, free = [], []
    for name, parameter in task.named_parameters():
        if not parameter.requires_grad:
            continue
        is_special = name.endswith(("prefix", "position.table", "log_factor"))
        (decayed if parameter.ndim > 1 and not is_special else free).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ],
        lr=config.lr,
        betas=(config.beta1, config.beta2),
        fused=True,
    )


def optimizer_tensors(optimizer: torch.optim.Optimizer, task: nn.Module) -> dict[str, Tensor]:
    """The optimiser's state as flat tensors, named ``<parameter>/<what>``."""
    names = {parameter: name for name, parameter in task.named_parameters()}
    return {
        f"{name}/{key}": value
        for parameter, name in names.items()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def load_optimizer_tensors(
    optimizer: torch.optim.Optimizer, task: nn.Module, tensors: dict[str, Tensor]
) -> None:
    """The inverse of ``optimizer_tensors``, exact to the bit."""
    parameters = dict(task.named_parameters())
    for name, tensor in tensors.items():
        parameter_name, key = name.rsplit("/", 1)
        parameter = parameters[parameter_name]
        value = tensor.to(parameter.device)
        if value.shape == parameter.shape:
            # In the parameter's own memory order (channels last for kernels): the fused AdamW walks
            # through memory, and would pair each weight with another weight's moments.
            value = torch.empty_like(parameter, requires_grad=False).copy_(value)
        optimizer.state[parameter][key] = value
