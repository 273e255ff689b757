"""A model of ours is described so that timm builds it, or is refused with the reason."""

from dataclasses import replace

import pytest

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.errors import UsageError
from saccade.weights.blank import blank
from saccade.weights.timm.write import to_timm

VIT = VitConfig(
    embed_dim=16,
    depth=1,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="learned",
    residual="prenorm",
    num_registers=0,
    has_class_token=True,
    drop_path=0.0,
    position_grid=(1, 3, 4),
    num_prefix_positions=1,
    pool="class",
)
PREPROCESS = Preprocess(
    height=12, width=16, channels=3, fit="squash", mean=(0.5,) * 3, std=(0.5,) * 3
)


def described(config: VitConfig, preprocess: Preprocess = PREPROCESS) -> dict[str, object]:
    _, found = to_timm(
        blank(config, num_classes=2),
        config,
        class_names=("cat", "dog"),
        preprocess=preprocess,
        licence="mit",
    )
    return found


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (VIT, "vit_base_patch16_224"),
        (replace(VIT, norm_eps=1e-5), "vit_base_patch16_clip_224"),
        (replace(VIT, has_gated_mlp=True, activation="silu"), "vit_giant_patch14_dinov2"),
        (
            replace(VIT, num_registers=1, num_prefix_positions=2, pool="distilled"),
            "deit_tiny_distilled_patch16_224",
        ),
    ],
)
def test_the_name_brings_what_arguments_cannot(config: VitConfig, name: str) -> None:
    assert described(config)["architecture"] == name


def test_the_arguments_replace_every_number_of_the_name() -> None:
    arguments = described(replace(VIT, has_gated_mlp=True, activation="silu"))["model_args"]

    assert isinstance(arguments, dict)
    assert int(16 * arguments["mlp_ratio"]) == 2 * 32
    assert arguments["img_size"] == [12, 16]
    assert arguments["init_values"] == 0.0
    assert arguments["no_embed_class"] is False


def test_timm_rounds_the_ratio_down_to_the_same_hidden_width() -> None:
    for hidden in range(1, 200):  # of 98 wide tokens, where 98 * (1 / 98) is below 1
        config = replace(VIT, embed_dim=98, mlp_ratio=hidden / 98)
        arguments = described(config)["model_args"]

        assert isinstance(arguments, dict)
        assert int(98 * arguments["mlp_ratio"]) == hidden


def test_a_model_for_larger_pictures_than_its_positions_is_built_to_resample() -> None:
    larger = described(VIT, replace(PREPROCESS, height=24))
    arguments, pretrained = larger["model_args"], larger["pretrained_cfg"]

    assert isinstance(arguments, dict)
    assert isinstance(pretrained, dict)
    assert arguments["img_size"] == [12, 16]
    assert arguments["dynamic_img_size"] is True
    assert pretrained["input_size"] == [3, 24, 16]
    assert pretrained["fixed_input_size"] is False


def test_classes_and_licence_travel() -> None:
    found = described(VIT)

    assert found["label_names"] == ["cat", "dog"]
    assert found["num_classes"] == 2
    assert isinstance(found["pretrained_cfg"], dict)
    assert found["pretrained_cfg"]["license"] == "mit"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (replace(VIT, stem="conv"), "its stem is 'conv'"),
        (replace(VIT, residual="rezero"), "ReZero"),
        (replace(VIT, position="rotary", num_prefix_positions=0), "rotary"),
        (replace(VIT, position="sincos", num_prefix_positions=0), "as a table first"),
        (replace(VIT, similarity="cosine"), "compares by cosine"),
        (replace(VIT, projection="conv"), "projection is 'conv'"),
        (replace(VIT, window_size=2), "windowed"),
        (replace(VIT, pool="class_and_mean"), "the class token and the mean together"),
        (replace(VIT, tubelet_size=2), "reads clips"),
        (replace(VIT, has_embed_norm=True), "not both or neither"),
        (replace(VIT, has_patch_bias=False), "not both or neither"),
        (replace(VIT, num_registers=2), "some of its prefix tokens"),
        (replace(VIT, norm_eps=1e-12), "norm_eps 1e-12"),
        (replace(VIT, norm_eps=1e-5, has_gated_mlp=True), "norm_eps 1e-05 with a gated MLP"),
        (
            replace(VIT, final_norm="pooled", norm_eps=1e-5, pooled_norm_eps=1e-6),
            "timm has one for all",
        ),
    ],
)
def test_what_timm_cannot_say_is_refused_with_the_reason(config: VitConfig, why: str) -> None:
    with pytest.raises(UsageError, match=f"cannot be written for timm: .*{why}"):
        described(config)
