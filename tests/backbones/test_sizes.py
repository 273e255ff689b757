"""A name says family, size and patch; a wrong one is answered with the nearest right one."""

import pytest

from saccade.backbones.sizes import TRANSFORMERS, model_config, model_names, parse_name
from saccade.config.json import from_json, to_json
from saccade.config.model import AttentionCnnConfig, CnnConfig, RagConfig, VitConfig
from saccade.errors import UsageError

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

    assert len(names) == len(set(names)) == len(CONFIGS) * len(TRANSFORMERS)
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
    widths = [model_config(f"{family}-{size}").embed_dim for size in TRANSFORMERS]

    assert widths == sorted(set(widths))


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


def test_rag_is_rezero_with_features_and_raw_image() -> None:
    config = model_config("rag-nano4")

    assert isinstance(config, RagConfig)
    assert config.residual == "rezero"
    assert config.has_features
    assert config.has_raw_image
