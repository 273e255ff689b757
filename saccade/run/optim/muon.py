"""Muon: each step moves a weight matrix by the nearest orthogonal matrix to its momentum."""

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of Newton-Schulz: singular values come near 1 in few steps, and need not come nearer."""

NUM_ITERATIONS = 5

RMS = 0.2
"""Of a step's entries at learning rate 1, as AdamW's steps have it (arXiv 2502.16982)."""


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised (kellerjordan.github.io/posts/muon), for matrices and kernels.

    Steps are scaled as in arXiv 2502.16982, so that learning rate and weight decay of AdamW hold
    here too. Matrices of one shape, and a transformer's blocks all have the same, are taken
    together in batched products.

    Args:
        groups: as for any optimiser, each with ``num_parts``: the matrices in each parameter, along
            its rows. Kernels count as matrices with a row for each channel that comes out.
        lr: learning rate.
        momentum: of the gradient, with Nesterov's look ahead.
        weight_decay: of each step, times the learning rate.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], *, lr: float, momentum: float, weight_decay: float
    ) -> None:
        defaults = {
            "lr": lr, "momentum": momentum, "weight_decay": weight_decay, "num_parts": 1
        }  # fmt: skip
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyrefly: ignore[bad-override]
        """Moves every parameter that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            buckets: dict[tuple[int, ...], list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    buckets.setdefault(tuple(parameter.shape), []).append(parameter)
            for parameters in buckets.values():
                self._step_alike(parameters, group)

    def _step_alike(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Parameters of one shape."""
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        momenta = [self.state[parameter]["momentum"] for parameter in parameters]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])
        rows = parameters[0].shape[0] // group["num_parts"]
        matrices = torch.stack([each.reshape(-1, rows, each[0].numel()) for each in ahead])
        directions = orthogonalise(matrices.flatten(0, 1)).unflatten(0, matrices.shape[:2])
        scale = RMS * max(matrices.shape[-2:]) ** 0.5
        torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(
            parameters,
            [each.reshape(parameters[0].shape) for each in directions.to(parameters[0].dtype)],
            alpha=-group["lr"] * scale,
        )


def orthogonalise(matrices: Float[Tensor, "n R C"]) -> Float[Tensor, "n R C"]:
    """U V^T of each matrix U S V^T, roughly: singular values between 0.7 and 1.2.

    Five steps of a quintic Newton-Schulz iteration, in bf16, whose error does not matter here.
    """
    a, b, c = COEFFICIENTS
    is_tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if is_tall else matrices  # the smaller products
    x = (x / x.float().norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)).bfloat16()
    for _ in range(NUM_ITERATIONS):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if is_tall else x
