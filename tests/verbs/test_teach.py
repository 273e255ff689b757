"""Who can teach what, which classes are meant, and what is said where something does not fit."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from saccade.config.task import TeachConfig
from saccade.errors import DataError, UsageError
from saccade.run.folder import RunFolder
from saccade.verbs.teach import Lessons, describe, open_lessons
from saccade.verbs.voice import Voice
from saccade.verbs.wish import Said
from tests import tiny
from tests.pretrained import pretrained
from tests.taught import flat, teacher


def said(**changes: Any) -> Said:
    given: dict[str, Any] = {
        "job": None,
        "model": None,
        "budget": None,
        "epochs": None,
        "steps": 1,
        "settings": {},
        "seed": None,
        "init": None,
        "new_head": False,
        "teacher": str(teacher()),
    }
    return Said(**(given | changes))


def asked(source: Path, **changes: Any) -> Lessons | None:
    return open_lessons(
        said(**changes),
        RunFolder(source / "no-run"),
        source,
        device=torch.device("cpu"),
        is_resumed=False,
        voice=Voice(is_quiet=True),
    )


def opened(source: Path, **changes: Any) -> Lessons:
    lessons = asked(source, **changes)
    assert lessons is not None
    return lessons


def test_without_a_teacher_there_are_no_lessons() -> None:
    assert asked(tiny.world().source, teacher=None) is None


def test_numbers_about_a_teacher_need_one() -> None:
    with pytest.raises(UsageError, match=r"--set teach\.weight is about a teacher"):
        asked(tiny.world().source, teacher=None, settings={"teach.weight": "0.5"})


def test_labelled_pictures_are_learned_with_their_labels() -> None:
    lessons = opened(tiny.world().source, settings={"teach.temperature": "3"})

    assert lessons.job.name == "classify"
    assert lessons.teacher.config == TeachConfig(method="logits", temperature=3.0)
    assert lessons.pictures.notes == ()


def test_labels_can_be_ignored() -> None:
    lessons = opened(tiny.world().source, settings={"teach.has_labels": "false"})

    assert not lessons.teacher.config.has_labels
    assert "no labels" in " ".join(lessons.pictures.notes)


@pytest.mark.parametrize(
    ("method", "job"), [("logits", "classify"), ("hard", "classify"), ("features", "pretrain")]
)
def test_without_labels_the_method_decides_what_is_made(method: str, job: str) -> None:
    lessons = opened(flat(), settings={"teach.method": method})

    assert lessons.job.name == job
    assert not lessons.teacher.config.has_labels
    assert lessons.teacher.config.width == (96 if method == "features" else 0)


@pytest.mark.parametrize("classes", [("sky", "apple"), ("sky", "leaf", "apple")])
def test_some_of_the_teachers_classes_will_do_in_any_order(
    classes: tuple[str, ...], tmp_path: Path
) -> None:
    lessons = opened(tiny.draw_folder(tmp_path / "some", classes=classes, count=2))
    batch = next(iter(lessons.engine.loader(lessons.pictures.splits["all"]).batches()))

    told = lessons.teacher.tell(batch).told

    assert lessons.pictures.class_names == tuple(sorted(classes))
    assert told is not None
    names = lessons.engine.class_names
    with torch.no_grad():
        logits = lessons.teacher.task(batch.images).logits
    expected = logits[:, [names.index(name) for name in sorted(classes)]]
    torch.testing.assert_close(next(iter(vars(told).values())), expected, atol=0.1, rtol=0.1)
    left = [line for line in describe(lessons) if line.startswith("left out")]
    assert len(left) == (len(classes) < 3)


def test_a_class_that_the_teacher_does_not_know_is_named_with_what_may_be_meant(
    tmp_path: Path,
) -> None:
    source = tiny.draw_folder(tmp_path / "other", classes=("aple", "sky", "xyz"), count=2)

    with pytest.raises(DataError) as caught:
        opened(source)

    message = str(caught.value)
    assert "only the data has:    aple, xyz" in message
    assert "only the teacher has: apple, leaf" in message
    assert "'aple': did you mean 'apple'?" in message
    assert "--ignore-labels" in message


def test_features_ask_for_no_class(tmp_path: Path) -> None:
    source = tiny.draw_folder(tmp_path / "other", classes=("one", "two"), count=2)

    lessons = opened(source, settings={"teach.method": "features"})

    assert lessons.job.name == "classify"
    assert lessons.pictures.class_names == ("one", "two")


def test_a_pretrained_run_teaches_what_it_sees_and_nothing_else() -> None:
    run = str(pretrained("visreg").run)

    assert opened(flat(), teacher=run, settings={"teach.method": "features"}).origin.source == run
    with pytest.raises(UsageError, match="was trained to pretrain; take the run of a classifier"):
        opened(flat(), teacher=run)


def test_weights_of_another_library_teach(tmp_path: Path) -> None:
    foreign = tiny.foreign_weights(tmp_path / "foreign")
    bare = tiny.foreign_weights(tmp_path / "bare", ())

    lessons = opened(tiny.world().source, teacher=str(foreign))
    seen = opened(flat(), teacher=str(bare), settings={"teach.method": "features"})

    assert lessons.origin.library == "transformers"
    assert seen.teacher.config.width == 32
    with pytest.raises(UsageError, match="without classes"):
        opened(flat(), teacher=str(bare))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": "nowhere"}, "the teacher cannot be read: nowhere"),
        ({"settings": {"teach.method": "logit"}}, "did you mean 'logits'"),
        ({"settings": {"teach.method": "none"}}, "known are|did you mean"),
        ({"settings": {"teach.width": "3"}}, "follows from the teacher"),
        ({"settings": {"teach.temprature": "3"}}, r"did you mean 'temperature'"),
        ({"job": "detect"}, "here it teaches classify"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        opened(tiny.world().source, **changes)


def test_what_cannot_be_read_stands_for_no_class(tmp_path: Path) -> None:
    source = shutil.copytree(flat(), tmp_path / "flat")
    (source / "00.png").write_bytes(b"no picture")

    lessons = opened(source)

    labels = lessons.pictures.splits["all"].labels
    assert labels is not None
    assert len(labels) == 30
    assert set(labels.tolist()) == {0, 1, 2}
