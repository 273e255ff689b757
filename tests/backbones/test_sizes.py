"""A name says family, size and patch; a wrong one is answered with the nearest right one."""

from dataclasses import replace

import pytest
import torch

from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import SIZES, TRANSFORMERS, model_config, model_names, parse_name
from saccade.config.json import from_json, to_json
from saccade.config.model import AttentionCnnConfig, CnnConfig, RagConfig, VitConfig
from saccade.errors import UsageError
from saccade.tasks.build import build_head

CONFIGS = {"vit": VitConfig, "rag": RagConfig, "attncnn": AttentionCnnConfig, "cnn": CnnConfig}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("rag", ("rag", None, None)),
        ("rag-nano", ("rag", "nano", None)),
        ("rag-nano4", ("rag", "nano", 4)),
        ("vit-ti16", ("vit", "ti", 16)),
        ("attncnn-s32", ("attncnn", "s", 32)),
    ],
)
def test_a_name_comes_apart(name: str, parts: tuple[str, str | None, int | None]) -> None:
    assert parse_name(name) == parts


@pytest.mark.parametrize(
    ("given", "offered"),
    [
        ("ragg", "'rag'"),
        ("atncnn", "'attncnn'"),
        ("vit-nan16", "'vit-nano16'"),
        ("rag-pica16", "'rag-pico16'"),
        ("vit-s16x", "'vit-s16'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(given: str, offered: str) -> None:
    with pytest.raises(UsageError, match=rf"{given}.*did you mean {offered}"):
        parse_name(given)


@pytest.mark.parametrize("given", ["", "rag-", "rag-16", "rag nano4", "-nano4", "rag-nano-4"])
def test_what_is_no_name_at_all_is_told_how_names_look(given: str) -> None:
    with pytest.raises(UsageError, match="as in rag-nano4"):
        parse_name(given)


def test_a_patch_of_no_pixels_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1"):
        parse_name("vit-nano0")


def test_a_family_alone_is_no_model_and_the_sizes_are_listed() -> None:
    with pytest.raises(UsageError, match="add a size: pico, nano, ti, s, b"):
        model_config("rag")


def test_every_listed_name_has_a_config_of_its_family_that_survives_json() -> None:
    names = model_names()

    assert len(names) == len(set(names)) == sum(len(sizes) for sizes in SIZES.values())
    for name in names:
        config = model_config(name)
        assert type(config) is CONFIGS[name.partition("-")[0]]
        assert config.patch_size == 16
        assert from_json(type(config), to_json(config)) == config


@pytest.mark.parametrize("family", CONFIGS)
def test_the_patch_of_the_name_is_the_patch_of_the_model(family: str) -> None:
    assert model_config(f"{family}-nano8").patch_size == 8
    assert model_config(f"{family}-nano").patch_size == 16


@pytest.mark.parametrize("family", CONFIGS)
def test_sizes_grow(family: str) -> None:
    widths = [model_config(f"{family}-{size}").embed_dim for size in SIZES[family]]

    assert widths == sorted(set(widths))


@pytest.mark.parametrize("family", CONFIGS)
def test_every_family_has_the_first_sizes_and_only_vit_the_largest(family: str) -> None:
    assert SIZES[family][:5] == ("pico", "nano", "ti", "s", "b")
    assert SIZES[family][5:] == (("l", "h") if family == "vit" else ())
    assert set(SIZES[family]) <= set(TRANSFORMERS)


@pytest.mark.parametrize(
    ("size", "width", "heads"), [("ti", 192, 3), ("s", 384, 6), ("b", 768, 12)]
)
def test_the_vits_with_published_names_have_the_published_shape(
    size: str, width: int, heads: int
) -> None:
    """DeiT, arXiv 2012.12877, table 1: 12 layers and 64 dimensions a head in every size."""
    config = model_config(f"vit-{size}16")

    assert isinstance(config, VitConfig)
    assert (config.embed_dim, config.num_heads, config.depth) == (width, heads, 12)
    assert config.mlp_ratio == 4


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("vit-ti16", 5_717_416),
        ("vit-s16", 22_050_664),
        ("vit-b16", 86_567_656),
        ("vit-l16", 304_326_632),
        ("vit-h16", 632_199_400),
        ("vit-ti14", 5_694_376),
        ("vit-s14", 22_004_584),
        ("vit-b14", 86_475_496),
        ("vit-l14", 304_203_752),
        ("vit-h14", 632_045_800),
    ],
)
def test_the_vits_with_published_names_have_the_published_number_of_parameters(
    name: str, count: int
) -> None:
    """As counted in timm 1.0.31, ``VisionTransformer(img_size=224, num_classes=1000, ...)``.

    The papers round: 86 M, 307 M, 632 M for B/16, L/16 and H/14 (arXiv 2010.11929, table 1); 5 M
    and 22 M for Ti/16 and S/16 (arXiv 2012.12877, table 1).
    """
    config = model_config(name)
    assert isinstance(config, VitConfig)
    side = 224 // config.patch_size
    config = replace(
        config,
        has_class_token=True,
        position="learned",
        position_grid=(1, side, side),
        num_prefix_positions=1,
        pool="class",
    )

    with torch.device("meta"):
        parts = build_backbone(config, in_channels=3), build_head(config, num_classes=1000)

    assert sum(p.numel() for part in parts for p in part.parameters()) == count


def test_rag_is_rezero_with_features_and_raw_image() -> None:
    config = model_config("rag-nano4")

    assert isinstance(config, RagConfig)
    assert config.residual == "rezero"
    assert config.has_features
    assert config.has_raw_image
