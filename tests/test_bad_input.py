"""What goes wrong in a user's hands ends in one message, the right exit code, and nothing lost."""

import json
import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from saccade.cli import app
from saccade.run.contract import load_contract
from tests import tiny


def train(source: Path, out: Path, **settings: str) -> Result:
    """Three steps of the smallest model, through the command line."""
    given = {"model": "cnn-pico4", "steps": "3", **settings}
    arguments = tiny.train_command(source, out, **given)[3:]
    return CliRunner().invoke(app, [*arguments, "--json"])


def refused(result: Result, code: int) -> str:
    """The one message of a command that failed as it should."""
    assert result.exit_code == code, result.output
    document = json.loads(result.stdout)
    assert document["exit_code"] == code
    assert f"saccade: {document['error']}" in result.stderr
    assert "Traceback" not in result.stderr
    return document["error"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return tiny.draw_folder(tmp_path / "pictures", count=10)


def test_no_such_folder_offers_the_nearest_beside_it(pictures: Path, tmp_path: Path):
    said = refused(train(tmp_path / "picture", tmp_path / "run"), 2)
    assert "picture does not exist" in said
    assert f"did you mean '{pictures}'" in said
    assert "nowhere" in refused(train(tmp_path / "nowhere" / "x", tmp_path / "run"), 2)
    assert not (tmp_path / "run").exists()


def test_an_empty_folder(tmp_path: Path):
    (tmp_path / "pictures").mkdir()
    said = refused(train(tmp_path / "pictures", tmp_path / "run"), 3)
    assert "is empty" in said
    assert ".png" in said
    assert not (tmp_path / "run").exists()


def test_a_folder_without_pictures(tmp_path: Path):
    (tmp_path / "pictures" / "apple").mkdir(parents=True)
    (tmp_path / "pictures" / "apple" / "notes.txt").write_text("later")
    assert "no pictures" in refused(train(tmp_path / "pictures", tmp_path / "run"), 3)


def test_a_flat_folder_says_how_classes_are_given(pictures: Path, tmp_path: Path):
    said = refused(train(pictures / "apple", tmp_path / "run"), 3)
    assert "without labels" in said
    assert "cats/1.jpg" in said


def test_one_class_only(tmp_path: Path):
    source = tiny.draw_folder(tmp_path / "pictures", classes=("apple",), count=4)
    said = refused(train(source, tmp_path / "run"), 3)
    assert "one class only (apple)" in said
    assert "At least two" in said
    assert not (tmp_path / "run").exists()


def test_a_class_with_one_picture_works_and_is_said(pictures: Path, tmp_path: Path):
    for path in sorted((pictures / "sky").iterdir())[1:]:
        path.unlink()
    result = train(pictures, tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "1 class with one picture" in result.stderr
    contract = load_contract(tmp_path / "run" / "contract.json")
    assert contract.data.class_counts["train"][2] == 1


def test_two_classes_of_one_picture_each_train_without_anything_held_out(tmp_path: Path):
    source = tiny.draw_folder(tmp_path / "pictures", classes=("apple", "leaf"), count=1)
    result = train(source, tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert "Too few pictures to hold any out" in result.stderr


def test_hidden_folders_and_stray_files_are_ignored_and_said(pictures: Path, tmp_path: Path):
    for name in (".git/x.png", "__MACOSX/apple/._000.png", "apple/Thumbs.db", "apple/notes.txt"):
        (pictures / name).parent.mkdir(parents=True, exist_ok=True)
        (pictures / name).write_bytes(b"stray")
    shutil.copy(pictures / "apple" / "000.png", pictures / "beside.png")
    result = train(pictures, tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    for name in (".git", "__MACOSX", "apple/Thumbs.db", "apple/notes.txt", "beside.png"):
        assert name in result.stderr, name
    contract = load_contract(tmp_path / "run" / "contract.json")
    assert contract.class_names == tiny.CLASSES
    assert sum(contract.data.splits.values()) == 30
    assert {name for name, _ in contract.data.ignored} >= {".git", "apple/notes.txt", "beside.png"}


def huge_png() -> bytes:
    """60,000 x 60,000 pixels by its header, a few hundred bytes on the disk."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "not a picture": (lambda path: path.write_bytes(b"no picture at all"), "not a picture"),
    "empty": (lambda path: os.truncate(path, 0), "empty"),
    "truncated": (lambda path: os.truncate(path, 300), "truncated"),
    "huge": (lambda path: path.write_bytes(huge_png()), "60000 x 60000"),
}


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("cache_gib", ["4", "0"])
def test_an_unreadable_picture_is_named_and_counted_and_training_goes_on(
    tmp_path: Path, kind: str, cache_gib: str
):
    source = tiny.draw_folder(tmp_path / "pictures", count=20)
    damage, reason = DAMAGES[kind]
    damage(source / "leaf" / "007.png")
    result = train(source, tmp_path / "run", data__cache_gib=cache_gib, steps="6")
    assert result.exit_code == 0, result.stderr
    (item,) = load_contract(tmp_path / "run" / "contract.json").data.bad.items()
    assert item[0] == "leaf/007.png"
    assert reason in item[1]
    assert "leaf/007.png" in result.stderr
    assert "1 picture" in result.stderr


def test_above_5_percent_unreadable_is_bad_data(pictures: Path, tmp_path: Path):
    for name in tiny.CLASSES:
        for number in range(3):
            (pictures / name / f"{number:03d}.png").write_bytes(b"broken")
    said = refused(train(pictures, tmp_path / "run"), 3)
    assert "cannot be read" in said
    assert "5.0% are allowed" in said
    assert "data.max_bad_fraction" in said
    assert ".png: " in said
    assert not (tmp_path / "run").exists()
    result = train(pictures, tmp_path / "run", data__max_bad_fraction="0.6")
    assert result.exit_code == 0, result.stderr


def test_every_picture_unreadable(pictures: Path, tmp_path: Path):
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"broken")
    assert "can be read" in refused(train(pictures, tmp_path / "run"), 3)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("verb", ["train", "explain"])
def test_an_output_folder_that_exists_is_refused_and_untouched(
    pictures: Path, tmp_path: Path, verb: str
):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    if verb == "train":
        result = train(pictures, out)
    else:
        run = tiny.world().run
        arguments = ["explain", str(run), str(pictures), "--out", str(out), "--json"]
        result = CliRunner().invoke(app, arguments)
    assert "never overwritten" in refused(result, 2)
    assert tiny.tree(out) == {"thesis.txt": b"years of work"}


def test_a_run_is_not_trained_over(pictures: Path):
    run = tiny.world().run
    before = tiny.tree(run)
    assert "--resume" in refused(train(pictures, run), 2)
    assert tiny.tree(run) == before


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"model": "rag-nanno"}, "did you mean 'rag-nano"),
        ({"model": "resnet"}, "no model is called 'resnet'"),
        ({"optim__lrr": "1"}, "no setting optim.lrr; did you mean 'optim.lr'"),
        ({"batch_size": "1"}, "no setting batch_size; did you mean 'data.batch_size'"),
        ({"optim__lr": "fast"}, "optim.lr is 'fast'"),
        ({"model": "rag-pico4", "model__drop_pth": "0.1"}, "did you mean 'model.drop_path'"),
    ],
)
def test_an_unknown_model_or_setting_is_refused_with_the_nearest(
    pictures: Path, tmp_path: Path, settings: dict[str, str], says: str
):
    assert says in refused(train(pictures, tmp_path / "run", **settings), 2)
    assert not (tmp_path / "run").exists()


def test_a_setting_without_a_value_is_explained(pictures: Path, tmp_path: Path):
    arguments = ["train", str(pictures), "--out", str(tmp_path / "run"), "--set", "optim.lr"]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert "--set name=value" in refused(result, 2)


def test_a_patch_that_does_not_fit_the_picture_is_refused_in_words(pictures: Path, tmp_path: Path):
    said = refused(train(pictures, tmp_path / "run", model="rag-pico5"), 2)
    assert "patch" in said
    assert "5" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("setting", "value"), [("save_every", "0"), ("data__batch_size", "0")])
def test_a_number_that_would_break_the_loop_is_refused_before_anything_is_written(
    pictures: Path, tmp_path: Path, setting: str, value: str
):
    said = refused(train(pictures, tmp_path / "run", **{setting: value}), 2)
    assert setting.replace("__", ".") in said
    assert not (tmp_path / "run").exists()


def child(source: Path, out: Path, **settings: str) -> list[str]:
    return [*tiny.train_command(source, out, model="cnn-pico4", **settings), "--json"]


@pytest.mark.slow
def test_a_full_disk_while_saving_is_one_message_and_room_makes_it_go_on(
    pictures: Path, tmp_path: Path
):
    out = tmp_path / "run"
    settings = {"steps": "12", "save_every": "4", "evaluate_every": "100"}
    first = tiny.run_command(child(pictures, out, **settings), largest_file=400_000)
    assert first.returncode == 1, first.stderr
    said = json.loads(first.stdout)["error"]
    assert "could not save step 4" in said
    assert "--resume" in said
    assert "Traceback" not in first.stderr
    assert not list((out / "checkpoints").iterdir())
    assert list(out.rglob(".*")) == []

    arguments = tiny.command("train", pictures, "--out", out, "--resume", "--json")
    second = tiny.run_command(arguments)
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["steps"] == 12


@pytest.mark.slow
def test_a_full_disk_from_the_first_byte_is_one_message(pictures: Path, tmp_path: Path):
    done = tiny.run_command(child(pictures, tmp_path / "run", steps="3"), largest_file=16)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["exit_code"] == 1


# Signals that come while the model learns are sent for real in test_resume.py.
@pytest.mark.parametrize(
    "moment", ["train.find_job", "planned.look", "begin.prepare", "begin.first_contract"]
)
def test_ctrl_c_before_training_leaves_nothing_behind(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"saccade.verbs.{moment}", interrupted)
    result = train(pictures, tmp_path / "run")
    assert result.exit_code == 130
    assert "saccade: stopped" in result.stderr
    assert not (tmp_path / "run").exists()


def test_ctrl_c_after_training_keeps_the_weights_and_resume_finishes(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("saccade.jobs.classify.job.judge", interrupted)
        assert train(pictures, tmp_path / "run").exit_code == 130
    before = (tmp_path / "run" / "weights.safetensors").read_bytes()
    arguments = ["train", str(pictures), "--out", str(tmp_path / "run"), "--resume", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["steps"] == 3
    assert (tmp_path / "run" / "weights.safetensors").read_bytes() == before
