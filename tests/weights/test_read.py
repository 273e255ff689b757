"""A load is proven or refused: whole, in the right shapes, and nothing dropped unasked."""

from pathlib import Path

import pytest
import torch

from saccade.backbones.build import build_backbone
from saccade.errors import DataError, UsageError
from saccade.tasks.build import build_head
from saccade.weights.hf.convert import to_transformers
from saccade.weights.read import read
from tests.weights.hf.models import CLASSES, PREPROCESS, VIT, drawn
from tests.weights.theirs import (
    TIMM_CONFIG,
    google_arrays,
    save,
    save_arrays,
    timm_tensors,
    torchvision_tensors,
)


def timm_folder(folder: Path) -> Path:
    return save(folder, timm_tensors(), TIMM_CONFIG)


def torchvision_folder(folder: Path) -> Path:
    return save(folder, torchvision_tensors())


def google_file(folder: Path) -> Path:
    return save_arrays(folder / "w.npz", google_arrays())


def transformers_folder(folder: Path) -> Path:
    tensors = drawn(VIT, num_classes=len(CLASSES))
    written = to_transformers(tensors, VIT, class_names=CLASSES, preprocess=PREPROCESS)
    return save(folder, written.tensors, written.config)


@pytest.mark.parametrize(
    ("make", "library"),
    [
        (timm_folder, "timm"),
        (torchvision_folder, "torchvision"),
        (google_file, "google"),
        (transformers_folder, "transformers"),
    ],
)
def test_each_library_is_recognised_and_fills_our_model(
    make: object, library: str, tmp_path: Path
) -> None:
    assert callable(make)
    found = read(make(tmp_path))

    assert found.library == library
    backbone = build_backbone(found.model, in_channels=3)
    head = build_head(found.model, num_classes=len(found.class_names))
    for module, prefix in ((backbone, "backbone."), (head, "head.")):
        part = {
            name.removeprefix(prefix): each
            for name, each in found.tensors.items()
            if name.startswith(prefix)
        }
        module.load_state_dict(part, strict=True)


def test_the_source_is_named_as_the_user_named_it(tmp_path: Path) -> None:
    assert read(timm_folder(tmp_path)).source == str(tmp_path)


def test_a_surplus_tensor_is_refused_and_both_sides_listed(tmp_path: Path) -> None:
    theirs = timm_tensors() | {"decoder.weight": torch.ones(3)}
    del theirs["norm.bias"]

    with pytest.raises(DataError) as refused:
        read(save(tmp_path, theirs, TIMM_CONFIG))

    assert "In the file but not in the model: decoder.weight." in str(refused.value)
    assert "In the model but not in the file: norm.bias." in str(refused.value)
    assert 'leave_out=["decoder.*"]' in str(refused.value)


def test_a_named_part_can_be_left_out_and_that_is_said(tmp_path: Path) -> None:
    theirs = timm_tensors() | {"decoder.weight": torch.ones(3)}

    found = read(save(tmp_path, theirs, TIMM_CONFIG), leave_out=["decoder.*"])

    assert found.notes[0] == "left out as asked: decoder.weight"
    assert len(found.class_names) == 5


def test_leaving_out_the_head_leaves_a_backbone(tmp_path: Path) -> None:
    found = read(timm_folder(tmp_path), leave_out=["head.*"])

    assert found.class_names == ()
    assert all(name.startswith("backbone.") for name in found.tensors)


def test_leaving_out_what_the_model_needs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not in the file: blocks\.0\.norm1\.bias"):
        read(timm_folder(tmp_path), leave_out=["blocks.0.norm1.*"])


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"leave_out 'haed\.\*' matches none"):
        read(timm_folder(tmp_path), leave_out=["haed.*"])


def test_a_tensor_of_another_shape_is_refused_with_both(tmp_path: Path) -> None:
    theirs = timm_tensors() | {"blocks.1.mlp.fc1.bias": torch.ones(7)}

    with pytest.raises(DataError, match=r"blocks\.1\.mlp\.fc1\.bias is \(7,\) .* and \(96,\) in"):
        read(save(tmp_path, theirs, TIMM_CONFIG))


def test_a_block_missing_in_the_middle_is_refused(tmp_path: Path) -> None:
    theirs = {
        name.replace("blocks.1.", "blocks.2."): tensor for name, tensor in timm_tensors().items()
    }

    with pytest.raises(DataError, match=r"not in the file: blocks\.1\."):
        read(save(tmp_path, theirs, TIMM_CONFIG))


def test_a_weight_that_is_no_number_is_refused_by_name(tmp_path: Path) -> None:
    theirs = timm_tensors()
    theirs["blocks.0.attn.proj.bias"][3] = float("nan")

    with pytest.raises(DataError, match=r"blocks\.0\.attn\.proj\.bias holds numbers that are not"):
        read(save(tmp_path, theirs, TIMM_CONFIG))


def test_the_same_damage_in_a_part_left_out_does_not_matter(tmp_path: Path) -> None:
    theirs = timm_tensors() | {"decoder.weight": torch.full((3,), float("nan"))}

    read(save(tmp_path, theirs, TIMM_CONFIG), leave_out=["decoder.*"])


def test_an_unknown_family_is_described(tmp_path: Path) -> None:
    folder = save(tmp_path, {"layer1.0.conv1.weight": torch.ones(3), "fc.weight": torch.ones(3)})

    with pytest.raises(UsageError) as refused:
        read(folder)

    assert "holds 2 tensors: fc.weight, layer1.0.conv1.weight" in str(refused.value)
    assert "Known are vision transformers of timm" in str(refused.value)


def test_weights_of_our_own_are_recognised(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Name the run folder"):
        read(save(tmp_path, {"backbone.norm.weight": torch.ones(3)}))


def test_bare_weights_of_transformers_ask_for_their_config(tmp_path: Path) -> None:
    folder = transformers_folder(tmp_path)
    (folder / "config.json").unlink()

    with pytest.raises(UsageError, match=r"only with their config\.json beside them"):
        read(folder)


def test_the_file_and_the_tensors_that_were_read_are_independent(tmp_path: Path) -> None:
    folder = timm_folder(tmp_path)

    found = read(folder)
    before = {name: tensor.clone() for name, tensor in found.tensors.items()}
    (folder / "model.safetensors").write_bytes(b"")

    assert all(torch.equal(found.tensors[name], before[name]) for name in before)
