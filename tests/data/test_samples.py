"""Samples stay beside their labels, and a source tells a person what is in it."""

from pathlib import Path

import numpy as np
import pytest

from saccade.data.annotations import Annotation, Boxes, ClassMap, Segments
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.listing import Ignored
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Samples, Source, count, has_objects

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


class Known:
    """Annotations that are at hand; None stands for one that cannot be read."""

    def __init__(self, *known: Annotation | None) -> None:
        self._known = known

    def load(self, i: int) -> Annotation:
        found = self._known[i]
        if found is None:
            raise UnreadablePicture("its mask is gone")
        return found

    def stamp(self, i: int) -> str:
        return str(i)


def boxes(*, is_crowd: tuple[bool, ...]) -> Boxes:
    count = len(is_crowd)
    return Boxes(
        boxes_xyxy=np.zeros((count, 4), np.float32),
        labels=np.zeros(count, np.int64),
        is_crowd=np.array(is_crowd, bool),
    )


def segments(count: int) -> Segments:
    return Segments(segments=np.zeros((2, 2), np.int32), labels=np.zeros(count, np.int64))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ((), True),
        ((boxes(is_crowd=()), boxes(is_crowd=(True,))), False),
        ((boxes(is_crowd=()), None, boxes(is_crowd=(True, False))), True),
        ((segments(0), None), False),
        ((segments(0), segments(1)), True),
        ((ClassMap(classes=np.zeros((2, 2), np.uint8)),), True),
    ],
)
def test_objects_are_looked_for_where_they_are_what_is_known(
    known: tuple[Annotation | None, ...], *, expected: bool
):
    some = Samples(
        pictures=PICTURES,
        ids=np.arange(len(known)),
        labels=None,
        annotations=Known(*known) if known else None,
    )
    assert has_objects(some) is expected
