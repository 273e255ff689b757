"""A ViT is patches + positions, learned tokens before them, blocks, and a norm."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from saccade.backbones.build import build_backbone
from saccade.backbones.vit import Vit
from saccade.config.model import Position, VitConfig
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens

SMALL = VitConfig(
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
)


def make_vit(config: VitConfig = SMALL, *, image_size: int = 16) -> Vit:
    backbone = build_backbone(config, in_channels=3, image_size=image_size)
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


@pytest.mark.parametrize("position", ["sincos", "learned"])
def test_the_forward_pass_is_its_story_written_out(position: Position) -> None:
    vit = make_vit(replace(SMALL, position=position, has_class_token=True))
    images = torch.randn(2, 3, 8, 16)

    patches = vit.embed(images).flatten(2).transpose(1, 2)
    patches = vit.position(patches, Grid(1, 2, 4))
    x = torch.cat([vit.prefix.repeat(2, 1, 1), patches], dim=1)
    tokens = Tokens(x=x, grid=Grid(1, 2, 4), num_prefix=1)
    for block in vit.blocks:
        tokens = block(tokens)

    torch.testing.assert_close(vit(images).x, vit.norm(tokens.x))


@pytest.mark.parametrize("position", ["sincos", "learned"])
def test_positions_do_not_touch_the_prefix(position: Position) -> None:
    """With no blocks, what comes out of the prefix is the normalised parameter on any grid."""
    vit = make_vit(replace(SMALL, depth=0, position=position, num_registers=2))

    for images in (torch.randn(1, 3, 16, 16), torch.randn(1, 3, 20, 8)):
        torch.testing.assert_close(vit(images).prefix, vit.norm(vit.prefix))


def test_without_positions_the_order_of_the_patches_would_not_matter_and_with_them_it_does() -> (
    None
):
    vit = make_vit(replace(SMALL, position="learned", has_class_token=True))
    images = torch.randn(1, 3, 16, 16)
    swapped = torch.cat([images[..., 4:8], images[..., :4], images[..., 8:]], dim=3)

    moved = (vit(images).prefix - vit(swapped).prefix).abs().max()
    nn.init.zeros_(vit.get_parameter("position.table"))
    torch.testing.assert_close(vit(images).prefix, vit(swapped).prefix)

    assert moved > 1e-4


def test_a_rezero_vit_starts_as_its_embedding() -> None:
    vit = make_vit(replace(SMALL, residual="rezero"))
    images = torch.randn(2, 3, 16, 16)

    embedded = vit.position(vit.embed(images).flatten(2).transpose(1, 2), Grid(1, 4, 4))

    torch.testing.assert_close(vit(images).x, vit.norm(embedded))


def test_every_patch_sees_every_other() -> None:
    vit = make_vit()
    images = torch.randn(1, 3, 32, 32)
    touched = images.clone()
    touched[..., 28:, 28:] += 5

    assert (vit(touched).x != vit(images).x).any(dim=2).all()
