"""A run says what it ran on, and how attention was computed there."""

import json
import os
import platform
from importlib import metadata
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from saccade.backbones.sizes import FAMILIES
from saccade.run import environment
from saccade.run.environment import (
    LIBRARIES,
    attended_lengths,
    attention_path,
    describe,
    versions,
)
from saccade.transformer import attend, attention, window
from tests import tiny

Way = Literal["fused", "explicit"]
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
    assert path(model, image_size=32) == "explicit"  # 64 tokens, and 256 on an earlier stage
    assert path(model, image_size=224) == "fused"  # 3,136 tokens
    assert path(model, image_size=32, precision="fp32") == "fused"
    assert path(model, image_size=32, device=CUDA) == "fused"


@pytest.mark.parametrize("pinned", ["fused", "explicit"])
def test_a_pinned_path_is_the_path(pinned: str):
    for image_size in (32, 224):
        assert path(image_size=image_size, model__attention=pinned) == pinned


# Settings, pixels a side, and how many tokens a token looks at.
LOOKING: list[tuple[str, dict[str, Any], int, set[int]]] = [
    ("vit-pico4", {}, 16, {16}),
    ("vit-pico4", {}, 17, {25}),  # rounded up
    ("vit-pico4", {"model__has_class_token": "true", "model__num_registers": "4"}, 16, {21}),
    ("vit-pico4", {"model__window_size": "2", "model__num_global_blocks": "1"}, 18, {4, 25}),
    ("vit-pico4", {"model__window_size": "2", "model__num_global_blocks": "0"}, 16, {4}),
    ("vit-pico4", {"model__window_size": "2", "model__num_global_blocks": "9"}, 16, {16}),
    ("vit-pico4", {"model__window_size": "4", "model__num_global_blocks": "0"}, 16, {16}),
    ("vit-pico4", {"model__window_size": "9", "model__num_global_blocks": "0"}, 16, {16}),
    (
        "vit-pico4",
        {
            "model__window_size": "3",
            "model__num_global_blocks": "0",
            "model__has_class_token": "true",
        },
        16,
        {10, 17},
    ),
    ("rag-pico4", {}, 18, {25}),
    ("attncnn-pico4", {}, 18, {100, 25}),
    ("attncnn-pico8", {}, 16, {16, 4}),
    ("attncnn-pico2", {}, 8, {16}),
    ("attncnn-pico1", {}, 5, {25}),
    ("attncnn-pico4", {"model__num_attentions": "0"}, 16, set()),
    ("cnn-pico4", {}, 16, set()),
]


@pytest.mark.parametrize(("model", "settings", "image_size", "lengths"), LOOKING)
def test_lengths_and_paths_are_those_that_the_model_takes(
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    settings: dict[str, Any],
    image_size: int,
    lengths: set[int],
):
    taken: dict[int, str] = {}
    real = attend.attend

    def spy(q: Tensor, k: Tensor, v: Tensor, *, path: Way, mask: Tensor | None = None) -> Tensor:
        taken[k.shape[2]] = path
        return real(q, k, v, path=path, mask=mask)

    for module in (attention, window):
        monkeypatch.setattr(module, "attend", spy)
    config = tiny.config(model, **settings)
    task = tiny.task(config).eval()
    for precision, is_bf16 in (("bf16", True), ("fp32", False)):
        taken.clear()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            task(torch.zeros(1, 3, image_size, image_size, dtype=torch.uint8))
        assert set(taken) == lengths == attended_lengths(config.model, image_size=image_size)
        named = path(model, image_size=image_size, precision=precision, **settings)
        assert set(taken.values() or ["none"]) == {named}


def test_layers_that_take_different_ways_are_told_apart_by_their_lengths():
    settings = {"model__window_size": "7", "model__num_global_blocks": "1"}
    assert path("vit-pico4", image_size=112, **settings) == "explicit at 49, fused at 784 tokens"
    assert path("attncnn-pico4", image_size=64) == "explicit at 256, fused at 1024 tokens"
    assert path("attncnn-pico4", image_size=64, precision="fp32") == "fused"


def test_prefix_tokens_and_padding_count_when_the_way_is_chosen():
    # The explicit way ends below 400 tokens: 19 x 19 patches, and 20 x 20.
    assert path("vit-pico4", image_size=19 * 4) == "explicit"
    assert path("vit-pico4", image_size=19 * 4 + 1) == "fused"
    assert path("vit-pico4", image_size=19 * 4, model__num_registers="39") == "fused"


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
