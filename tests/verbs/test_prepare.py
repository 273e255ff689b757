"""A divided source becomes loaders that are ready, and what is left out is named."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from saccade.config.run import RunConfig
from saccade.config.task import VideoConfig
from saccade.data.annotated import open_boxes
from saccade.data.clips.sources import open_clips
from saccade.data.fingerprint import fingerprint, picture_hashes
from saccade.data.sources import Source, open_source
from saccade.data.split import Split
from saccade.data.split import split as divide
from saccade.errors import DataError
from saccade.planning.budget import Candidate, Choice
from saccade.planning.plan import Plan
from saccade.run.contract import Contract
from saccade.run.environment import versions
from saccade.run.start import read_start
from saccade.verbs.prepare import (
    NUM_BAD_SHOWN,
    Prepared,
    first_contract,
    pictures_seen,
    prepare,
    require_same_data,
    say_bad,
    say_seen,
)
from saccade.verbs.voice import Voice
from tests import boxed, moving, tiny


def config(**settings: Any) -> RunConfig:
    given: dict[str, Any] = {"data__max_bad_fraction": "0.5"} | settings
    return tiny.config("cnn-pico4", **given)


def parts(source: Source, *, val_fraction: float = 0.2, test_fraction: float = 0.2) -> Split:
    return divide(source, val_fraction=val_fraction, test_fraction=test_fraction, seed=0)


def made(split: Split, *, is_quiet: bool = True, **settings: str) -> Prepared:
    return prepare(split, config(**settings), tiny.preprocess(), voice=Voice(is_quiet=is_quiet))


def contract_of(source: Source, split: Split, data: Prepared) -> Contract:
    planned = Plan(
        config=config(),
        model_name="cnn-pico4",
        preprocess=tiny.preprocess(),
        choice=Choice(Candidate("cnn-pico4", 16), None, 1),
        epochs_wanted=1.0,
        lines=(),
    )
    return first_contract(planned, source, data, start=None, has_new_head=False)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return open_source(tiny.draw_folder(tmp_path / "pictures", count=10))


def test_each_part_is_loaded_from_its_own_pictures(source: Source):
    split = parts(source)
    data = made(split)
    assert split.val is not None
    assert split.test is not None
    assert data.test is not None
    for loader, samples in (
        (data.training, split.train),
        (data.validation, split.val),
        (data.test, split.test),
    ):
        assert loader.samples is samples
        assert [i for batch in loader.batches() for i in batch.ids.tolist()] == samples.ids.tolist()
    assert list(data.judged()) == ["val", "test"]
    assert (data.judged()["val"], data.judged()["test"]) == (data.validation, data.test)


def test_without_validation_pictures_the_training_pictures_are_judged_as_such(source: Source):
    data = made(parts(source, val_fraction=0.0, test_fraction=0.0))
    assert data.validation is data.training
    assert data.test is None
    assert data.judged() == {"train": data.training}


def test_test_pictures_are_the_headline_even_without_validation(source: Source):
    data = made(parts(source, val_fraction=0.0))
    assert list(data.judged()) == ["train", "test"]


def test_validation_is_the_headline_where_there_is_no_test(source: Source):
    data = made(parts(source, test_fraction=0.0))
    assert list(data.judged()) == ["val"]


def damage(source: Source, split: Split, count: int) -> dict[str, str]:
    """Breaks pictures in each part in turn; name to part."""
    broken: dict[str, str] = {}
    named = {"train": split.train, "val": split.val, "test": split.test}
    for k in range(count):
        part, samples = list(named.items())[k % 3]
        assert samples is not None
        name = samples.names()[k // 3]
        (Path(source.path) / name).write_bytes(b"broken")
        broken[name] = part
    return broken


def test_unreadable_pictures_of_all_parts_are_named_with_a_reason_and_left_out(
    source: Source, capfd: pytest.CaptureFixture[str]
):
    split = parts(source)
    broken = damage(source, split, 5)
    data = made(split, is_quiet=False)
    said = capfd.readouterr().err
    assert set(data.bad()) == set(broken)
    assert "5 pictures cannot be read and are left out" in said
    for name, reason in data.bad().items():
        assert reason
        assert f"{name}: {reason}" in said
    assert data.training.num_pictures == len(split.train) - 2
    assert contract_of(source, split, data).data.bad == data.bad()


def test_of_very_many_unreadable_pictures_only_the_first_are_said(
    capfd: pytest.CaptureFixture[str],
):
    say_bad({f"{k}.png": "cut off" for k in range(25)}, Voice(), noun="picture")
    lines = capfd.readouterr().err.splitlines()
    assert "25 pictures cannot be read" in lines[0]
    assert lines[1:] == [f"    {k}.png: cut off" for k in range(NUM_BAD_SHOWN)]


def test_where_all_can_be_read_nothing_is_said(source: Source, capfd: pytest.CaptureFixture[str]):
    assert made(parts(source), is_quiet=False).bad() == {}
    assert capfd.readouterr() == ("", "")


def test_too_many_unreadable_pictures_stop_it_with_the_limit(source: Source):
    split = parts(source)
    damage(source, split, 6)
    with pytest.raises(DataError, match=r"6 of 30 pictures .*data\.max_bad_fraction"):
        made(split, data__max_bad_fraction="0.1")


def decoded_once(data: Prepared, source: Source) -> bool:
    """Whether the pictures are in memory: they are still there when the files are not."""
    shutil.rmtree(source.path)
    try:
        counts = [
            sum(len(batch) for batch in loader.batches()) for loader in data.judged().values()
        ]
    except DataError:
        return False
    assert all(counts)
    return True


@pytest.mark.parametrize(("room", "is_enough"), [(1.01, True), (0.98, False)])
def test_the_memory_is_shared_by_the_parts_in_proportion(
    source: Source, room: float, is_enough: bool
):
    num_bytes = 30 * 3 * 16 * 16
    data = made(parts(source), data__cache_gib=str(room * num_bytes / 2**30))
    assert decoded_once(data, source) == is_enough


def test_the_first_contract_is_complete_but_for_the_figures(source: Source):
    split = parts(source)
    found = contract_of(source, split, made(split))
    assert found.class_names == source.class_names == tiny.CLASSES
    assert found.data.fingerprint == fingerprint(source)
    assert found.data.splits == {"train": 18, "val": 6, "test": 6}
    assert found.data.class_counts == {"train": [6] * 3, "val": [2] * 3, "test": [2] * 3}
    assert found.data.source == source.path
    assert found.data.notes == [*source.notes, *split.notes]
    assert found.figures == {}
    assert found.num_parameters == sum(p.numel() for p in tiny.task(config()).parameters())
    assert found.versions == versions()


def test_parts_that_are_not_there_are_not_in_the_contract(source: Source):
    split = parts(source, val_fraction=0.0, test_fraction=0.0)
    found = contract_of(source, split, made(split))
    assert found.data.splits == {"train": 30}
    assert list(found.data.class_counts) == ["train"]


def test_what_was_passed_over_is_in_the_contract(tmp_path: Path):
    folder = tiny.draw_folder(tmp_path / "pictures", count=4)
    (folder / "apple" / "notes.txt").write_text("mine")
    source = open_source(folder)
    split = parts(source)
    found = contract_of(source, split, made(split)).data.ignored
    assert [name for name, _ in found] == [entry.name for entry in source.ignored]
    assert "apple/notes.txt" in dict(found)


def test_the_same_pictures_elsewhere_may_be_resumed_on(source: Source, tmp_path: Path):
    split = parts(source)
    contract = contract_of(source, split, made(split))
    shutil.copytree(source.path, tmp_path / "copy")
    require_same_data(contract, open_source(tmp_path / "copy"))


@pytest.mark.parametrize("change", ["removed", "added", "renamed", "class"])
def test_other_pictures_may_not(source: Source, change: str):
    split = parts(source)
    contract = contract_of(source, split, made(split))
    folder, first = Path(source.path), Path(source.path) / "apple" / "000.png"
    says = "is not the data this run was started on"
    match change:
        case "removed":
            first.unlink()
        case "added":
            shutil.copy(first, folder / "apple" / "more.png")
        case "renamed":
            first.rename(folder / "apple" / "other.png")
        case "class":
            (folder / "sky").rename(folder / "sea")
            says = r"only the model has: sky\n.*only the data has:  sea"
    with pytest.raises(DataError, match=says):
        require_same_data(contract, open_source(folder))


def test_weights_from_elsewhere_have_seen_nothing_that_is_known(tmp_path: Path):
    assert pictures_seen(None) == frozenset()
    start = read_start(tiny.foreign_weights(tmp_path / "vit"))
    assert pictures_seen(start.source) == frozenset()


def test_test_pictures_that_the_weights_learned_from_are_counted(
    source: Source, capfd: pytest.CaptureFixture[str]
):
    split = parts(source)
    assert split.test is not None
    known = frozenset(picture_hashes(split.test)[:2])
    say_seen(split, frozenset(), Voice())
    say_seen(split, frozenset(picture_hashes(split.train)), Voice())
    assert capfd.readouterr().err == ""
    say_seen(split, known, Voice())
    assert f"2 of {len(split.test)} test pictures were trained on" in capfd.readouterr().err


def test_judging_pictures_without_any_object_are_refused_before_training(tmp_path: Path):
    """Else the first validation would find it out, and the training up to there be lost."""
    folder = boxed.write_coco(tmp_path / "boxes", count=6)
    whole = open_boxes(folder).splits["all"]
    empty, others = whole.take(np.arange(1)), whole.take(np.arange(1, 6))

    with pytest.raises(DataError, match=r"none of the 1 validation pictures has an object.*val_"):
        made(Split(train=others, val=empty, test=None, notes=()))
    with pytest.raises(DataError, match=r"none of the 1 test pictures has an object.*test_"):
        made(Split(train=others, val=others, test=empty, notes=()))
    assert made(Split(train=empty, val=others, test=None, notes=())).test is None


def test_clips_that_are_too_short_are_refused_before_any_is_read(tmp_path: Path):
    split = parts(open_clips(moving.write_clips(tmp_path / "clips", count=5)))
    asked = moving.NUM_FRAMES + 1
    fitting = replace(tiny.preprocess(), num_frames=asked)
    of_clips = replace(config(data__max_bad_fraction="0.1"), job="video", task=VideoConfig())

    class NotReading(Voice):
        def counting(self, what: str) -> NoReturn:
            raise AssertionError(what)

    with pytest.raises(DataError, match=f"10 of 10 clips have fewer than the {asked} frames"):
        prepare(split, of_clips, fitting, voice=NotReading(is_quiet=True))
    repeating = replace(fitting, short_clips="repeat")
    data = prepare(split, of_clips, repeating, voice=Voice(is_quiet=True))
    assert not data.bad()
