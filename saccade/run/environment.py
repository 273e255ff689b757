"""What a run ran on; figures mean nothing without it."""

import os
import platform
from importlib import metadata
from pathlib import Path

import torch

from saccade.config.model import CnnConfig, ModelConfig
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
    """Which way attention is computed in this run: ``fused``, ``explicit``, or ``none``."""
    if isinstance(model, CnnConfig):
        return "none"
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    num_tokens = (image_size // model.patch_size) ** 2
    return fastest_path(model.attention, device=device, dtype=dtype, num_tokens=num_tokens)


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
