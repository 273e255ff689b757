"""What a file does not say is settled by config.json, then by what is published, or refused."""

import pytest
import torch

from saccade.errors import DataError
from saccade.weights.settle import (
    HEADS_OF_WIDTH,
    class_names,
    count_blocks,
    heads_by_width,
    heads_of,
    part_of,
    square,
)


def test_heads_come_from_the_config_before_the_width() -> None:
    assert heads_of({"num_heads": 4}, 768, source="it") == (4, [])


def test_heads_by_width_are_an_assumption_and_said() -> None:
    heads, notes = heads_of({}, 768, source="it")

    assert heads == 12
    assert notes == ["12 attention heads, as published models 768 wide have"]


def test_every_published_width_is_shared_evenly_by_its_heads() -> None:
    assert all(width % heads == 0 for width, heads in HEADS_OF_WIDTH.items())


def test_an_unpublished_width_is_refused_with_the_way_to_state_heads() -> None:
    with pytest.raises(DataError, match=r'tokens are 100 wide.*\{"num_heads": 8\}'):
        heads_by_width(100, source="it")


@pytest.mark.parametrize("stated", [0, -1, 2.5, "12", True])
def test_heads_that_are_no_count_are_refused(stated: object) -> None:
    with pytest.raises(DataError, match="num_heads is"):
        heads_of({"num_heads": stated}, 768, source="it")


def test_blocks_are_counted_by_the_largest_number() -> None:
    names = ["blocks.0.x", "blocks.10.x", "blocks.2.y", "blocksize", "blocks.extra.x"]
    tensors = {name: torch.empty(0) for name in names}

    assert count_blocks(tensors, "blocks.") == 11
    assert count_blocks({"a_3/b": torch.empty(0)}, "a_") == 4
    assert count_blocks({}, "blocks.") == 0


@pytest.mark.parametrize(
    ("count", "sides"), [(196, (14, 14)), (1, (1, 1)), (0, None), (-1, None), (195, None)]
)
def test_a_square_grid_is_found_if_there_is_one(count: int, sides: tuple[int, int] | None) -> None:
    assert square(count) == sides


def test_class_names_are_taken_in_the_order_of_the_logits() -> None:
    assert class_names(["cat", "dog"], 2, source="it") == (("cat", "dog"), [])
    numbered = {"10": "k", **{str(index): chr(97 + index) for index in range(10)}}
    assert class_names(numbered, 11, source="it")[0] == tuple("abcdefghijk")


def test_classes_without_names_are_numbered_and_that_is_said() -> None:
    names, notes = class_names(None, 2, source="it")

    assert names == ("class 0", "class 1")
    assert "names no classes" in notes[0]


def test_two_classes_of_one_name_stay_two() -> None:
    # ImageNet has two cranes, the bird and the machine.
    assert class_names(["crane", "cat", "crane"], 3, source="it")[0] == (
        "crane (0)",
        "cat",
        "crane (2)",
    )


@pytest.mark.parametrize("given", [["cat"], {"0": "cat"}, {"1": "cat", "2": "dog"}, ["a"] * 3])
def test_another_number_of_names_than_classes_is_refused(given: list[str] | dict[str, str]) -> None:
    with pytest.raises(DataError, match="class"):
        class_names(given, 2, source="it")


def test_without_a_head_there_are_no_classes() -> None:
    assert class_names(["cat"], 0, source="it") == ((), [])


def test_a_part_of_the_config_is_an_object_or_absent() -> None:
    assert part_of({"x": {"a": 1}}, "x", source="it") == {"a": 1}
    assert part_of({}, "x", source="it") == {}
    with pytest.raises(DataError, match=r"x is 3 in config\.json; expected an object"):
        part_of({"x": 3}, "x", source="it")
