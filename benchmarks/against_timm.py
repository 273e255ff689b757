"""vit-s16, eager, against timm's: forward, and forward and backward, in the same run.

Needs timm beside saccade's own dependencies, as the extra ``parity`` brings it; see
docs/dependencies.md. Both models have the same shape (class token, learned positions) and the same
pictures, and take turns.
"""

import statistics
import time
from dataclasses import replace
from importlib import metadata

import torch
from torch import Tensor, nn

from benchmarks.harness import save
from benchmarks.operators import declare_operators
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.model import VitConfig
from saccade.tokens.tokens import Tokens

BATCHES = {1: 21, 8: 9, 32: 5}
"""Batch size to repeats."""


def run(seeds: list[int]) -> None:
    """Times both models in turn and writes medians, quartiles and their ratio."""
    del seeds
    declare_operators()
    import timm  # noqa: PLC0415 - not a dependency

    theirs = timm.create_model("vit_small_patch16_224", num_classes=0)
    ours = _as_published()
    assert _num_parameters(ours) == _num_parameters(theirs)
    rows = [
        _compare(ours, theirs, precision=precision, batch=batch, is_training=is_training)
        for precision in ("fp32", "bf16")
        for is_training in (False, True)
        for batch in BATCHES
    ]
    save(
        "against_timm",
        command="python -m benchmarks against_timm",
        rows=rows,
        timm=metadata.version("timm"),
    )


def _as_published() -> nn.Module:
    config = model_config("vit-s16")
    assert isinstance(config, VitConfig)
    published = replace(
        config, position="learned", has_class_token=True, num_prefix_positions=1, pool="class"
    )
    return build_backbone(published, in_channels=3)


def _num_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _compare(
    ours: nn.Module, theirs: nn.Module, *, precision: str, batch: int, is_training: bool
) -> dict[str, object]:
    images = torch.randn(batch, 3, 224, 224)
    taken: dict[str, list[float]] = {"saccade": [], "timm": []}
    for repeat in range(BATCHES[batch] + 1):
        for name, model in (("saccade", ours), ("timm", theirs)):
            start = time.perf_counter()
            _step(model, images, precision=precision, is_training=is_training)
            if repeat:  # the first is a warm-up
                taken[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    ratios = [b / a for a, b in zip(taken["saccade"], taken["timm"], strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    return {
        "precision": precision,
        "pass": "forward and backward" if is_training else "forward",
        "batch": batch,
        "saccade_images_per_second": round(batch / medians["saccade"], 2),
        "timm_images_per_second": round(batch / medians["timm"], 2),
        "times_as_fast": round(statistics.median(ratios), 2),
        "quartiles": [round(low, 2), round(high, 2)],
        "repeats": BATCHES[batch],
    }


def _step(model: nn.Module, images: Tensor, *, precision: str, is_training: bool) -> None:
    model.train(is_training)
    model.zero_grad(set_to_none=True)
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16")
    if not is_training:
        with torch.inference_mode(), autocast:
            model(images)
        return
    with autocast:
        answer = model(images)
        embedding = answer.prefix[:, 0] if isinstance(answer, Tokens) else answer
        loss = embedding.float().square().mean()
    loss.backward()
