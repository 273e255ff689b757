"""What each switch of a ViT costs in time: a training step with it against one without.

One thread, CPU time, all variants in turn in each round, so that whatever else the machine does
meets all of them; the ratio is taken round by round.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from benchmarks.harness import save
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.data.batch import Batch
from saccade.run.device import autocast, place
from saccade.tasks.build import build_head
from saccade.tasks.classify import Classify

SIDE, BATCH_SIZE, ROUNDS, STEPS = 32, 128, 9, 2
DEVICE = torch.device("cpu")

SWITCHES: dict[str, dict[str, Any]] = {
    "stem=conv": {"stem": "conv"},
    "stem=cnn": {"stem": "cnn"},
    "position=none": {"position": "none"},
    "position=learned": {"position": "learned", "position_grid": (1, 8, 8)},
    "position=rotary": {"position": "rotary"},
    "residual=rezero": {"residual": "rezero"},
    "residual=layerscale": {"residual": "layerscale"},
    "similarity=cosine": {"similarity": "cosine"},
    "projection=conv": {"projection": "conv"},
    "attention=fused": {"attention": "fused"},
    "has_class_token=true": {"has_class_token": True},
    "num_registers=4": {"num_registers": 4},
    "window_size=4": {"window_size": 4, "num_global_blocks": 2},
    "has_qk_norm=true": {"has_qk_norm": True},
    "has_gated_mlp=true": {"has_gated_mlp": True, "activation": "silu"},
    "drop_path=0.1": {"drop_path": 0.1},
}


def run(seeds: Sequence[int]) -> None:
    """Measures each switch in bf16, beside the model without it."""
    del seeds
    torch.set_num_threads(1)
    batch = _batch()
    tasks = {"without": _task({})} | {name: _task(of) for name, of in SWITCHES.items()}
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(ROUNDS + 1):
        for name, task in tasks.items():
            seconds[name].append(_step_seconds(task, batch))
    rows = []
    for name in SWITCHES:
        pairs = zip(seconds[name][1:], seconds["without"][1:], strict=True)
        ratios = sorted(mine / base for mine, base in pairs)
        rows.append(
            {
                "switch": name,
                "time": round(statistics.median(ratios), 2),
                "min": round(ratios[0], 2),
                "max": round(ratios[-1], 2),
            }
        )
    save(
        "switches",
        command="python -m benchmarks switches",
        rows=rows,
        shape={"side": SIDE, "batch": BATCH_SIZE, "precision": "bf16", "rounds": ROUNDS},
        step_ms_without=round(1e3 * statistics.median(seconds["without"][1:]), 1),
    )


def _task(changes: dict[str, Any]) -> Classify:
    config = model_config("vit-pico4")
    assert isinstance(config, VitConfig)
    config = replace(replace(config, stem="patches", depth=6), **changes)
    torch.manual_seed(0)
    task = Classify(
        backbone=build_backbone(config, in_channels=3),
        head=build_head(config, num_classes=10),
        class_names=tuple("0123456789"),
        preprocess=Preprocess(
            height=SIDE, width=SIDE, channels=3, fit="crop", mean=(0.5,) * 3, std=(0.25,) * 3
        ),
        label_smoothing=0.1,
    )
    return place(task, DEVICE).train()


def _batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    return Batch(
        images=torch.randint(
            256, (BATCH_SIZE, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator
        ),
        targets=torch.randint(10, (BATCH_SIZE,), generator=generator),
        ids=torch.arange(BATCH_SIZE),
    )


def _step_seconds(task: Classify, batch: Batch) -> float:
    """CPU time of a forward and backward pass."""
    start = time.process_time()
    for _ in range(STEPS):
        with autocast(DEVICE, "bf16"):
            loss = task.loss(batch)["loss"]
        loss.backward()
        task.zero_grad(set_to_none=True)
    return (time.process_time() - start) / STEPS
