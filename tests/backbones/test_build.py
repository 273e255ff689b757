"""Every backbone that can be configured keeps the promises of a backbone."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.backbones.build import AnyBackbone, build_backbone
from saccade.backbones.sizes import model_config, model_names
from saccade.backbones.vit import Vit
from saccade.config.model import AttentionCnnConfig, CnnConfig, ModelConfig, RagConfig, VitConfig
from saccade.shapes import Grid
from saccade.tokens.positions import LearnedPosition
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


VARIANTS = variants("pico") | variants("nano")

every_backbone = pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS.keys())


def build(config: ModelConfig, *, in_channels: int = 3) -> AnyBackbone:
    """In evaluation mode, its alphas opened so that all of it speaks."""
    backbone = build_backbone(config, in_channels=in_channels, image_size=32).eval()
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
        assert layer.attention.shape[2:] == (num_tokens, num_tokens)
        assert layer.attention.min() >= 0
        torch.testing.assert_close(
            layer.attention.sum(dim=3), torch.ones(layer.attention.shape[:3])
        )


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
        states.append(build_backbone(config, in_channels=3, image_size=32).state_dict())

    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize("name", model_names())
def test_every_size_can_be_built_and_run_without_allocating_it(name: str) -> None:
    with torch.device("meta"):
        backbone = build_backbone(model_config(name), in_channels=3, image_size=64).eval()
        tokens = backbone(torch.empty(2, 3, 64, 48))

    assert tokens.x.is_meta
    assert tokens.grid == Grid(1, 4, 3)


@pytest.mark.parametrize("image_size", [32, 30, 5])
def test_learned_positions_fit_the_training_pictures_without_resampling(image_size: int) -> None:
    """Sides that the patch does not divide are padded up, so the grid is rounded up too."""
    config = VARIANTS["vit-pico layerscale"]
    backbone = build_backbone(config, in_channels=3, image_size=image_size).eval()
    assert isinstance(backbone, Vit)
    assert isinstance(backbone.position, LearnedPosition)

    tokens = backbone(torch.randn(1, 3, image_size, image_size))

    assert backbone.position.grid == tokens.grid


def test_the_attention_path_of_the_config_reaches_every_layer() -> None:
    for name in ("vit-pico", "rag-pico", "attncnn-pico"):
        config = VARIANTS[name]
        assert not isinstance(config, CnnConfig)
        backbone = build(replace(config, attention="explicit"))
        paths = {module.path for module in backbone.modules() if hasattr(module, "path")}
        assert paths == {"explicit"}


def changed(name: str, **change: Any) -> ModelConfig:
    return replace(VARIANTS[name], **change)


def test_numbers_that_do_not_fit_together_are_refused_when_building() -> None:
    changes: list[tuple[str, dict[str, Any], str]] = [
        ("vit-pico", {"num_heads": 5}, "96 .* 5 heads"),
        ("vit-pico", {"stem": "conv", "patch_size": 6}, "power of two"),
        ("vit-pico", {"drop_path": 1.0}, "1.0"),
        ("rag-pico", {"patch_size": 6}, "power of two"),
        ("attncnn-pico", {"num_heads": 7}, "7 heads"),
    ]
    for name, change, message in changes:
        with pytest.raises(ValueError, match=message):
            build(changed(name, **change))


def test_a_width_without_quarters_is_refused_when_building_not_in_the_first_step() -> None:
    with pytest.raises(ValueError, match="multiple of 4"):
        build(changed("vit-pico", embed_dim=90))
