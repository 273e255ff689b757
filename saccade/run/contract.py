"""What a trained model promises to whoever uses it, in one file.

Class names, preprocessing, data, figures, versions and seed are written once, by training, and read
by every verb. The weights file carries the same text in its header, so that weights on their own
still say what they are.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from saccade.config.run import Preprocess
from saccade.errors import DataError, UsageError
from saccade.run.folder import read_json, write_json


@dataclass(frozen=True, kw_only=True)
class DataRecord:
    """Which pictures a model was trained on."""

    source: str
    kind: str
    fingerprint: str  # sha256 over names, sizes and labels; see saccade.data.fingerprint
    splits: dict[str, int]
    class_counts: dict[str, list[int]]
    notes: list[str]
    ignored: list[tuple[str, str]]
    bad: dict[str, str]  # unreadable pictures and why


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The weights that a model began with, where they were not random."""

    source: str  # as the user named them
    library: str  # whose layout they had; saccade for a run folder
    architecture: str  # the name of the model there
    sha256: str  # over all its tensors; see saccade.run.start
    has_new_head: bool  # whether its head was left behind


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The promise; ``contract.json`` in the run folder."""

    saccade: str  # the version that trained it
    versions: dict[str, str]  # of python and the libraries that decide its numbers
    job: str
    model_name: str
    class_names: tuple[str, ...]
    preprocess: Preprocess
    data: DataRecord
    num_parameters: int
    seed: int
    licence: str  # of the weights, as the user states it, or those they began with
    figures: dict[str, dict[str, float]] = field(default_factory=dict)  # split -> name -> value
    origin: Origin | None = None  # None: trained from scratch
    teacher: Origin | None = None  # who told it what to learn, besides labels or instead of them
    smallest_score: float | None = None  # of what is shown, by validation; None: no such scores
    temperature: float = 1.0  # divisor of a classifier's logits, by validation

    def to_json(self) -> dict[str, Any]:
        """The contract as plain data."""
        return asdict(self)

    def save(self, path: Path) -> None:
        """Writes ``contract.json``."""
        write_json(path, self.to_json())

    def header(self) -> dict[str, str]:
        """The contract as a safetensors header entry."""
        return {"contract": json.dumps(asdict(self), ensure_ascii=False)}


def load_contract(path: Path) -> Contract:
    """Reads ``contract.json``.

    Raises:
        UsageError: it is missing, or not a contract that this version understands.
    """
    data: dict[str, Any] = read_json(path)
    try:
        return msgspec.convert(data, Contract)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} is not a contract this version understands: {error}") from None


def require_same_classes(
    trained: Sequence[str],
    given: Sequence[str],
    *,
    source: str,
    advice: str = "Rename the class folders to the model's names, or train on this data",
) -> None:
    """Refuses to use a model on data with other classes; the order does not matter.

    Args:
        trained: what the model knows.
        given: what the data has.
        source: the data, as the user named it.
        advice: what to do about it.

    Raises:
        DataError: with both lists and what is missing on either side.
    """
    if set(trained) == set(given):
        return
    lacking = [name for name in trained if name not in set(given)]
    unknown = [name for name in given if name not in set(trained)]
    raise DataError(
        f"{source} has other classes than the model was trained on.\n"
        f"  the model: {_listed(trained)}\n"
        f"  the data:  {_listed(given)}\n"
        + (f"  only the model has: {_listed(lacking)}\n" if lacking else "")
        + (f"  only the data has:  {_listed(unknown)}\n" if unknown else "")
        + advice
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:40])
    return shown if len(names) <= 40 else f"{shown}, ... ({len(names)} in all)"
