"""The class names that a config.json of transformers brings, and how they are written back."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from saccade.errors import DataError
from saccade.weights.hf.config import Description


class Labels(NamedTuple):
    """Class names in the order of the logits, and what the user should hear about them."""

    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def read_labels(described: Description, *, head: str | None) -> Labels:
    """The names of a head's outputs.

    Args:
        described: the file.
        head: the name of the layer that answers; None for a model without one.

    Raises:
        DataError: config.json counts other classes than the head has, or does not name them all.
    """
    if head is None:
        return Labels((), ())
    source, count = described.source, described.num_labels()
    weight = described.tensors.get(f"{head}.weight")
    if weight is not None and weight.ndim == 2 and len(weight) != count:
        raise DataError(
            f"{source}: config.json counts {count} classes, and the head has {len(weight)} "
            f"({head}.weight is {tuple(weight.shape)}). Correct id2label in config.json."
        )
    id2label = described.given.get("id2label")
    if not isinstance(id2label, dict):
        note = "config.json names no classes; they are called 'class 0' and so on"
        return Labels(tuple(f"class {index}" for index in range(count)), (note,))
    by_index = {str(index): name for index, name in id2label.items()}
    wanted = [str(index) for index in range(count)]
    wrong = [index for index in wanted if not isinstance(by_index.get(index), str)]
    if wrong:
        raise DataError(
            f"{source}: id2label in config.json has {count} entries and no name for class "
            f"{wrong[0]}; expected a text for each of 0 to {count - 1}"
        )
    return Labels(tuple(by_index[index] for index in wanted), ())


def write_labels(class_names: Sequence[str]) -> dict[str, Any]:
    """The keys of config.json that name the classes; none for a model without a head."""
    if not class_names:
        return {}
    return {
        "id2label": {str(index): name for index, name in enumerate(class_names)},
        "label2id": {name: index for index, name in enumerate(class_names)},
    }
