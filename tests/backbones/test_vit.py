"""A ViT is patches + positions, learned tokens before them, blocks, and a norm."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.backbones.vit import Vit
from saccade.config.model import Position, VitConfig
from saccade.shapes import Grid
from saccade.tokens.positions import LearnedPosition
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.tokens import Tokens
from saccade.transformer.block import Block
from saccade.transformer.mlp import GatedMlp, activation_function
from saccade.transformer.trace import Trace

PICO = model_config("vit-pico4")
assert isinstance(PICO, VitConfig)
SMALL = replace(PICO, embed_dim=16, depth=2, num_heads=2, stem="patches", position_grid=(1, 4, 4))


def make_vit(config: VitConfig = SMALL) -> Vit:
    backbone = build_backbone(config, in_channels=3)
    assert isinstance(backbone, Vit)
    return backbone.eval()


@pytest.mark.parametrize("has_class_token", [False, True])
@pytest.mark.parametrize("num_registers", [0, 3])
def test_the_prefix_holds_class_token_and_registers(
    has_class_token: bool, num_registers: int
) -> None:
    config = replace(SMALL, has_class_token=has_class_token, num_registers=num_registers)

    tokens = make_vit(config)(torch.randn(2, 3, 16, 12))

    assert tokens.num_prefix == has_class_token + num_registers
    assert tokens.grid == Grid(1, 4, 3)
    assert tokens.x.shape == (2, tokens.num_prefix + 12, 16)


@pytest.mark.parametrize("has_embed_norm", [False, True])
@pytest.mark.parametrize("position", ["none", "sincos", "learned", "rotary"])
def test_the_forward_pass_is_its_story_written_out(
    position: Position, has_embed_norm: bool
) -> None:
    vit = make_vit(
        replace(SMALL, position=position, has_class_token=True, has_embed_norm=has_embed_norm)
    )
    images = torch.randn(2, 3, 8, 16)

    patches = vit.embed(images).x
    x = torch.cat([vit.prefix.repeat(2, 1, 1), patches], dim=1)
    tokens = vit.position(Tokens(x=x, grid=Grid(1, 2, 4), num_prefix=1))
    if has_embed_norm:
        x = tokens.x - tokens.x.mean(dim=2, keepdim=True)
        tokens = tokens.with_x(x / (x.square().mean(dim=2, keepdim=True) + 1e-6).sqrt())
    for block in vit.blocks:
        tokens = block(tokens)

    torch.testing.assert_close(vit(images).x, vit.norm(tokens.x))


def test_each_part_between_begin_and_readout_is_there_for_who_looks_block_by_block() -> None:
    vit, images, trace = make_vit(), torch.randn(2, 3, 8, 16), Trace()

    tokens = vit(images, trace)

    assert trace.layers[-1].tokens is not None
    assert torch.equal(vit.readout(vit.blocks(vit.begin(images))).x, tokens.x)
    assert torch.equal(vit.readout(trace.layers[-1].tokens).x, tokens.x)


def test_a_final_norm_after_pooling_leaves_the_tokens_as_the_blocks_made_them() -> None:
    vit, images = make_vit(replace(SMALL, final_norm="pooled")), torch.randn(2, 3, 8, 16)

    assert list(vit.norm.parameters()) == []
    assert torch.equal(vit(images).x, vit.blocks(vit.begin(images)).x)


def test_norm_eps_reaches_every_norm_outside_the_heads_of_attention() -> None:
    vit = make_vit(replace(SMALL, norm_eps=1e-3, has_embed_norm=True))

    norms = [module.eps for module in vit.modules() if isinstance(module, nn.LayerNorm)]

    assert norms == [1e-3] * (1 + 2 * SMALL.depth + 1)


@pytest.mark.parametrize("position", ["none", "sincos", "learned", "rotary"])
def test_positions_do_not_touch_the_prefix(position: Position) -> None:
    """With no blocks, what comes out of the prefix is the normalised parameter on any grid."""
    vit = make_vit(replace(SMALL, depth=0, position=position, num_registers=2))

    for images in (torch.randn(1, 3, 16, 16), torch.randn(1, 3, 20, 8)):
        torch.testing.assert_close(vit(images).prefix, vit.norm(vit.prefix))


def test_some_of_the_prefix_may_have_positions_of_its_own() -> None:
    config = replace(SMALL, depth=0, position="learned", has_class_token=True, num_registers=1)
    vit = make_vit(replace(config, num_prefix_positions=1))
    moved = nn.init.normal_(vit.get_parameter("position.prefix"))

    expected = torch.cat([vit.prefix[:, :1] + moved, vit.prefix[:, 1:]], dim=1)

    for images in (torch.randn(1, 3, 16, 16), torch.randn(1, 3, 20, 8)):
        torch.testing.assert_close(vit(images).prefix, vit.norm(expected))


@pytest.mark.parametrize("position", ["learned", "rotary"])
def test_without_positions_the_order_of_the_patches_would_not_matter_and_with_them_it_does(
    position: Position,
) -> None:
    vit = make_vit(replace(SMALL, position=position, has_class_token=True))
    images = torch.randn(1, 3, 16, 16)
    swapped = torch.cat([images[..., 4:8], images[..., :4], images[..., 8:]], dim=3)

    moved = (vit(images).prefix - vit(swapped).prefix).abs().max()
    vit.position = nn.Identity()
    torch.testing.assert_close(vit(images).prefix, vit(swapped).prefix)

    assert moved > 1e-4


def test_a_rezero_vit_starts_as_its_embedding() -> None:
    vit = make_vit(replace(SMALL, residual="rezero"))
    images = torch.randn(2, 3, 16, 16)

    embedded = vit.position(vit.embed(images))

    torch.testing.assert_close(vit(images).x, vit.norm(embedded.x))


def test_every_patch_sees_every_other() -> None:
    vit = make_vit()
    images = torch.randn(1, 3, 32, 32)
    touched = images.clone()
    touched[..., 28:, 28:] += 5

    assert (vit(touched).x != vit(images).x).any(dim=2).all()


def test_in_a_windowed_model_a_patch_sees_its_window_until_a_global_block() -> None:
    windowed = replace(SMALL, window_size=2, num_global_blocks=0)
    images = torch.randn(1, 3, 32, 32)
    touched = images.clone()
    touched[..., 28:, 28:] += 5

    reach = {}
    for name, config in (
        ("none", windowed),
        ("last", replace(windowed, num_global_blocks=1)),
        ("class token", replace(windowed, has_class_token=True)),
    ):
        vit = make_vit(config)
        changed = (vit(touched).as_map() != vit(images).as_map()).any(dim=1)[0]
        reach[name] = int(changed.sum())

    assert reach == {"none": 4, "last": 64, "class token": 64}


def test_clips_become_tokens_in_time_and_space() -> None:
    vit = make_vit(replace(SMALL, tubelet_size=2, has_class_token=True))
    clips = torch.randn(2, 6, 3, 8, 12)

    tokens = vit(clips)

    assert (tokens.grid, tokens.num_prefix) == (Grid(3, 2, 3), 1)
    later = clips.clone()
    later[:, 4:] += 5
    assert (vit(later).x != tokens.x).any(dim=2).all()
    swapped = clips[:, [2, 3, 0, 1, 4, 5]]
    assert not torch.allclose(vit(swapped).prefix, tokens.prefix, atol=1e-4)


@pytest.mark.parametrize("position", ["sincos", "learned"])
def test_a_clip_of_any_length_gives_tokens_on_the_grid_that_covers_it(position: Position) -> None:
    vit = make_vit(replace(SMALL, tubelet_size=2, position=position, position_grid=(2, 4, 4)))

    for frames, grid in ((4, Grid(2, 4, 4)), (7, Grid(4, 4, 3)), (1, Grid(1, 1, 1))):
        tokens = vit(torch.randn(2, frames, 3, 4 * grid.h, 4 * grid.w))
        assert tokens.grid == grid
        assert tokens.x.isfinite().all()


def test_every_setting_reaches_its_part() -> None:
    vit = make_vit(
        replace(
            SMALL,
            has_class_token=True,
            position="learned",
            num_prefix_positions=1,
            position_antialias=False,
            similarity="cosine",
            projection="conv",
            has_qk_norm=True,
            has_qkv_bias=False,
            has_patch_bias=False,
            has_gated_mlp=True,
            activation="silu",
            attention="explicit",
        )
    )
    assert isinstance(vit.position, LearnedPosition)
    assert not vit.position.antialias
    assert vit.position.prefix is not None
    assert "embed.project.bias" not in vit.state_dict()
    for block in vit.blocks:
        assert isinstance(block, Block)
        assert block.attention.path == "explicit"
        assert block.attention.temperature is not None
        assert block.attention.mix is not None
        assert block.attention.q_norm is not None
        assert block.attention.qkv.bias is None
        assert isinstance(block.mlp, GatedMlp)
        assert block.mlp.activation is activation_function("silu")


def test_rotary_positions_have_the_base_of_the_config_and_the_width_of_a_head() -> None:
    position = make_vit(replace(SMALL, position="rotary", rotary_base=7.0)).position

    assert isinstance(position, RotaryPosition)
    assert (position.base, position.head_dim) == (7.0, 8)
