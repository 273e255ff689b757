"""Training steps of one model: saccade's and timm's, plain and in the best ways there are.

vit-ti4 at 32 px in batches of 128 and vit-s16 at 224 px in batches of 16, with class token and
learned positions as published, bf16 autocast, cross-entropy, AdamW, pictures in memory. Each way is
a process of its own, on one thread, that is asked for a step in turn; what counts is processor
time, so that a busy machine disturbs less. Needs timm (the extra ``parity``) and a C++ compiler.

    python -m benchmarks steps 0 1 2 3 4 5 6      so many rounds; seven when nothing is said

timm's ways: as it comes (fused attention); with attention unfused, its own switch; that and
torch.compile. The limit is what this machine does in a large product of bf16 matrices, in the same
run; ``share_of_limit`` counts the operations of a step, forward and backward, as PyTorch counts
them. Compiling takes a minute, which is not in the figures.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata
from typing import IO

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.harness import ROOT, save, spread
from benchmarks.operators import declare_operators
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.model import VitConfig
from saccade.run.memory import keep_memory
from saccade.run.meter import counted_flops

SHAPES = {"vit-ti4": (32, 128), "vit-s16": (224, 16)}
"""Side of the pictures and pictures a step."""

THEIRS = {"vit-ti4": "vit_tiny_patch16_224", "vit-s16": "vit_small_patch16_224"}
WAYS = ("saccade", "saccade compiled", "timm", "timm unfused", "timm unfused, compiled")
WARM_UP, NUM_CLASSES, SIDE_OF_LIMIT = 3, 10, 2048


def run(seeds: Sequence[int]) -> None:
    """Asks all ways for steps in turn; the number of seeds is that of the rounds."""
    rounds = max(len(seeds), 7)
    rows = [row for name in SHAPES for row in compare(name, rounds=rounds)]
    save("steps", command="python -m benchmarks steps", rows=rows, timm=metadata.version("timm"))


def compare(name: str, *, rounds: int) -> list[dict[str, object]]:
    """A row for each way, of one model."""
    workers = {way: Worker(name, way) for way in (*WAYS, "limit")}
    taken: dict[str, list[float]] = {way: [] for way in workers}
    for _ in range(rounds):
        for way, worker in workers.items():
            taken[way].append(worker.ask())
    for worker in workers.values():
        worker.close()
    _, batch = SHAPES[name]
    flops = count_flops(name)
    limit = 2 * SIDE_OF_LIMIT**3 / statistics.median(taken["limit"])  # operations a second
    rows = []
    for way in WAYS:
        median = statistics.median(taken[way])
        ratios = {
            f"times_{other}": round(
                statistics.median(a / b for a, b in zip(taken[other], taken[way], strict=True)), 3
            )
            for other in ("timm", "timm unfused", "timm unfused, compiled")
        }
        rows.append(
            {
                "model": name,
                "way": way,
                "images_per_cpu_second": round(batch / median, 1),
                "spread": {k: round(v, 4) for k, v in spread(taken[way]).items()},
                "share_of_limit": round(flops / median / limit, 3),
                "limit_gflops": round(limit / 1e9),
                **ratios,
                "rounds": rounds,
            }
        )
    return rows


class Worker:
    """A process that makes a step when it is asked, and says how long that took."""

    def __init__(self, name: str, way: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.steps", name, way],
            cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asks: IO[str] = self._process.stdin
        self._answers: IO[str] = self._process.stdout
        self.ask()  # warm

    def ask(self) -> float:
        """Seconds of processor time."""
        self._asks.write("\n")
        self._asks.flush()
        return float(self._answers.readline())

    def close(self) -> None:
        """Ends the process."""
        self._asks.close()
        self._process.wait()


def count_flops(name: str) -> int:
    """Operations of a step; an addition and a multiplication are two."""
    side, batch = SHAPES[name]
    model = our_model(name)
    with counted_flops() as counter:
        model(torch.randn(1, 3, side, side)).sum().backward()
    return counter.get_total_flops() * batch


def our_model(name: str) -> nn.Module:
    """A model of saccade, shaped as timm's is."""
    config = model_config(name)
    assert isinstance(config, VitConfig)
    config = replace(
        config, position="learned", has_class_token=True, num_prefix_positions=1, pool="class",
        stem="patches", drop_path=0.0,
    )  # fmt: skip
    backbone = build_backbone(config, in_channels=3)
    return _Classifier(backbone, nn.Linear(config.embed_dim, NUM_CLASSES))


class _Classifier(nn.Module):
    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.backbone(images).prefix[:, 0])


def work(name: str, way: str) -> None:
    """In a worker: a step for each line that comes, and its seconds of processor time."""
    torch.set_num_threads(1)
    step = _product() if way == "limit" else _step(name, way)
    for _ in range(WARM_UP):
        step()
    for _ in sys.stdin:
        start = time.process_time()
        step()
        print(time.process_time() - start, flush=True)


def _product() -> Callable[[], object]:
    a = torch.randn(SIDE_OF_LIMIT, SIDE_OF_LIMIT, dtype=torch.bfloat16)
    return lambda: a @ a


def _step(name: str, way: str) -> Callable[[], object]:
    side, batch = SHAPES[name]
    if way.startswith("saccade"):
        keep_memory()  # as ``saccade train`` does
        model = our_model(name)
    else:
        model = _theirs(name, is_fused="unfused" not in way)
    forward = torch.compile(model) if "compiled" in way else model
    optimizer = torch.optim.AdamW(model.train().parameters(), fused=True)
    images, labels = torch.randn(batch, 3, side, side), torch.arange(batch) % NUM_CLASSES

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = forward(images)
        F.cross_entropy(logits.float(), labels).backward()
        optimizer.step()

    return step


def _theirs(name: str, *, is_fused: bool) -> nn.Module:
    declare_operators()
    import timm  # noqa: PLC0415 - not a dependency

    timm.layers.set_fused_attn(is_fused)
    side, _ = SHAPES[name]
    patch_size = int(name[-1]) if name.endswith("4") else 16
    return timm.create_model(
        THEIRS[name], img_size=side, patch_size=patch_size, num_classes=NUM_CLASSES
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("way")
    arguments = parser.parse_args()
    work(arguments.name, arguments.way)
