"""Every backbone that can be configured keeps the promises of a backbone."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.backbones.build import AnyBackbone, build_backbone, global_blocks
from saccade.backbones.conv import ConvEmbed
from saccade.backbones.rag import Rag
from saccade.backbones.sizes import model_config, model_names
from saccade.backbones.vit import Vit
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    Stem,
    VitConfig,
)
from saccade.shapes import Grid
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import LearnedPosition
from saccade.tokens.stem import ConvStem
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Block
from saccade.transformer.residual import LayerScale
from saccade.transformer.trace import Trace


def variants(size: str) -> dict[str, ModelConfig]:
    """Each family, and each of its choices at least once."""
    vit, rag = model_config(f"vit-{size}8"), model_config(f"rag-{size}8")
    attncnn = model_config(f"attncnn-{size}8")
    assert isinstance(vit, VitConfig)
    assert isinstance(rag, RagConfig)
    assert isinstance(attncnn, AttentionCnnConfig)
    return {
        f"vit-{size}": vit,
        f"vit-{size} conv learned": replace(vit, stem="conv", position="learned"),
        f"vit-{size} class registers": replace(vit, has_class_token=True, num_registers=4),
        f"vit-{size} layerscale": replace(vit, residual="layerscale", position="learned"),
        f"rag-{size}": rag,
        f"rag-{size} no features": replace(rag, has_features=False, position="learned"),
        f"rag-{size} no raw image": replace(rag, has_raw_image=False, residual="prenorm"),
        f"attncnn-{size}": attncnn,
        f"attncnn-{size} cosine": replace(attncnn, similarity="cosine"),
        f"attncnn-{size} conv": replace(attncnn, projection="conv"),
        f"attncnn-{size} cosine conv": replace(attncnn, similarity="cosine", projection="conv"),
        f"cnn-{size}": model_config(f"cnn-{size}8"),
    }


def later_variants() -> dict[str, ModelConfig]:
    """What came with published weights and larger pictures, each choice at least once."""
    vit, rag = model_config("vit-pico8"), model_config("rag-pico8")
    assert isinstance(vit, VitConfig)
    assert isinstance(rag, RagConfig)
    with_class = replace(vit, stem="patches", has_class_token=True, pool="class")
    return {
        "vit cnn stem no positions": replace(vit, stem="cnn", position="none"),
        "vit windows": replace(vit, window_size=2, num_global_blocks=1, has_class_token=True),
        "vit rotary cosine conv": replace(
            vit, position="rotary", similarity="cosine", projection="conv", num_registers=2
        ),
        "vit qk norm swiglu": replace(
            with_class, has_qk_norm=True, has_gated_mlp=True, activation="silu", has_qkv_bias=False
        ),
        "vit as in clip": replace(
            with_class,
            position="learned",
            num_prefix_positions=1,
            has_embed_norm=True,
            has_patch_bias=False,
            activation="quick_gelu",
            norm_eps=1e-5,
        ),
        "vit norm after pooling": replace(with_class, pool="mean", final_norm="pooled"),
        "rag rotary cosine conv": replace(
            rag, position="rotary", similarity="cosine", projection="conv"
        ),
    }


VARIANTS = variants("pico") | variants("nano") | later_variants()

every_backbone = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


def build(config: ModelConfig, *, in_channels: int = 3) -> AnyBackbone:
    """In evaluation mode, its alphas opened so that all of it speaks."""
    backbone = build_backbone(config, in_channels=in_channels).eval()
    for name, parameter in backbone.named_parameters():
        if name.endswith("alpha"):
            torch.nn.init.constant_(parameter, 0.5)
    return backbone


@every_backbone
@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [(32, 32, Grid(1, 4, 4)), (40, 57, Grid(1, 5, 8)), (1, 3, Grid(1, 1, 1))],
)
def test_pictures_of_any_size_give_tokens_on_the_grid_that_covers_them(
    config: ModelConfig, height: int, width: int, grid: Grid
) -> None:
    backbone = build(config)

    tokens = backbone(torch.randn(2, 3, height, width))

    assert tokens.grid == grid
    assert tokens.x.shape == (2, tokens.num_prefix + grid.num_tokens, config.embed_dim)
    assert backbone.embed_dim == config.embed_dim
    assert backbone.patch_size == 8
    assert tokens.x.isfinite().all()


@every_backbone
def test_tracing_changes_nothing_and_keeps_one_distribution_per_token_and_layer(
    config: ModelConfig,
) -> None:
    backbone, images, trace = build(config), torch.randn(2, 3, 24, 32), Trace()

    traced = backbone(images, trace)

    torch.testing.assert_close(traced.x, backbone(images).x, rtol=1e-4, atol=1e-5)
    assert len(trace.layers) == num_attention_layers(config)
    for layer in trace.layers:
        num_tokens = layer.num_prefix + layer.grid.num_tokens
        weights = layer.attention()
        assert weights.shape[2:] == (num_tokens, num_tokens)
        assert weights.min() >= 0
        torch.testing.assert_close(weights.sum(dim=3), torch.ones(weights.shape[:3]))


def num_attention_layers(config: ModelConfig) -> int:
    match config:
        case VitConfig() | RagConfig():
            return config.depth
        case AttentionCnnConfig():
            return 2 * config.num_attentions
        case _:
            return 0


@every_backbone
def test_the_last_traced_tokens_read_out_are_the_output(config: ModelConfig) -> None:
    backbone, trace = build(config), Trace()

    tokens = backbone(torch.randn(1, 3, 32, 32), trace)

    for layer in trace.layers[-1:]:
        if layer.tokens is not None:
            torch.testing.assert_close(backbone.readout(layer.tokens).x, tokens.x)
    has_shared_width = isinstance(config, VitConfig | RagConfig)
    assert all((layer.tokens is not None) == has_shared_width for layer in trace.layers)


@every_backbone
def test_a_picture_gives_the_same_alone_as_in_a_batch(config: ModelConfig) -> None:
    backbone, images = build(config), torch.randn(3, 3, 32, 32)

    together = backbone(images).x

    for b in range(3):
        torch.testing.assert_close(
            backbone(images[b : b + 1]).x[0], together[b], rtol=1e-4, atol=1e-5
        )


@every_backbone
def test_the_layout_of_the_pictures_in_memory_does_not_matter(config: ModelConfig) -> None:
    backbone, images = build(config), torch.randn(2, 3, 32, 24)

    channels_last = backbone(images.contiguous(memory_format=torch.channels_last)).x

    torch.testing.assert_close(channels_last, backbone(images).x, rtol=1e-4, atol=1e-5)


@every_backbone
def test_a_state_dict_carries_the_whole_model(config: ModelConfig) -> None:
    one, other = build(config, in_channels=1), build(config, in_channels=1)
    images = torch.randn(2, 1, 32, 32)
    assert not torch.equal(one(images).x, other(images).x)

    other.load_state_dict(one.state_dict())

    assert torch.equal(one(images).x, other(images).x)


@every_backbone
def test_a_backbone_is_a_function_of_torchs_seed(config: ModelConfig) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build_backbone(config, in_channels=3).state_dict())

    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("name", model_names())
def test_every_size_can_be_built_and_run_without_allocating_it(name: str) -> None:
    with torch.device("meta"):
        backbone = build_backbone(model_config(name), in_channels=3).eval()
        tokens = backbone(torch.empty(2, 3, 64, 48))

    assert tokens.x.is_meta
    assert tokens.grid == Grid(1, 4, 3)


@pytest.mark.parametrize("name", ["vit-pico layerscale", "rag-pico no features"])
def test_learned_positions_belong_to_the_grid_of_the_config(name: str) -> None:
    backbone = build(changed(name, position_grid=(1, 3, 5)))
    assert isinstance(backbone, Vit | Rag)
    assert isinstance(backbone.position, LearnedPosition)

    assert backbone.position.grid == Grid(1, 3, 5)
    assert backbone.position.table.shape == (1, 15, 96)
    assert backbone(torch.randn(1, 3, 20, 35)).grid == backbone.position.grid


def test_the_attention_path_of_the_config_reaches_every_layer() -> None:
    for name in ("vit-pico", "rag-pico", "attncnn-pico"):
        config = VARIANTS[name]
        assert not isinstance(config, CnnConfig)
        backbone = build(replace(config, attention="explicit"))
        paths = {module.path for module in backbone.modules() if hasattr(module, "path")}
        assert paths == {"explicit"}


def test_global_blocks_are_spread_evenly_and_the_last_is_one() -> None:
    """Of twelve blocks with four that see everything: 3, 6, 9 and 12, as in arXiv 2203.16527."""
    config = model_config("vit-s16")
    assert isinstance(config, VitConfig)
    windowed = replace(config, window_size=14, num_global_blocks=4)

    assert global_blocks(windowed) == {2, 5, 8, 11}
    assert global_blocks(replace(windowed, depth=24)) == {5, 11, 17, 23}
    assert global_blocks(replace(windowed, num_global_blocks=0)) == set()
    with torch.device("meta"):
        backbone = build_backbone(windowed, in_channels=3)
    sizes = [m.window_size for m in backbone.modules() if isinstance(m, SelfAttention)]
    assert sizes == [14, 14, 0, 14, 14, 0, 14, 14, 0, 14, 14, 0]


@pytest.mark.parametrize(("depth", "rates"), [(1, [0.0]), (3, [0.0, 0.1, 0.2]), (0, [])])
@pytest.mark.parametrize("name", ["vit-pico", "rag-pico"])
def test_drop_path_grows_with_depth(name: str, depth: int, rates: list[float]) -> None:
    config = changed(name, depth=depth, drop_path=0.2, residual="layerscale", mlp_ratio=1.5)

    blocks = [module for module in build(config).modules() if isinstance(module, Block)]

    assert [block.drop_path.rate for block in blocks] == pytest.approx(rates)
    for block in blocks:
        assert block.mlp.widen.out_features == 144
        assert isinstance(block.mlp_gate, LayerScale)


def changed(name: str, **change: Any) -> ModelConfig:
    return replace(VARIANTS[name], **change)


def test_numbers_that_do_not_fit_together_are_refused_when_building() -> None:
    changes: list[tuple[str, dict[str, Any], str]] = [
        ("vit-pico", {"num_heads": 5}, "96 .* 5 heads"),
        ("vit-pico", {"stem": "conv", "patch_size": 6}, "power of two"),
        ("vit-pico", {"stem": "cnn", "patch_size": 6}, "power of two"),
        ("vit-pico", {"drop_path": 1.0}, "1.0"),
        ("vit-pico", {"embed_dim": 3, "num_heads": 1}, "embed_dim is 3.*at least 4"),
        ("vit-pico", {"position": "rotary", "num_heads": 16}, "6 wide.*multiple of 4"),
        ("vit-pico", {"position": "learned", "position_grid": (1, 0, 8)}, "at least one cell"),
        ("vit-pico", {"position": "learned", "num_prefix_positions": 1}, "only 0 class and"),
        ("vit-pico", {"tubelet_size": 2, "stem": "cnn"}, "'cnn'; clips .* need 'patches' or"),
        ("vit-pico", {"pool": "class"}, "'class' .* without a class token only 'mean'"),
        ("vit-pico", {"pool": "class_and_mean"}, "without a class token only 'mean'"),
        ("vit-pico", {"pool": "distilled"}, "without a class token only 'mean'"),
        ("vit-pico", {"pool": "distilled", "has_class_token": True}, "num_registers is 0"),
        ("rag-pico", {"patch_size": 6}, "power of two"),
        ("attncnn-pico", {"num_heads": 7}, "7 heads"),
    ]
    for name, change, message in changes:
        with pytest.raises(ValueError, match=message):
            build(changed(name, **change))


@pytest.mark.parametrize("stem", ["patches", "conv", "cnn"])
def test_a_vit_without_blocks_or_positions_is_its_stem(stem: Stem) -> None:
    config = changed("vit-pico", stem=stem, depth=0, position="none", final_norm="pooled")
    backbone, images = build(config), torch.randn(2, 3, 16, 24)
    assert isinstance(backbone, Vit)
    kinds = {"patches": PatchEmbed, "conv": ConvStem, "cnn": ConvEmbed}

    assert isinstance(backbone.embed, kinds[stem])
    assert torch.equal(backbone(images).x, backbone.embed(images).x)
