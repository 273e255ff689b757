"""A config.json is read key by key, and nothing in it is believed without a look."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from saccade.config.model import VitConfig
from saccade.errors import DataError
from saccade.weights.hf.config import Description, differences, plain_config, plain_vit
from tests.weights.hf.models import VIT

DEFAULTS = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "image_size": 12,
    "patch_size": 4,
    "num_channels": 3,
    "bias": True,
}


def description(
    given: dict[str, Any] | None = None,
    *,
    tensors: dict[str, Tensor] | None = None,
    left_out: frozenset[str] = frozenset(),
) -> Description:
    return Description(
        given=given or {},
        defaults=DEFAULTS,
        tensors=tensors or {},
        left_out=left_out,
        source="F",
    )


def whole(described: Description) -> VitConfig:
    return plain_vit(described, hidden_dim=40)


def test_a_key_that_is_missing_has_its_default_and_a_given_one_wins() -> None:
    assert description().positive("hidden_size") == 16
    assert description({"hidden_size": 24}).positive("hidden_size") == 24


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("hidden_size", "16", lambda d: d.positive("hidden_size")),
        ("hidden_size", 16.0, lambda d: d.positive("hidden_size")),
        ("hidden_size", True, lambda d: d.positive("hidden_size")),
        ("hidden_size", 0, lambda d: d.positive("hidden_size")),
        ("hidden_size", 10**9, lambda d: d.positive("hidden_size")),
        ("num_hidden_layers", 10**6, whole),
        ("layer_norm_eps", None, lambda d: d.number("layer_norm_eps")),
        ("layer_norm_eps", float("nan"), lambda d: d.number("layer_norm_eps")),
        ("layer_norm_eps", -1.0, lambda d: d.number("layer_norm_eps")),
        ("bias", "yes", lambda d: d.flag("bias")),
        ("image_size", [12], lambda d: d.sides("image_size")),
        ("image_size", [12, -1], lambda d: d.sides("image_size")),
        ("image_size", {"height": 12}, lambda d: d.sides("image_size")),
        ("hidden_act", "relu", lambda d: d.activation()),
        ("hidden_act", ["gelu"], lambda d: d.activation()),
        ("num_channels", 1, whole),
        ("num_attention_heads", 3, whole),
        ("patch_size", [4, 2], whole),
        ("patch_size", 13, whole),
        ("num_labels", "three", lambda d: d.num_labels()),
    ],
)
def test_a_value_that_no_model_has_is_refused_by_name(
    key: str, value: object, read: Callable[[Description], object]
) -> None:
    with pytest.raises(DataError, match=r"F: config\.json has "):
        read(description({key: value}))


def test_a_required_setting_says_why() -> None:
    with pytest.raises(DataError, match="bias = False, and saccade reads only True: because"):
        description({"bias": False}).require("bias", expected=True, why="because")

    description().require("bias", expected=True, why="because")


def test_one_side_stands_for_two() -> None:
    assert description().sides("image_size") == (12, 12)
    assert description({"image_size": [8, 12]}).sides("image_size") == (8, 12)


def test_the_prefix_is_there_when_a_name_begins_with_it() -> None:
    tensors = {"vit.layernorm.bias": torch.zeros(1)}

    assert description(tensors=tensors).prefix("vit") == "vit."
    assert description(tensors={"vital.bias": torch.zeros(1)}).prefix("vit") == ""


def test_a_head_is_there_when_the_file_holds_it_or_promises_it() -> None:
    head = {"classifier.bias": torch.zeros(2)}
    promise = {"architectures": ["WithHead"]}
    names = frozenset({"classifier.weight", "classifier.bias"})

    def found(described: Description) -> bool:
        return described.has_head("classifier", architectures=["WithHead"])

    assert not found(description())
    assert found(description(tensors=head))
    assert found(description(promise))
    assert not found(description(promise, left_out=names))
    assert not found(description(promise | {"id2label": {}}))


def test_the_architecture_is_the_class_or_else_the_family() -> None:
    assert description({"architectures": ["A", "B"]}).architecture == "A"
    assert description({"model_type": "vit"}).architecture == "vit"
    assert description({"model_type": "vit", "architectures": [3]}).architecture == "vit"


def test_classes_are_counted_as_the_library_counts_them() -> None:
    assert description().num_labels() == 2
    assert description({"num_labels": 5}).num_labels() == 5
    assert description({"num_labels": 5, "id2label": {"0": "a"}}).num_labels() == 1


def test_the_plain_keys_are_read_back_as_they_were_written() -> None:
    for model in (VIT, replace(VIT, position_grid=(1, 2, 5), activation="gelu_tanh")):
        described = description(plain_config(model))

        assert plain_vit(described, hidden_dim=40) == model


def test_models_that_differ_in_what_never_matters_are_alike() -> None:
    other = replace(
        VIT, drop_path=0.3, attention="fused", rotary_base=7.0, pooled_norm_eps=0.1, pool="mean"
    )

    assert differences(VIT, other, has_head=False) == []
    assert differences(VIT, other, has_head=True) == ["pool is 'class' here and 'mean' there"]
    assert differences(VIT, replace(VIT, depth=3), has_head=False) == [
        "depth is 2 here and 3 there"
    ]
