"""A linear map that takes the faster of the two matrix libraries inside PyTorch."""

import functools
import platform
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

NARROW = 256
"""Width below which the gradient of a weight is left to MKL: three times as fast at 96 x 192."""


class Linear(nn.Linear):
    """``nn.Linear``, with the same parameters and, to rounding, the same numbers.

    In fp32 on a CPU, PyTorch multiplies with MKL, which takes its AVX2 code on processors that are
    not Intel's. oneDNN, in the same build, takes AVX-512 there: measured by ``python -m benchmarks
    linear`` on an AMD EPYC, 1.6 to 6 times as fast forward, as much for the gradient of the input,
    1 to 1.5 times for that of a wide weight. In bf16 PyTorch takes oneDNN by itself.
    """

    def forward(self, input: Float[Tensor, "*B D"]) -> Float[Tensor, "*B D2"]:  # noqa: A002 - torch's
        """Maps the last dimension."""
        if _onednn_serves(input, self.weight):
            return _OneDnnLinear.apply(input, self.weight, self.bias)
        return F.linear(input, self.weight, self.bias)


@functools.cache
def prefers_onednn() -> bool:
    """Whether this machine multiplies fp32 matrices faster with oneDNN than with MKL.

    A rule and not a timing, so that a run that is resumed multiplies as it did before.
    """
    return (
        torch.backends.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and _is_amd()
        and "_linear_pointwise" in dir(torch.ops.mkldnn)
    )


class _OneDnnLinear(torch.autograd.Function):
    """x W^T + b, and its gradients as two more products of the same kind."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        return _product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(  # pyrefly: ignore[bad-override] - the decorator hides the name of ctx
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        (gradient,) = grad_outputs
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, needs_bias = ctx.needs_input_grad
        rows = gradient.flatten(0, -2)  # M D2
        return (
            _product(gradient, weight.t(), None) if needs_x else None,
            _weight_gradient(rows, x.flatten(0, -2)) if needs_weight else None,
            rows.sum(dim=0) if needs_bias and ctx.has_bias else None,
        )


def _weight_gradient(rows: Tensor, x: Tensor) -> Tensor:
    """rows^T x. Long sums into a small matrix are what oneDNN is slow at: MKL keeps those."""
    if min(rows.shape[1], x.shape[1]) < NARROW:
        return rows.t() @ x
    return _product(rows.t(), x.t(), None)


def _product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


def _onednn_serves(x: Tensor, weight: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and x.ndim > 1
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
        and prefers_onednn()
    )


def _is_amd() -> bool:
    info = Path("/proc/cpuinfo")
    text = info.read_text(errors="replace") if info.exists() else platform.processor()
    return "AuthenticAMD" in text
