"""RAG is CNN features + the raw picture + positions, then ReZero attention that starts silent."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from saccade.backbones.build import build_backbone
from saccade.backbones.rag import Rag
from saccade.backbones.sizes import model_config
from saccade.config.model import Position, RagConfig
from saccade.shapes import Grid
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Blocks
from saccade.transformer.trace import Trace

PICO = model_config("rag-pico4")
assert isinstance(PICO, RagConfig)
SMALL = replace(PICO, embed_dim=16, num_heads=2, position_grid=(1, 4, 4))


def make_rag(config: RagConfig = SMALL) -> Rag:
    backbone = build_backbone(config, in_channels=3)
    assert isinstance(backbone, Rag)
    for name, parameter in backbone.named_parameters():
        if name.endswith("alpha"):
            nn.init.constant_(parameter, 0.5)
    return backbone.eval()


@pytest.mark.parametrize("position", ["none", "sincos", "learned", "rotary"])
def test_the_forward_pass_is_features_plus_raw_plus_position_then_blocks(
    position: Position,
) -> None:
    rag = make_rag(replace(SMALL, position=position))
    images = torch.randn(2, 3, 12, 16)
    assert rag.features is not None
    assert rag.raw_image is not None

    tokens = rag.features(images)
    assert tokens.grid == Grid(1, 3, 4)
    tokens = rag.position(tokens.with_x(tokens.x + rag.raw_image(images).x))
    for block in rag.blocks:
        tokens = block(tokens)

    torch.testing.assert_close(rag(images).x, rag.norm(tokens.x))


def test_each_half_can_be_left_out() -> None:
    images = torch.randn(2, 3, 12, 16)
    without_features = make_rag(replace(SMALL, has_features=False, depth=0))
    without_raw = make_rag(replace(SMALL, has_raw_image=False, depth=0))

    for rag, part in (
        (without_features, without_features.raw_image),
        (without_raw, without_raw.features),
    ):
        assert part is not None
        seen = rag.position(part(images))
        torch.testing.assert_close(rag(images).x, rag.norm(seen.x))
    assert without_features.features is None
    assert without_raw.raw_image is None


def test_with_both_halves_left_out_there_is_nothing_to_see() -> None:
    with pytest.raises(ValueError, match="has_features or has_raw_image"):
        make_rag(replace(SMALL, has_features=False, has_raw_image=False))


def test_a_fresh_rag_is_its_embedding_because_every_block_is_silent() -> None:
    fresh = build_backbone(SMALL, in_channels=3).eval()
    images = torch.randn(2, 3, 16, 16)
    assert isinstance(fresh, Rag)
    expected = fresh(images).x

    fresh.blocks = Blocks()

    assert torch.equal(fresh(images).x, expected)


def test_the_raw_image_alone_needs_no_power_of_two() -> None:
    rag = make_rag(replace(SMALL, has_features=False, patch_size=5))

    assert rag(torch.randn(1, 3, 15, 11)).grid == Grid(1, 3, 3)


def test_the_kind_of_attention_reaches_every_block() -> None:
    rag = make_rag(replace(SMALL, similarity="cosine", projection="conv"))

    attentions = [module for module in rag.modules() if isinstance(module, SelfAttention)]
    assert len(attentions) == SMALL.depth
    assert all(layer.temperature is not None and layer.mix is not None for layer in attentions)


def test_it_begins_with_the_sum_and_reads_out_with_the_norm() -> None:
    """What explains a model goes block by block between the two."""
    rag, images, trace = make_rag(), torch.randn(2, 3, 12, 16), Trace()

    tokens = rag(images, trace)

    assert trace.layers[-1].tokens is not None
    assert torch.equal(rag.readout(rag.blocks(rag.begin(images))).x, tokens.x)
    assert torch.equal(rag.readout(trace.layers[-1].tokens).x, tokens.x)
