"""A denoiser takes pictures of any size, knows the time, and is built from a plain vit alone."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.backbones.denoiser import Denoiser, build_denoiser, waves
from saccade.config.model import CnnConfig, VitConfig
from saccade.tokens.rotary import RotaryPosition
from saccade.transformer.modulate import Modulation

SHAPE = VitConfig(
    embed_dim=16,
    depth=2,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="sincos",
    residual="prenorm",
    num_registers=0,
    has_class_token=False,
    drop_path=0.0,
    has_qk_norm=True,
)


def built(**changes: Any) -> Denoiser:
    """With random numbers in the modulations, so that times and classes are heard."""
    made = build_denoiser(replace(SHAPE, **changes), in_channels=3)
    for module in made.modules():
        if isinstance(module, Modulation):
            torch.nn.init.normal_(module.project.weight, std=0.2)
    return made


@pytest.mark.parametrize(("height", "width"), [(8, 8), (12, 8), (9, 5)])
def test_there_is_a_token_for_each_patch_and_for_each_that_is_begun(
    height: int, width: int
) -> None:
    tokens, condition = built()(torch.randn(2, 3, height, width), time=torch.rand(2))

    assert tokens.grid[1:] == (-(-height // 4), -(-width // 4))
    assert tokens.x.shape == (2, tokens.grid.num_tokens, 16)
    assert condition.shape == (2, 16)


def test_another_time_and_another_class_give_other_tokens() -> None:
    made, images, asked = built(), torch.randn(1, 3, 8, 8), torch.randn(1, 16)
    now = made(images, time=torch.tensor([0.2])).tokens.x

    later = made(images, time=torch.tensor([0.7])).tokens.x
    of_a_class = made(images, time=torch.tensor([0.2]), asked=asked).tokens.x

    assert not torch.allclose(now, later, atol=1e-3)
    assert not torch.allclose(now, of_a_class, atol=1e-3)


def test_times_a_thousandth_apart_have_other_waves_and_all_are_within_one() -> None:
    found = waves(torch.tensor([0.0, 0.001, 1.0]))

    assert found.abs().max() <= 1
    assert (found[0] - found[1]).abs().max() > 0.5


def test_patches_know_where_they_stand() -> None:
    """Equal patches in other places have other tokens."""
    tokens = built()(torch.ones(1, 3, 8, 8), time=torch.rand(1)).tokens.x[0]

    assert not torch.allclose(tokens[0], tokens[3], atol=1e-3)


def test_rotary_positions_come_on_top_of_the_others() -> None:
    assert isinstance(built(position="rotary").rotary, RotaryPosition)
    assert not isinstance(built().rotary, RotaryPosition)


def test_rezero_is_refused_because_the_condition_is_the_gate() -> None:
    with pytest.raises(ValueError, match="alpha = 0"):
        built(residual="rezero")


def test_another_family_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"family cnn.*vit-nano4"):
        build_denoiser(CnnConfig(embed_dim=16, conv_depth=1, patch_size=4), in_channels=3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("has_class_token", True),
        ("num_registers", 2),
        ("window_size", 3),
        ("projection", "conv"),
        ("tubelet_size", 2),
        ("has_embed_norm", True),
    ],
)
def test_what_a_denoiser_would_leave_out_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"model\.{name}"):
        built(**{name: value})
