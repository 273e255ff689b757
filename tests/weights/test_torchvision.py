"""A converted file of torchvision becomes our model; what it does not say is said.

tests/parity/test_torchvision.py compares what it computes.
"""

from pathlib import Path

import pytest
import torch

from saccade.errors import DataError
from saccade.weights.files import open_weights
from saccade.weights.rename import write_tensors
from saccade.weights.torchvision import is_torchvision, read_torchvision, torchvision_rules
from tests.weights.theirs import CELLS, DEPTH, PATCH, WIDTH, save, torchvision_tensors

OLD = ("mlp.linear_1", "mlp.linear_2")


def test_the_tensors_settle_the_shape_and_the_width_the_heads(tmp_path: Path) -> None:
    found = read_torchvision(open_weights(save(tmp_path, torchvision_tensors())))

    model = found.model
    assert (model.embed_dim, model.num_heads, model.depth) == (WIDTH, 2, DEPTH)
    assert (model.patch_size, model.position_grid) == (PATCH, (1, CELLS, CELLS))
    assert (model.pool, model.activation) == ("class", "gelu")
    assert any("2 attention heads, as published" in note for note in found.notes)


def test_heads_stated_beside_the_file_are_believed(tmp_path: Path) -> None:
    folder = save(tmp_path, torchvision_tensors(), {"num_heads": 8})

    assert read_torchvision(open_weights(folder)).model.num_heads == 8


@pytest.mark.parametrize("mlp", [("mlp.0", "mlp.3"), OLD])
def test_reading_and_writing_are_inverses_to_the_bit(mlp: tuple[str, str], tmp_path: Path) -> None:
    theirs = torchvision_tensors(mlp=mlp)
    found = read_torchvision(open_weights(save(tmp_path, theirs)))

    rules = torchvision_rules(found.model, num_classes=5, uses_old_names=mlp == OLD)
    back = write_tensors(found.tensors, rules=rules)

    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize(
    ("cells", "patch_size", "width", "name", "resize_side", "interpolation"),
    [
        (14, 16, 768, "vit_b_16", 256, "bilinear"),
        (7, 32, 768, "vit_b_32", 256, "bilinear"),
        (14, 16, 1024, "vit_l_16", 242, "bilinear"),
        (24, 16, 768, "vit_b_16", 384, "bicubic"),
        (37, 14, 1280, "vit_h_14", 518, "bicubic"),
    ],
)
def test_published_models_bring_their_preprocessing(
    cells: int,
    patch_size: int,
    width: int,
    name: str,
    resize_side: int,
    interpolation: str,
    tmp_path: Path,
) -> None:
    theirs = published(cells, patch_size, width)

    found = read_torchvision(open_weights(save(tmp_path, theirs)))

    assert found.architecture == name
    preprocess = found.preprocess
    assert preprocess.height == cells * patch_size
    assert (preprocess.resize_side, preprocess.interpolation) == (resize_side, interpolation)
    assert any(f"weights of {name}" in note for note in found.notes)


def published(cells: int, patch_size: int, width: int) -> dict[str, torch.Tensor]:
    """A model of a published width, with one thin block and no head."""
    block = "encoder.layers.encoder_layer_0"
    shapes = {
        "class_token": (1, 1, width),
        "encoder.pos_embedding": (1, 1 + cells**2, width),
        "conv_proj.weight": (width, 3, patch_size, patch_size),
        "conv_proj.bias": (width,),
        "encoder.ln.weight": (width,),
        "encoder.ln.bias": (width,),
        f"{block}.self_attention.in_proj_weight": (3 * width, width),
        f"{block}.self_attention.in_proj_bias": (3 * width,),
        f"{block}.self_attention.out_proj.weight": (width, width),
        f"{block}.self_attention.out_proj.bias": (width,),
        f"{block}.mlp.0.weight": (8, width),
        f"{block}.mlp.0.bias": (8,),
        f"{block}.mlp.3.weight": (width, 8),
        f"{block}.mlp.3.bias": (width,),
    }
    for norm in ("ln_1", "ln_2"):
        shapes |= {f"{block}.{norm}.weight": (width,), f"{block}.{norm}.bias": (width,)}
    return {name: torch.zeros(shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("name", ["conv_proj.0.0.weight", "heads.pre_logits.weight"])
def test_a_stem_or_head_of_several_layers_is_refused(name: str, tmp_path: Path) -> None:
    theirs = torchvision_tensors() | {name: torch.ones(3)}

    with pytest.raises(DataError, match="several layers"):
        read_torchvision(open_weights(save(tmp_path, theirs)))


def test_positions_that_are_no_square_are_refused(tmp_path: Path) -> None:
    theirs = torchvision_tensors() | {"encoder.pos_embedding": torch.ones(1, 8, WIDTH)}

    with pytest.raises(DataError, match="8 positions are not a class token and a square grid"):
        read_torchvision(open_weights(save(tmp_path, theirs)))


def test_a_file_is_recognised_by_its_names(tmp_path: Path) -> None:
    assert is_torchvision(open_weights(save(tmp_path / "a", torchvision_tensors())))
    assert not is_torchvision(open_weights(save(tmp_path / "b", {"x": torch.ones(1)})))
