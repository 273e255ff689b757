"""What the data is: where from, how many of what, and what they look like."""

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from saccade.reporting.figures import class_sizes
from saccade.reporting.pictures import InlinePicture, inline_picture
from saccade.reporting.records import RunRecords
from saccade.reporting.wording import count

MAX_LISTED_CLASSES = 24  # more are a chart; a page of 300 bars says nothing
MAX_PER_CLASS = 4
MAX_BATCH = 32
MAX_IGNORED = 40

_SPLIT_WORDS = {"train": "training", "val": "validation", "test": "test"}


class LabelledPicture(NamedTuple):
    """A picture and its class."""

    picture: InlinePicture
    label: str


class ClassBar(NamedTuple):
    """One class of the data.

    Attributes:
        name: the class.
        total: its pictures in all splits.
        parts: split and pictures, with the width of each in percent of the largest class.
        pictures: some of its training pictures.
    """

    name: str
    total: int
    parts: list[tuple[str, int, float]]
    pictures: list[InlinePicture]


@dataclass(frozen=True, kw_only=True)
class AboutData:
    """The data section.

    Attributes:
        source, kind: as the user gave it, and what it was recognised as.
        splits: name in words and number of pictures, only those with some.
        balance: one sentence on how even the classes are.
        bars: one per class; empty when there are more than 24.
        sizes: a chart instead, when there are more.
        samples: some pictures by class, where the bars do not show them.
        batch: training pictures as the model sees them.
        has_batch: whether the job shows such pictures here, and not in galleries of its own.
        notes: what was found out while reading.
        ignored: name and reason, the first 40.
        num_ignored: how many there are.
        bad: the same for pictures that could not be read.
        num_bad: how many there are.
    """

    source: str
    kind: str
    splits: list[tuple[str, str]]
    balance: str
    bars: list[ClassBar]
    sizes: Markup | None
    samples: list[LabelledPicture]
    batch: list[LabelledPicture]
    has_batch: bool
    notes: list[str]
    ignored: list[tuple[str, str]]
    num_ignored: int
    bad: list[tuple[str, str]]
    num_bad: int


def about_data(records: RunRecords) -> AboutData:
    """Puts the data section together."""
    data = records.contract.get("data", {})
    names = records.class_names
    counts: dict[str, list[int]] = {
        split: values
        for split, values in data.get("class_counts", {}).items()
        if values and len(values) == len(names) and any(values)
    }
    totals = [sum(column) for column in zip(*counts.values(), strict=True)]
    samples = _labelled(records, "data", limit=MAX_PER_CLASS * MAX_LISTED_CLASSES)
    is_listed = 0 < len(totals) <= MAX_LISTED_CLASSES
    ignored = [(str(name), str(reason)) for name, reason in data.get("ignored", [])]
    bad = [(str(name), str(reason)) for name, reason in data.get("bad", {}).items()]
    return AboutData(
        source=str(data.get("source", "")),
        kind=str(data.get("kind", "")),
        splits=[
            (_SPLIT_WORDS.get(split, split), count(n))
            for split, n in data.get("splits", {}).items()
            if n
        ],
        balance=_balance(names, totals, things=records.things),
        bars=_bars(names, counts, totals, samples) if is_listed else [],
        sizes=class_sizes(totals, title="Pictures per class") if totals and not is_listed else None,
        samples=[] if is_listed else samples,
        batch=_labelled(records, "batch", limit=MAX_BATCH),
        has_batch=records.job == "classify" or bool(records.pictures.get("batch")),
        notes=[str(note) for note in data.get("notes", [])],
        ignored=ignored[:MAX_IGNORED],
        num_ignored=len(ignored),
        bad=bad[:MAX_IGNORED],
        num_bad=len(bad),
    )


def _labelled(records: RunRecords, gallery: str, *, limit: int) -> list[LabelledPicture]:
    found = []
    for entry in records.pictures.get(gallery, [])[:limit]:
        picture = inline_picture(records.path, entry.get("file"))
        if picture:
            found.append(LabelledPicture(picture, str(entry.get("label", ""))))
    return found


def _balance(names: list[str], totals: list[int], *, things: str) -> str:
    if not totals:
        return ""
    largest, smallest = max(totals), min(totals)
    if largest == smallest:
        return f"Every class has {count(largest)} {things}."
    most, least = names[totals.index(largest)], names[totals.index(smallest)]
    ratio = largest / max(smallest, 1)
    extremes = f"{count(largest)} {things} of “{most}”, {count(smallest)} of “{least}”"
    if ratio < 1.5:
        return f"The classes are about equally large: from {count(smallest)} to {count(largest)}."
    if ratio < 5:
        return f"The classes are somewhat uneven: {extremes}."
    return (
        f"The classes are very uneven: {extremes}. Macro F1 and balanced accuracy say more than "
        "top-1 here."
    )


def _bars(
    names: list[str],
    counts: dict[str, list[int]],
    totals: list[int],
    samples: list[LabelledPicture],
) -> list[ClassBar]:
    largest = max(totals)
    return [
        ClassBar(
            name=name,
            total=totals[k],
            parts=[
                (_SPLIT_WORDS.get(split, split), values[k], 100 * values[k] / largest)
                for split, values in counts.items()
            ],
            pictures=[s.picture for s in samples if s.label == name][:MAX_PER_CLASS],
        )
        for k, name in enumerate(names)
    ]
