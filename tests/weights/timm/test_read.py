"""A file of timm becomes our model, with its classes, licence and preprocessing, or is refused."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

from saccade.config.run import Preprocess
from saccade.errors import DataError
from saccade.weights.files import open_weights
from saccade.weights.timm.read import input_size, is_timm, read_timm
from tests.weights.theirs import (
    CELLS,
    CLASSES,
    DEPTH,
    HEADS,
    HIDDEN,
    PATCH,
    TIMM_CONFIG,
    WIDTH,
    save,
    timm_tensors,
)


def config(**changes: object) -> dict[str, Any]:
    return copy.deepcopy(TIMM_CONFIG) | changes


def test_the_tensors_and_the_name_settle_the_shape(tmp_path: Path) -> None:
    found = read_timm(open_weights(save(tmp_path, timm_tensors(), config())))

    model = found.model
    assert (model.embed_dim, model.num_heads, model.depth) == (WIDTH, HEADS, DEPTH)
    assert round(model.embed_dim * model.mlp_ratio) == HIDDEN
    assert (model.patch_size, model.position_grid) == (PATCH, (1, CELLS, CELLS))
    assert (model.pool, model.num_prefix_positions) == ("class", 1)
    assert (model.residual, model.activation, model.norm_eps) == ("prenorm", "gelu", 1e-6)


def test_every_tensor_is_theirs_under_another_name(tmp_path: Path) -> None:
    theirs = timm_tensors()
    found = read_timm(open_weights(save(tmp_path, theirs, config()))).tensors

    assert torch.equal(found["backbone.prefix"], theirs["cls_token"])
    assert torch.equal(found["backbone.position.prefix"], theirs["pos_embed"][:, :1])
    assert torch.equal(found["backbone.position.table"], theirs["pos_embed"][:, 1:])
    qkv = "backbone.blocks.1.attention.qkv.weight"
    assert torch.equal(found[qkv], theirs["blocks.1.attn.qkv.weight"])
    assert torch.equal(found["head.classify.bias"], theirs["head.bias"])
    assert sum(each.numel() for each in found.values()) == sum(
        each.numel() for each in theirs.values()
    )


def test_classes_licence_and_preprocessing_come_along(tmp_path: Path) -> None:
    found = read_timm(open_weights(save(tmp_path, timm_tensors(), config())))

    assert found.architecture == "vit_small_patch16_224.augreg_in1k"
    assert found.class_names == ("ant", "bee", "cat", "dog", "elk")
    assert found.licence == "apache-2.0"
    side = PATCH * CELLS
    assert found.preprocess == Preprocess(
        height=side,
        width=side,
        channels=3,
        fit="crop",
        mean=(0.5, 0.4, 0.3),
        std=(0.2, 0.25, 0.3),
        resize_side=int(side / 0.9),
        interpolation="bicubic",
    )
    assert found.notes == ()


def test_the_model_card_states_the_licence_before_the_config(tmp_path: Path) -> None:
    folder = save(tmp_path, timm_tensors(), config())
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n")

    assert read_timm(open_weights(folder)).licence == "cc-by-nc-4.0"


def test_a_bare_file_is_read_by_assumptions_that_are_said(tmp_path: Path) -> None:
    found = read_timm(open_weights(save(tmp_path, timm_tensors())))

    notes = " ".join(found.notes)
    assert "no config.json names the model" in notes
    assert "2 attention heads, as published models 64 wide have" in notes
    assert "names no classes" in notes
    assert "does not say how pictures are prepared" in notes


def test_without_its_head_a_model_has_no_classes(tmp_path: Path) -> None:
    theirs = {name: each for name, each in timm_tensors().items() if not name.startswith("head")}

    found = read_timm(open_weights(save(tmp_path, theirs, config())))

    assert found.class_names == ()
    assert not any(name.startswith("head.") for name in found.tensors)


def test_positions_on_a_grid_that_is_not_square_need_the_size(tmp_path: Path) -> None:
    theirs = timm_tensors() | {"pos_embed": torch.randn(1, 1 + 2 * 4, WIDTH)}
    wide = config()
    wide["pretrained_cfg"]["input_size"] = [3, 2 * PATCH, 4 * PATCH]

    assert read_timm(open_weights(save(tmp_path / "a", theirs, wide))).model.position_grid == (
        1,
        2,
        4,
    )
    theirs["pos_embed"] = torch.randn(1, 1 + 2 * 5, WIDTH)
    with pytest.raises(DataError, match="11 positions are no square grid"):
        read_timm(open_weights(save(tmp_path / "b", theirs)))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("attn_pool.latent", "pools by attention"),
        ("blocks.0.attn.rel_pos.mlp", "relative positions"),
        ("blocks.0.in_proj.weight", "in parallel"),
        ("blocks.0.attns.0.qkv.weight", "in parallel"),
        ("blocks.0.attn.lambda_q1", "differential"),
        ("patch_embed.backbone.stem.conv.weight", "convolutional network"),
        ("head.fc1.weight", "several layers"),
        ("blocks.0.attn.norm.weight", "normalises inside attention"),
        ("pre_logits.fc.weight", "representation layer"),
    ],
)
def test_parts_that_no_plain_model_has_are_named(name: str, why: str, tmp_path: Path) -> None:
    theirs = timm_tensors() | {name: torch.ones(3)}

    with pytest.raises(DataError, match=f"{why}.*{name}"):
        read_timm(open_weights(save(tmp_path, theirs, config())))


@pytest.mark.parametrize("pool", ["map", "max", "avgmax", "prr"])
def test_a_head_that_reads_otherwise_is_refused(pool: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"global_pool is '{pool}'"):
        read_timm(open_weights(save(tmp_path, timm_tensors(), config(global_pool=pool))))


def test_a_head_of_another_size_than_the_config_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"says 1000 classes, and the head .* has {CLASSES}"):
        read_timm(open_weights(save(tmp_path, timm_tensors(), config(num_classes=1000))))


def test_a_model_without_positions_is_refused_since_they_may_be_rotary(tmp_path: Path) -> None:
    theirs = timm_tensors()
    del theirs["pos_embed"]

    with pytest.raises(DataError, match="pos_embed is missing"):
        read_timm(open_weights(save(tmp_path, theirs, config())))
    stated = config(model_args={"pos_embed": "none", "num_heads": HEADS})
    assert read_timm(open_weights(save(tmp_path / "b", theirs, stated))).model.position == "none"


@pytest.mark.parametrize("name", ["patch_embed.proj.weight", "blocks.0.mlp.fc2.weight"])
def test_a_tensor_with_other_axes_is_refused_by_name(name: str, tmp_path: Path) -> None:
    theirs = timm_tensors() | {name: torch.ones(6)}

    with pytest.raises(DataError, match=rf"{name} has the shape \(6,\)"):
        read_timm(open_weights(save(tmp_path, theirs, config())))


def test_heads_that_do_not_divide_the_width_are_refused(tmp_path: Path) -> None:
    stated = config(model_args={"num_heads": 7})

    with pytest.raises(DataError, match="64 cannot be shared by 7 heads"):
        read_timm(open_weights(save(tmp_path, timm_tensors(), stated)))


def test_a_file_is_recognised_by_its_config_or_its_names(tmp_path: Path) -> None:
    assert is_timm(open_weights(save(tmp_path / "a", timm_tensors())))
    assert is_timm(open_weights(save(tmp_path / "b", {"x": torch.ones(1)}, config())))
    assert not is_timm(open_weights(save(tmp_path / "c", {"x": torch.ones(1)})))


def test_the_size_of_the_model_is_stated_before_that_of_its_origin() -> None:
    assert input_size(config(model_args={"img_size": 96})) == (96, 96)
    assert input_size(config(model_args={"img_size": [64, 96]})) == (64, 96)
    assert input_size(config()) == (PATCH * CELLS, PATCH * CELLS)
    assert input_size({}) is None
