"""A name of timm settles heads, activation and epsilon; other models are refused by name.

tests/parity/test_timm.py compares the same rules with every plain model of timm itself.
"""

from typing import Any

import pytest

from saccade.errors import DataError
from saccade.weights.timm.names import Facts, facts, require_plain


def known(config: dict[str, Any], *, embed_dim: int = 768, **tensors: bool) -> Facts:
    seen = {"is_gated": False, "is_clip": False} | tensors
    return facts(config, embed_dim=embed_dim, source="it", **seen)


@pytest.mark.parametrize(
    ("name", "embed_dim", "num_heads", "activation", "norm_eps"),
    [
        ("vit_base_patch16_224", 768, 12, "gelu", 1e-6),
        ("vit_base_patch16_224.augreg_in21k", 768, 12, "gelu", 1e-6),
        ("vit_base_patch16_gap_224", 768, 16, "gelu", 1e-6),
        ("deit3_huge_patch14_224", 1280, 16, "gelu", 1e-6),
        ("vit_base_patch32_clip_224", 768, 12, "gelu", 1e-5),
        ("vit_base_patch32_clip_quickgelu_224", 768, 12, "quick_gelu", 1e-5),
        ("vit_giantopt_patch16_siglip_gap_256", 1536, 16, "gelu_tanh", 1e-6),
        ("vit_so400m_patch14_siglip_gap_384", 1152, 16, "gelu", 1e-6),
    ],
)
def test_a_name_settles_what_tensors_do_not_show(
    name: str, embed_dim: int, num_heads: int, activation: str, norm_eps: float
) -> None:
    found = known({"architecture": name}, embed_dim=embed_dim)

    assert (found.num_heads, found.activation, found.norm_eps) == (num_heads, activation, norm_eps)
    assert found.notes == ()


def test_a_gated_mlp_is_swiglu() -> None:
    config = {"architecture": "vit_giant_patch14_dinov2"}

    assert known(config, embed_dim=1536, is_gated=True).activation == "silu"


def test_arguments_come_before_the_name() -> None:
    config = {
        "architecture": "vit_base_patch16_224",
        "model_args": {"num_heads": 8, "act_layer": "quick_gelu", "drop_path_rate": 0.1},
    }

    found = known(config)

    assert (found.num_heads, found.activation) == (8, "quick_gelu")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("vit_base_patch16_rpn_224", "after each branch"),
        ("vit_small_patch16_18x2_224", "in parallel"),
        ("vit_large_patch14_xp_224", "in parallel"),
        ("vit_relpos_base_patch16_224", "relative positions"),
        ("vit_base_patch16_rope_224", "rotary"),
        ("vit_small_patch16_dinov3", "take the copy in transformers' layout"),
        ("vit_so150m_patch16_reg4_map_256", "pools by attention"),
        ("resnet50", "no plain vision transformer"),
        ("vit_dwee_patch16_reg1_gap_256", "no plain vision transformer"),
        ("vit_base_patch16_newidea_224", "no plain vision transformer"),
    ],
)
def test_another_model_is_refused_with_what_is_in_the_way(name: str, why: str) -> None:
    with pytest.raises(DataError, match=f"{name}.*{why}"):
        require_plain(name, source="it")


def test_without_a_name_the_activation_of_a_clip_model_is_open() -> None:
    with pytest.raises(DataError, match=r'"architecture": "vit_base_patch16_clip_224"'):
        known({}, is_clip=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"block_fn": "ParallelBlock"}, "builds its model with block_fn"),
        ({"pool_include_prefix": True}, "builds its model with pool_include_prefix"),
        ({"act_layer": "relu"}, "act_layer is 'relu'"),
        ({"norm_layer": "rmsnorm"}, "norm_layer is 'rmsnorm'"),
        ({"num_heads": "many"}, "num_heads is 'many'"),
        (["num_heads"], "expected an object"),
    ],
)
def test_arguments_that_change_what_is_computed_are_refused(
    arguments: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        known({"architecture": "vit_base_patch16_224", "model_args": arguments})
