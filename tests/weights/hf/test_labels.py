"""Class names stand in the order of the logits, as many as the head has outputs."""

from typing import Any

import pytest
import torch

from saccade.errors import DataError
from saccade.weights.hf.config import Description
from saccade.weights.hf.labels import Labels, read_labels, write_labels


def labels(config: dict[str, Any], *, num_outputs: int, head: str | None = "classifier") -> Labels:
    described = Description(
        given=config,
        defaults={},
        tensors={"classifier.weight": torch.zeros(num_outputs, 4)},
        left_out=frozenset(),
        source="F",
    )
    return read_labels(described, head=head)


def test_names_are_sorted_by_their_number_and_not_by_their_text() -> None:
    names = {str(index): f"c{index}" for index in (10, 2, 0, 1, *range(3, 10))}

    found = labels({"id2label": names}, num_outputs=11)

    assert found == Labels(tuple(f"c{index}" for index in range(11)), ())


def test_names_come_back_from_what_was_written() -> None:
    written = write_labels(["cat", "dog", "heron"])

    assert labels(written, num_outputs=3).class_names == ("cat", "dog", "heron")
    assert written["label2id"] == {"cat": 0, "dog": 1, "heron": 2}


def test_without_a_head_there_are_no_classes() -> None:
    assert labels({"id2label": {"0": "cat"}}, num_outputs=1, head=None) == Labels((), ())
    assert write_labels(()) == {}


def test_another_number_of_classes_than_the_head_has_is_refused_with_both() -> None:
    with pytest.raises(DataError, match=r"counts 2 classes, and the head has 3.*\(3, 4\)"):
        labels({"id2label": {"0": "cat", "1": "dog"}}, num_outputs=3)
    with pytest.raises(DataError, match="counts 2 classes, and the head has 3"):
        labels({}, num_outputs=3)


@pytest.mark.parametrize("names", [{"0": "cat", "2": "dog"}, {"0": "cat", "1": 5}])
def test_a_class_without_a_name_is_refused(names: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="no name for class 1"):
        labels({"id2label": names}, num_outputs=2)


def test_classes_that_nobody_named_are_numbered_and_that_is_said() -> None:
    found = labels({"num_labels": 3}, num_outputs=3)

    assert found.class_names == ("class 0", "class 1", "class 2")
    assert "names no classes" in found.notes[0]
