"""What explaining one large picture costs in memory, and what keeping the attention maps would.

One picture of 1024 px in patches of 16: 4,096 tokens, 12 blocks, fp32, one thread, a fresh process
for each case. Linux only: the peak is VmHWM of /proc/self/status, since getrusage's begins with
that of the process which started it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmarks.harness import ROOT, save
from saccade.attribution.layers import class_scores
from saccade.attribution.methods import heat, parse_method
from saccade.backbones.sizes import model_config
from saccade.backbones.vit import Vit
from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.tasks.build import build_classifier
from saccade.tasks.classify import Classify

SIDE = 1024
MIB = 2**20
KEEP_MAPS = "maps kept"


class Case(NamedTuple):
    """One row.

    Attributes:
        model: its name.
        pool: ``class`` for a model with a class token, ``mean`` for one without.
        path: of attention, ``fused`` or ``explicit``.
        method: of explaining; ``maps kept`` is LeGrad by the maps of all layers.
    """

    model: str
    pool: str
    path: str
    method: str


def run(seeds: Sequence[int]) -> None:
    """Measures every case; what is counted is bytes, which a busy machine does not change."""
    del seeds
    rows = [_measure(case) for case in _cases()]
    save("explain_memory", command="python -m benchmarks explain_memory", rows=rows)


def explain(case: Case) -> None:
    """Explains one picture in this process and prints its memory before and at the peak, in KiB."""
    torch.set_num_threads(1)
    task = _task(case)
    images, classes = (
        torch.randint(0, 256, (1, 3, SIDE, SIDE), dtype=torch.uint8),
        torch.tensor([1]),
    )
    # A small picture first: libraries that are loaded on first use count as before.
    for some in (images[..., :64, :64].contiguous(), images):
        before = _kib("VmRSS")
        if case.method == KEEP_MAPS:
            legrad_with_maps_kept(task, some, classes)
        else:
            heat(task, some, classes, method=parse_method(case.method))
    print(before, _kib("VmHWM"))


def legrad_with_maps_kept(task: Classify, images: Tensor, classes: Tensor) -> Tensor:
    """LeGrad as its formula reads: every layer's map in memory, and differentiated by."""
    assert isinstance(task.backbone, Vit)
    tokens = task.backbone.begin(task.normalise(images))
    layers = []
    for block in task.backbone.blocks:
        look = block.attention
        q, k, v = look.queries_keys_values(tokens.with_x(block.attention_norm(tokens.x)))
        weights = (q @ k.transpose(-2, -1)).softmax(dim=-1)  # B A N N
        x = tokens.x + block.attention_gate(look.proj((weights @ v).transpose(1, 2).flatten(2)))
        tokens = tokens.with_x(x + block.mlp_gate(block.mlp(block.mlp_norm(x))))
        layers.append((weights, class_scores(task, tokens, classes).sum()))
    relevance = torch.zeros(tokens.x.shape[:2])  # B N
    for weights, score in layers:
        (gradient,) = torch.autograd.grad(score, weights, retain_graph=True)
        relevance += gradient.clamp(min=0).mean(dim=(1, 2))
    return relevance


def _cases() -> Iterator[Case]:
    for model, pool in (("vit-s16", "mean"), ("vit-s16", "class"), ("vit-b16", "mean")):
        for method in ("legrad", "rollout", "gradcam"):
            for path in ("fused", "explicit"):
                yield Case(model, pool, path, method)
    yield Case("vit-s16", "mean", "explicit", KEEP_MAPS)


def _measure(case: Case) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.explain_memory", *case]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT, env=one_thread
    )
    before, peak = (int(text) * 1024 for text in done.stdout.split())
    row = {
        **case._asdict(),
        "before_mib": round(before / MIB),
        "peak_mib": round(peak / MIB),
        "added_mib": round((peak - before) / MIB),
    }
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def _task(case: Case) -> Classify:
    config = model_config(case.model)
    assert isinstance(config, VitConfig)
    assert case.path in ("fused", "explicit")
    assert case.pool in ("mean", "class")
    task = build_classifier(
        replace(config, attention=case.path, pool=case.pool, has_class_token=case.pool == "class"),
        class_names=tuple(f"class {k}" for k in range(1000)),
        preprocess=Preprocess(
            height=SIDE, width=SIDE, channels=3, fit="crop", mean=(0.5,) * 3, std=(0.5,) * 3
        ),
        seed=0,
        label_smoothing=0.0,
    )
    torch.nn.init.normal_(task.head.classify.weight)  # starts at zero, and so would its gradient
    return task.eval()


def _kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


if __name__ == "__main__":
    explain(Case(*sys.argv[1:]))
