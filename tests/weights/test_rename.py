"""Rules lead from their names to ours and back to the same bits; what does not fit is refused."""

import pytest
import torch
from torch import Tensor

from saccade.errors import DataError, UsageError
from saccade.weights.rename import (
    Rule,
    Unused,
    changed,
    joined,
    read_tensors,
    same,
    split,
    stacked,
    weight_and_bias,
    without,
    write_tensors,
)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape)


def blanks(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


KINDS: dict[str, tuple[Rule, dict[str, Tensor], dict[str, tuple[int, ...]]]] = {
    "same": (same("a", "x"), {"x": noise(2, 3)}, {"a": (2, 3)}),
    "stacked": (
        stacked("a", ["q", "k", "v"]),
        {name: noise(2, 3) for name in "qkv"},
        {"a": (6, 3)},
    ),
    "stacked with a part that is zero there": (
        stacked("a", ["q", None, "v"]),
        {"q": noise(2), "v": noise(2)},
        {"a": (6,)},
    ),
    "joined": (
        joined("a", ["x", "y"], lengths=[1, 4], dim=1),
        {"x": noise(1, 1, 3), "y": noise(1, 4, 3)},
        {"a": (1, 5, 3)},
    ),
    "split": (
        split(["a", "b"], "x", lengths=[1, 4], dim=1),
        {"x": noise(1, 5, 3)},
        {"a": (1, 1, 3), "b": (1, 4, 3)},
    ),
    "changed": (
        changed("a", "x", read=lambda t: t.T, write=lambda t: t.T),
        {"x": noise(2, 3)},
        {"a": (3, 2)},
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_reading_and_writing_are_inverses_to_the_bit(kind: str) -> None:
    rule, theirs, shapes = KINDS[kind]

    ours = read_tensors(theirs, rules=[rule], blank=blanks(**shapes), source="it").tensors
    back = write_tensors(ours, rules=[rule])

    assert {name: tuple(each.shape) for name, each in ours.items()} == shapes
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


def test_stacked_parts_follow_each_other() -> None:
    theirs = {name: noise(2, 3) for name in "qkv"}

    ours = read_tensors(
        theirs, rules=[stacked("a", ["q", "k", "v"])], blank=blanks(a=(6, 3)), source="it"
    ).tensors

    assert torch.equal(ours["a"][2:4], theirs["k"])


def test_a_part_that_they_do_not_have_is_zero_and_has_to_be() -> None:
    rule = stacked("a", ["q", None, "v"])
    theirs = {"q": noise(2), "v": noise(2)}
    ours = read_tensors(theirs, rules=[rule], blank=blanks(a=(6,)), source="it").tensors
    assert ours["a"][2:4].tolist() == [0, 0]

    with pytest.raises(UsageError, match=r"part 2 of 3, and it is not zero here"):
        write_tensors({"a": noise(6)}, rules=[rule])


def test_a_layer_has_a_weight_and_may_have_a_bias() -> None:
    assert [each.theirs for each in weight_and_bias("a", "x")] == [("x.weight",), ("x.bias",)]
    assert [each.ours for each in weight_and_bias("a", "x", has_bias=False)] == [("a.weight",)]


def test_names_that_do_not_match_are_listed_on_both_sides() -> None:
    with pytest.raises(DataError) as refused:
        read_tensors(
            {"x": noise(2), "surplus": noise(2)},
            rules=[same("a", "x"), same("b", "y")],
            blank=blanks(a=(2,), b=(2,)),
            source="file.safetensors",
        )

    message = str(refused.value)
    assert message.startswith("file.safetensors: ")
    assert "In the file but not in the model: surplus." in message
    assert "In the model but not in the file: y." in message


def test_what_a_family_does_not_use_is_passed_over_and_said() -> None:
    found = read_tensors(
        {"x": noise(2), "pooler.weight": noise(2)},
        rules=[same("a", "x")],
        blank=blanks(a=(2,)),
        source="it",
        unused=[Unused(pattern="pooler.*", why="the classifier skips it")],
    )

    assert found.tensors.keys() == {"a"}
    assert found.notes == (
        "not read, no part of this model: pooler.weight (the classifier skips it)",
    )


def test_half_precision_is_read_exactly_and_said() -> None:
    half = noise(4).to(torch.bfloat16)

    found = read_tensors({"x": half}, rules=[same("a", "x")], blank=blanks(a=(4,)), source="it")

    assert found.tensors["a"].dtype == torch.float32
    assert torch.equal(found.tensors["a"].to(torch.bfloat16), half)
    assert found.notes == ("stored as bfloat16; computed with as float32",)


def test_a_tensor_without_elements_needs_no_rule() -> None:
    found = read_tensors(
        {"x": noise(2)}, rules=[same("a", "x")], blank=blanks(a=(2,), p=(1, 0, 3)), source="it"
    )

    assert found.tensors["p"].shape == (1, 0, 3)
    assert write_tensors(found.tensors, rules=[same("a", "x")]).keys() == {"x"}


def test_a_table_that_forgets_a_tensor_of_ours_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="b"):
        read_tensors(
            {"x": noise(2)}, rules=[same("a", "x")], blank=blanks(a=(2,), b=(2,)), source="it"
        )


def test_two_rules_cannot_write_one_tensor() -> None:
    with pytest.raises(AssertionError, match="two rules write x"):
        write_tensors({"a": noise(2), "b": noise(2)}, rules=[same("a", "x"), same("b", "x")])


def test_only_what_the_patterns_name_is_left_out() -> None:
    theirs = {"decoder.0.weight": noise(1), "decoder.bias": noise(1), "encoder.weight": noise(1)}

    assert without(theirs, ["decoder.*"], source="it").keys() == {"encoder.weight"}
    assert without(theirs, [], source="it").keys() == theirs.keys()


def test_a_pattern_that_matches_nothing_is_a_slip_of_the_pen() -> None:
    with pytest.raises(UsageError, match=r"'decodr\.\*' matches none of its tensors"):
        without({"decoder.bias": noise(1)}, ["decodr.*"], source="it")
