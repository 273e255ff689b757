"""A run says what it ran on, and how attention was computed there."""

import json
import os
import platform
from importlib import metadata
from typing import Any

import numpy as np
import pytest
import torch

from saccade.backbones.sizes import FAMILIES
from saccade.run import environment
from saccade.run.environment import LIBRARIES, attention_path, describe, versions
from saccade.transformer import attention
from tests import tiny

CPU, CUDA = torch.device("cpu"), torch.device("cuda")  # naming a device needs none


def path(
    model: str = "rag-pico4",
    *,
    image_size: int = 32,
    device: torch.device = CPU,
    precision: str = "bf16",
    **settings: Any,
) -> str:
    config = tiny.config(model, **settings)
    return attention_path(config.model, image_size=image_size, device=device, precision=precision)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("device", [CPU, CUDA])
def test_a_plain_cnn_computes_no_attention(device: torch.device, precision: str):
    assert path("cnn-pico4", device=device, precision=precision) == "none"


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "cnn"])
def test_on_a_cpu_in_bf16_short_sequences_are_explicit_and_all_else_is_fused(family: str):
    model = f"{family}-pico4"
    assert path(model, image_size=32) == "explicit"  # 64 tokens
    assert path(model, image_size=224) == "fused"  # 3,136 tokens
    assert path(model, image_size=32, precision="fp32") == "fused"
    assert path(model, image_size=32, device=CUDA) == "fused"


@pytest.mark.parametrize("pinned", ["fused", "explicit"])
def test_a_pinned_path_is_the_path(pinned: str):
    for image_size in (32, 224):
        assert path(image_size=image_size, model__attention=pinned) == pinned


def test_the_path_recorded_is_the_one_that_the_model_takes(monkeypatch: pytest.MonkeyPatch):
    taken: set[str] = set()
    real = attention.attend

    def attend(*args: torch.Tensor, scale: float, path: attention.AttentionPath) -> object:
        taken.add(path)
        assert path != "auto"
        return real(*args, scale=scale, path=path)

    monkeypatch.setattr(attention, "attend", attend)
    task = tiny.task(tiny.config("vit-pico4")).eval()
    for precision, is_bf16 in (("bf16", True), ("fp32", False)):
        taken.clear()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            task(torch.zeros(1, 3, 16, 16, dtype=torch.uint8))
        assert taken == {path("vit-pico4", image_size=16, precision=precision)}


def test_versions_are_those_that_are_installed():
    found = versions()
    assert set(found) == {"python", *LIBRARIES}
    assert found["python"] == platform.python_version()
    assert found["torch"] == metadata.version("torch")
    assert found["numpy"] == np.__version__


def test_a_library_that_is_missing_is_named_as_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "LIBRARIES", ("numpy", "no-such-library"))
    assert versions()["no-such-library"] == "not installed"


def test_the_description_is_plain_data_with_machine_device_precision_and_versions():
    about = describe(CPU, precision="bf16", attention="explicit")
    assert json.loads(json.dumps(about)) == about
    expected = {
        "device": "cpu",
        "precision": "bf16",
        "attention": "explicit",
        "num_cores": os.cpu_count(),
        "num_threads": torch.get_num_threads(),
        **versions(),
    }
    assert expected.items() <= about.items()
    assert platform.machine() in str(about["machine"])
    assert about["cpu"]
    assert "gpu" not in about


@pytest.mark.gpu
def test_a_gpu_is_named():
    about = describe(CUDA, precision="bf16", attention="fused")
    assert about["gpu"] == torch.cuda.get_device_name()


def test_the_number_of_threads_is_the_one_in_use():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert describe(CPU, precision="fp32", attention="none")["num_threads"] == 2
    finally:
        torch.set_num_threads(before)
