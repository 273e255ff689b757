"""One of Google's files becomes our model: kernels turned, heads counted, GELU as Flax has it.

tests/parity/test_google.py compares what it computes.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from saccade.errors import DataError
from saccade.weights.files import WeightFile, open_weights
from saccade.weights.google import google_rules, is_google, read_google
from saccade.weights.rename import write_tensors
from tests.weights.theirs import CELLS, DEPTH, HEADS, PATCH, WIDTH, google_arrays, save_arrays


def saved(folder: Path, arrays: dict[str, np.ndarray]) -> WeightFile:
    return open_weights(save_arrays(folder / "w.npz", arrays))


def test_the_arrays_alone_settle_the_shape(tmp_path: Path) -> None:
    model = read_google(saved(tmp_path, google_arrays())).model

    assert (model.embed_dim, model.num_heads, model.depth) == (WIDTH, HEADS, DEPTH)
    assert (model.patch_size, model.position_grid) == (PATCH, (1, CELLS, CELLS))
    assert (model.pool, model.num_prefix_positions) == ("class", 1)


def test_gelu_is_the_tanh_approximation_and_that_is_said(tmp_path: Path) -> None:
    found = read_google(saved(tmp_path, google_arrays()))

    assert found.model.activation == "gelu_tanh"
    assert any("tanh approximation" in note for note in found.notes)


def test_pictures_are_squashed_and_centred_at_one_half(tmp_path: Path) -> None:
    preprocess = read_google(saved(tmp_path, google_arrays())).preprocess

    assert (preprocess.fit, preprocess.interpolation) == ("squash", "bilinear")
    assert preprocess.mean == preprocess.std == (0.5, 0.5, 0.5)
    assert preprocess.height == preprocess.width == PATCH * CELLS


def test_a_kernel_multiplies_from_the_other_side(tmp_path: Path) -> None:
    arrays = google_arrays()
    tensors = read_google(saved(tmp_path, arrays)).tensors
    x = torch.randn(WIDTH)

    block = "Transformer/encoderblock_0"
    key = torch.from_numpy(arrays[f"{block}/MultiHeadDotProductAttention_1/key/kernel"])
    expected = torch.einsum("d,dae->ae", x, key).flatten()
    weight = tensors["backbone.blocks.0.attention.qkv.weight"][WIDTH : 2 * WIDTH]
    torch.testing.assert_close(weight @ x, expected)

    out = torch.from_numpy(arrays[f"{block}/MultiHeadDotProductAttention_1/out/kernel"])
    expected = torch.einsum("ae,aed->d", x.reshape(HEADS, -1), out)
    torch.testing.assert_close(tensors["backbone.blocks.0.attention.proj.weight"] @ x, expected)


def test_writing_gives_every_array_back_to_the_bit(tmp_path: Path) -> None:
    arrays = google_arrays()
    found = read_google(saved(tmp_path, arrays))

    back = write_tensors(found.tensors, rules=google_rules(found.model, num_classes=5))

    assert back.keys() == arrays.keys()
    assert all(np.array_equal(back[name].numpy(), arrays[name]) for name in arrays)


def test_a_model_without_class_token_reads_the_mean(tmp_path: Path) -> None:
    arrays = google_arrays()
    del arrays["cls"]
    name = "Transformer/posembed_input/pos_embedding"
    arrays[name] = arrays[name][:, 1:]

    model = read_google(saved(tmp_path, arrays)).model

    assert (model.has_class_token, model.pool, model.num_prefix_positions) == (False, "mean", 0)


def test_a_representation_layer_is_refused_with_the_way_out(tmp_path: Path) -> None:
    arrays = google_arrays() | {"pre_logits/kernel": np.ones((WIDTH, WIDTH), dtype=np.float32)}

    with pytest.raises(DataError, match=r'leave_out=\["pre_logits/\*", "head/\*"\]'):
        read_google(saved(tmp_path, arrays))


def test_a_hybrid_is_refused(tmp_path: Path) -> None:
    arrays = google_arrays() | {"conv_root/kernel": np.ones((3, 3, 3, 4), dtype=np.float32)}

    with pytest.raises(DataError, match="from a ResNet"):
        read_google(saved(tmp_path, arrays))


def test_a_missing_array_is_named(tmp_path: Path) -> None:
    arrays = google_arrays()
    del arrays["Transformer/encoderblock_1/LayerNorm_2/scale"]

    with pytest.raises(
        DataError, match=r"not in the file: Transformer/encoderblock_1/LayerNorm_2/scale"
    ):
        read_google(saved(tmp_path, arrays))


def test_positions_that_are_no_square_are_refused(tmp_path: Path) -> None:
    arrays = google_arrays()
    arrays["Transformer/posembed_input/pos_embedding"] = np.ones((1, 8, WIDTH), dtype=np.float32)

    with pytest.raises(DataError, match="8 positions are no square grid"):
        read_google(saved(tmp_path, arrays))


def test_a_file_is_recognised_by_the_names_of_its_arrays(tmp_path: Path) -> None:
    assert is_google(saved(tmp_path, google_arrays()))
    assert not is_google(saved(tmp_path, {"embedding/kernel": np.ones(3)}))
