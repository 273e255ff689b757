"""transformers' layouts hold our models bit by bit; what they cannot hold is refused by name."""

from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from saccade.config.model import VitConfig
from saccade.errors import DataError, UsageError
from saccade.weights.hf.convert import FAMILIES, Written, from_transformers, to_transformers
from saccade.weights.pretrained import Pretrained
from tests.weights.hf.models import (
    CLASSES,
    DEIT,
    DINOV2,
    DINOV3,
    GIANT,
    PREPROCESS,
    REGISTERS,
    VIDEO,
    VIDEO_CLASSIFIER,
    VIT,
    drawn,
)

CASES = {
    "ViTModel": (VIT, ()),
    "ViTForImageClassification": (VIT, CLASSES),
    "DeiTModel": (replace(DEIT, pool="class"), ()),
    "DeiTForImageClassification": (replace(DEIT, pool="class"), CLASSES),
    "DeiTForImageClassificationWithTeacher": (DEIT, CLASSES),
    "Dinov2Model": (DINOV2, ()),
    "Dinov2ForImageClassification": (DINOV2, CLASSES),
    "Dinov2WithRegistersModel": (GIANT, ()),
    "Dinov2WithRegistersForImageClassification": (REGISTERS, CLASSES),
    "DINOv3ViTModel": (DINOV3, ()),
    "VideoMAEModel": (VIDEO, ()),
    "VideoMAEForVideoClassification": (VIDEO_CLASSIFIER, CLASSES),
}
EVERY_CASE = pytest.mark.parametrize(
    ("architecture", "model", "class_names"),
    [(name, *case) for name, case in CASES.items()],
    ids=list(CASES),
)


def written(model: VitConfig, class_names: tuple[str, ...] = ()) -> Written:
    tensors = drawn(model, num_classes=len(class_names))
    return to_transformers(tensors, model, class_names=class_names, preprocess=PREPROCESS)


def read_again(files: Written, *, left_out: tuple[str, ...] = ()) -> Pretrained:
    kept = {name: each for name, each in files.tensors.items() if name not in left_out}
    return from_transformers(
        files.config, kept, files.preprocessor, source="F", licence="mit", left_out=left_out
    )


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []


@EVERY_CASE
def test_a_model_comes_back_from_its_layout_bit_by_bit(
    architecture: str, model: VitConfig, class_names: tuple[str, ...]
) -> None:
    found = read_again(written(model, class_names))

    assert_equal(dict(found.tensors), drawn(model, num_classes=len(class_names)))
    assert found.model == model
    assert found.class_names == class_names
    assert found.preprocess == PREPROCESS
    assert (found.architecture, found.library) == (architecture, "transformers")
    assert (found.source, found.licence) == ("F", "mit")


@EVERY_CASE
def test_writing_what_was_read_gives_the_same_files(
    architecture: str, model: VitConfig, class_names: tuple[str, ...]
) -> None:
    first = written(model, class_names)
    found = read_again(first)

    second = to_transformers(
        found.tensors, found.model, class_names=found.class_names, preprocess=found.preprocess
    )

    assert_equal(second.tensors, first.tensors)
    assert second[1:] == first[1:]


@EVERY_CASE
def test_a_file_with_one_tensor_more_or_less_is_refused(
    architecture: str, model: VitConfig, class_names: tuple[str, ...]
) -> None:
    files = written(model, class_names)
    name = next(name for name in files.tensors if name.endswith("norm.weight"))

    with pytest.raises(DataError, match=f"not in the file: {name}.*Nothing was loaded"):
        read_again(files._replace(tensors={k: v for k, v in files.tensors.items() if k != name}))
    with pytest.raises(DataError, match=r"not in the model: extra\.weight"):
        read_again(files._replace(tensors=files.tensors | {"extra.weight": torch.zeros(1)}))


@EVERY_CASE
def test_a_tensor_of_another_shape_is_refused_with_both_shapes(
    architecture: str, model: VitConfig, class_names: tuple[str, ...]
) -> None:
    files = written(model, class_names)
    name = next(name for name in files.tensors if name.endswith("norm.weight"))

    with pytest.raises(DataError, match=rf"{name} is \(17,\) in the file and \(16,\) in"):
        read_again(files._replace(tensors=files.tensors | {name: torch.zeros(17)}))


def test_an_unknown_family_is_answered_with_the_known_ones() -> None:
    files = written(VIT)

    with pytest.raises(UsageError, match="model_type = 'swin'; known are") as caught:
        read_again(files._replace(config=files.config | {"model_type": "swin"}))

    assert all(family in str(caught.value) for family in FAMILIES)


def test_a_head_that_was_left_out_leaves_features() -> None:
    files = written(VIT, CLASSES)

    found = read_again(files, left_out=("classifier.weight", "classifier.bias"))

    assert found.class_names == ()
    assert not any(name.startswith("head.") for name in found.tensors)


def test_a_head_that_is_missing_is_refused() -> None:
    files = written(VIT, CLASSES)
    headless = {name: each for name, each in files.tensors.items() if "classifier" not in name}

    with pytest.raises(DataError, match=r"not in the file: classifier\.bias, classifier\.weight"):
        read_again(files._replace(tensors=headless))


def test_the_pooler_and_the_mask_token_are_dropped_and_said() -> None:
    files = written(VIT)
    beside = {"pooler.dense.weight": torch.zeros(16, 16), "embeddings.mask_token": torch.zeros(1)}

    found = read_again(files._replace(tensors=files.tensors | beside))

    assert_equal(dict(found.tensors), drawn(VIT, num_classes=0))
    assert "pooler.dense.weight" in " ".join(found.notes)
    assert "embeddings.mask_token" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("model", "class_names", "reason"),
    [
        (replace(VIT, stem="conv"), (), "stem is 'conv' here and 'patches' there"),
        (replace(VIT, residual="rezero"), (), "residual is 'rezero' here and 'prenorm' there"),
        (replace(VIT, similarity="cosine"), (), "similarity is 'cosine' here"),
        (replace(VIT, has_qk_norm=True), (), "has_qk_norm is True here and False there"),
        (replace(VIT, has_embed_norm=True), (), "has_embed_norm is True here and False there"),
        (replace(VIT, has_patch_bias=False), (), "has_patch_bias is False here"),
        (replace(VIT, has_gated_mlp=True), (), "has_gated_mlp is True here and False there"),
        (replace(VIT, window_size=2), (), "window_size is 2 here and 0 there"),
        (replace(VIT, position="none"), (), "position is 'none' here and 'learned' there"),
        (
            replace(VIT, has_class_token=False, num_prefix_positions=0, pool="mean"),
            (),
            "has_class_token is False here and True there",
        ),
        (replace(VIT, pool="mean"), CLASSES, "pool is 'mean' here and 'class' there"),
        (replace(VIT, num_registers=4), (), "num_registers is 4 here and 1 there"),
        (replace(DINOV2, pool="class"), CLASSES, "pool is 'class' here and 'class_and_mean' there"),
        (replace(DINOV2, mlp_ratio=2.5), (), "hidden layer is 40 wide.*whole multiple"),
        (DINOV3, CLASSES, "there is a classifier here and none there"),
        (VIDEO_CLASSIFIER, (), "ends in the norm of a classifier"),
        (VIDEO, CLASSES, "reads the first tubelet alone"),
        (
            replace(VIDEO_CLASSIFIER, pooled_norm_eps=1e-6),
            CLASSES,
            "pooled_norm_eps is 1e-06 here and 1e-05 there",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_transformers_has_no_model_for_is_refused_with_the_reason(
    model: VitConfig, class_names: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        written(model, class_names)


def test_how_a_model_without_a_head_would_pool_does_not_matter() -> None:
    assert written(replace(VIT, pool="mean")).config["architectures"] == ["ViTModel"]


def test_a_class_token_without_a_position_is_written_with_one_of_zero() -> None:
    model = replace(VIT, num_prefix_positions=0)

    positions = written(model).tensors["embeddings.position_embeddings"]

    assert torch.equal(positions[:, :1], torch.zeros(1, 1, 16))
    assert torch.equal(positions[:, 1:], drawn(model, num_classes=0)["backbone.position.table"])


def test_another_kernel_for_other_sizes_is_said() -> None:
    assert written(VIT).notes == ()
    (note,) = written(replace(VIT, position_antialias=True)).notes
    assert "another bicubic kernel" in note


@pytest.mark.parametrize("value", [None, [4], {"0": None}], ids=str)
def test_no_value_of_any_key_does_worse_than_being_refused(value: object) -> None:
    files = written(replace(VIT, depth=1), CLASSES)

    for key in files.config:
        with suppress(DataError, UsageError):
            read_again(files._replace(config=files.config | {key: value}))
    for key in files.preprocessor:
        with suppress(DataError, UsageError):
            read_again(files._replace(preprocessor=files.preprocessor | {key: value}))
