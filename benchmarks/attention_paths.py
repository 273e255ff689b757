"""Which attention path is faster, forward and backward, on this machine.

``saccade.transformer.attention.fastest_path`` follows this table.
"""

import statistics
import time
from collections.abc import Sequence

import torch

from benchmarks.harness import save
from saccade.transformer.attend import attend, softmax_scale

BATCH, HEADS, HEAD_DIM = 32, 3, 32
LENGTHS = (16, 49, 64, 196, 400, 576)
ROUNDS = 3


def run(seeds: Sequence[int]) -> None:
    """Times both paths in turn, so that a change of the machine's speed meets both."""
    del seeds
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        for length in LENGTHS:
            times: dict[str, list[float]] = {"fused": [], "explicit": []}
            for _ in range(ROUNDS + 1):
                for path, taken in times.items():
                    taken.append(_seconds(path, length, dtype))
            fused, explicit = (statistics.median(times[path][1:]) for path in times)
            rows.append(
                {
                    "dtype": str(dtype).removeprefix("torch."),
                    "num_tokens": length,
                    "fused_ms": round(fused * 1e3, 2),
                    "explicit_ms": round(explicit * 1e3, 2),
                    "fused_over_explicit": round(fused / explicit, 2),
                }
            )
    save(
        "attention_paths",
        command="python -m benchmarks attention_paths",
        rows=rows,
        shape={"batch": BATCH, "heads": HEADS, "head_dim": HEAD_DIM, "rounds": ROUNDS},
    )


def _seconds(path: str, length: int, dtype: torch.dtype) -> float:
    generator = torch.Generator().manual_seed(0)
    shape = (BATCH, HEADS, length, HEAD_DIM)
    q, k, v = (torch.randn(shape, generator=generator).to(dtype).requires_grad_() for _ in range(3))
    start = time.perf_counter()
    chosen = "fused" if path == "fused" else "explicit"
    context = attend(q * softmax_scale(HEAD_DIM), k, v, path=chosen)
    context.sum().backward()
    return time.perf_counter() - start
