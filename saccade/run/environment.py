"""What a run ran on; figures mean nothing without it."""

import os
import platform
from importlib import metadata
from pathlib import Path

import torch

from saccade.backbones.build import global_blocks
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.transformer.attend import fastest_path

LIBRARIES = ("torch", "numpy", "pillow", "simplejpeg", "safetensors")
"""Those whose version can change a number."""


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide the numbers."""
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = "not installed"
    return found


def describe(device: torch.device, *, precision: str, attention: str) -> dict[str, str | int]:
    """The machine, the device, the precision and the attention path, as plain data."""
    found: dict[str, str | int] = {
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_name(),
        "num_cores": os.cpu_count() or 1,
        "num_threads": torch.get_num_threads(),
        "device": str(device),
        "precision": precision,
        "attention": attention,
    }
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    return found | versions()


def attention_path(
    model: ModelConfig, *, image_size: int, device: torch.device, precision: str
) -> str:
    """Which way attention is computed in this run.

    Returns:
        ``none``; ``fused`` or ``explicit`` where all layers take the same way; else each way with
        the numbers of tokens looked at there, as in ``explicit at 49, fused at 785 tokens``.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    lengths: dict[str, list[int]] = {}
    for length in sorted(attended_lengths(model, image_size=image_size)):
        assert not isinstance(model, CnnConfig)  # it looks at nothing
        path = fastest_path(model.attention, device=device, dtype=dtype, num_tokens=length)
        lengths.setdefault(path, []).append(length)
    if len(lengths) <= 1:
        return next(iter(lengths), "none")
    named = (f"{path} at {' and '.join(map(str, at))}" for path, at in lengths.items())
    return f"{', '.join(named)} tokens"


def attended_lengths(model: ModelConfig, *, image_size: int) -> set[int]:
    """How many tokens a token looks at, in each layer and for each kind of token, prefix included.

    Args:
        model: which one; of one that reads clips, for a single frame.
        image_size: pixels a side; a grid that does not divide it is rounded up, as pictures are
            padded.
    """
    side = -(-image_size // model.patch_size)
    match model:
        case VitConfig():
            return _vit_lengths(model, side)
        case RagConfig():
            return {side**2} if model.depth else set()
        case AttentionCnnConfig():
            # The last two stages, one halving apart; with one cell per pixel there is one stage.
            sides = (2 * side, side) if model.patch_size > 2 else (side,)
            return {cells**2 for cells in sides} if model.num_attentions else set()
        case CnnConfig():
            return set()


def _vit_lengths(model: VitConfig, side: int) -> set[int]:
    num_prefix = int(model.has_class_token) + model.num_registers
    whole = side**2 + num_prefix
    num_global = len(global_blocks(model) & set(range(model.depth)))
    num_windowed = model.depth - num_global if 0 < model.window_size < side else 0
    if num_windowed == 0:
        return {whole} if model.depth else set()
    window = model.window_size**2 + num_prefix
    # The prefix tokens of a windowed block still look at everything.
    return {window, whole} if num_global or num_prefix else {window}


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
