"""fp32 linear maps on a CPU: MKL, which PyTorch takes, against oneDNN, which saccade may take.

``saccade.transformer.linear.prefers_onednn`` follows this table.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.harness import save
from saccade.transformer.linear import prefers_onednn

SHAPES = (
    (197, 384, 1152),
    (1576, 384, 1536),
    (1576, 1536, 384),
    (6304, 384, 1536),
    (8192, 96, 192),
)
"""Rows, inputs, outputs: the linear maps of vit-s16 at batch 1, 8 and 32, and of a small vit."""


def run(seeds: list[int]) -> None:
    """Times both, in turn, forward and the two products of the backward pass."""
    del seeds
    rows = []
    for num_rows, inputs, outputs in SHAPES:
        x, weight = torch.randn(num_rows, inputs), torch.randn(outputs, inputs)
        gradient = torch.randn(num_rows, outputs)
        products = {
            "forward": (x, weight),
            "input gradient": (gradient, weight.t()),
            "weight gradient": (gradient.t(), x.t()),
        }
        for name, (left, right) in products.items():
            seconds = _in_turn(
                {
                    "mkl": lambda left=left, right=right: left @ right.t(),
                    "onednn": lambda left=left, right=right: _onednn(left, right),
                }
            )
            flops = 2 * num_rows * inputs * outputs
            rows.append(
                {
                    "shape": [num_rows, inputs, outputs],
                    "product": name,
                    "mkl_gflops": round(flops / seconds["mkl"] / 1e9),
                    "onednn_gflops": round(flops / seconds["onednn"] / 1e9),
                    "times_as_fast": round(seconds["mkl"] / seconds["onednn"], 2),
                }
            )
    save(
        "linear",
        command="python -m benchmarks linear",
        rows=rows,
        rule_takes_onednn=prefers_onednn(),
    )


def _onednn(x: Tensor, weight: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def _in_turn(cases: dict[str, Callable[[], Tensor]], *, repeats: int = 15) -> dict[str, float]:
    """The median of each case's seconds, the cases taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for repeat in range(repeats + 1):
        for name, case in cases.items():
            start = time.perf_counter()
            case()
            if repeat:  # the first is a warm-up
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
