"""A file counts as whole only with every name, every shape, and numbers that are numbers."""

import pytest
import torch

from saccade.errors import DataError
from saccade.weights.prove import listed, prove_complete

WANTED = {
    "a": torch.empty(2, 3, device="meta"),
    "b": torch.empty(4, device="meta"),
}


def whole() -> dict[str, torch.Tensor]:
    return {"a": torch.ones(2, 3), "b": torch.ones(4)}


def test_a_whole_file_passes() -> None:
    prove_complete(whole(), WANTED, source="it")


def test_a_shape_that_differs_is_named_with_both() -> None:
    with pytest.raises(DataError, match=r"a is \(3, 2\) in the file and \(2, 3\) in the model"):
        prove_complete(whole() | {"a": torch.ones(3, 2)}, WANTED, source="it")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_number_that_is_not_finite_is_refused_by_name(bad: float, dtype: torch.dtype) -> None:
    tensors = whole()
    tensors["b"] = tensors["b"].to(dtype)
    tensors["b"][2] = bad

    with pytest.raises(DataError, match="it: b holds numbers that are not finite"):
        prove_complete(tensors, WANTED, source="it")


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.float8_e4m3fn, torch.bool])
def test_quantised_weights_are_refused(dtype: torch.dtype) -> None:
    with pytest.raises(DataError, match=r"a is stored as .*not quantised"):
        prove_complete(whole() | {"a": torch.zeros(2, 3).to(dtype)}, WANTED, source="it")


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_missing_tensor_is_named(name: str) -> None:
    tensors = whole()
    del tensors[name]

    with pytest.raises(DataError, match=rf"In the model but not in the file: {name}\."):
        prove_complete(tensors, WANTED, source="it")


def test_long_lists_of_names_are_cut() -> None:
    names = [f"n{index:02}" for index in range(20)]

    assert listed(names, limit=3) == "n00, n01, n02 and 17 more"
    assert listed(names[:3]) == "n00, n01, n02"
