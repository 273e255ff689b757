"""Samples stay beside their labels, and a source tells a person what is in it."""

from pathlib import Path

import numpy as np

from saccade.data.listing import Ignored
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Samples, Source, count

PICTURES = PictureFiles(Path(), tuple(f"{i}.jpg" for i in range(10)))


def samples(labels: list[int] | None) -> Samples:
    ids = np.arange(2, 7)
    return Samples(pictures=PICTURES, ids=ids, labels=None if labels is None else np.array(labels))


def source(labels: list[int], class_names: tuple[str, ...]) -> Source:
    ignored = [Ignored(f"{i}.txt", "not a picture") for i in range(5)]
    return Source(
        path="pets",
        kind="class folder",
        class_names=class_names,
        splits={"train": samples(labels)},
        notes=("training is used as train",),
        ignored=(*ignored, Ignored(".git", "hidden")),
    )


def test_taking_keeps_labels_beside_their_pictures():
    taken = samples([0, 1, 2, 3, 4]).take(np.array([4, 0]))
    assert taken.names() == ["6.jpg", "2.jpg"]
    assert taken.labels is not None
    assert taken.labels.tolist() == [4, 0]
    assert samples(None).take(np.array([1])).labels is None


def test_a_source_describes_itself():
    assert source([0, 0, 1, 1, 1], ("cat", "dog", "cow")).describe() == [
        "pets: class folder, 5 pictures, 3 classes",
        "training is used as train",
        "train: 5 pictures (cat 2, dog 3, cow 0)",
        "ignored 5 (not a picture): 0.txt, 1.txt, 2.txt, ...",
        "ignored 1 (hidden): .git",
    ]


def test_many_classes_are_summed_up():
    names = tuple(f"class {i}" for i in range(30))
    lines = source([0, 0, 0, 1, 2], names).describe()
    assert "train: 5 pictures, 0 to 3 in each class" in lines


def test_counts_are_written_as_people_write_them():
    assert count(1, "picture") == "1 picture"
    assert count(0, "class") == "0 classes"
    assert count(60_000, "picture") == "60,000 pictures"
