"""Every job has a demo on a world that it can read; nothing is written where something is."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

import saccade
from saccade.config.task import JobName
from saccade.data.annotated import guess_job
from saccade.data.canvas.writing import Amounts
from saccade.data.sources import open_source
from saccade.errors import UsageError
from saccade.jobs.find import JOBS
from saccade.verbs import demo as module
from saccade.verbs.demo import write_digits
from saccade.verbs.trained import TrainResult
from tests.tiny import World


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "digits"
    write_digits(folder)
    return folder


@pytest.fixture
def asked_of_train(monkeypatch: pytest.MonkeyPatch, world: World) -> list[dict[str, Any]]:
    """What training was asked for; it is only pretended."""
    asked: list[dict[str, Any]] = []

    def train(source: Path, out: Path, **options: Any) -> TrainResult:
        asked.append({"source": source, "out": out, **options})
        return world.result

    monkeypatch.setattr(module, "train", train)
    return asked


@pytest.fixture
def trained(
    monkeypatch: pytest.MonkeyPatch, asked_of_train: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The same, and writing the digits is only pretended too."""
    monkeypatch.setattr(module, "write_digits", lambda folder: folder.mkdir(parents=True))
    return asked_of_train


def test_there_are_1797_digits_in_ten_folders(digits: Path):
    source = open_source(digits)
    assert source.class_names == tuple("0123456789")
    assert len(list(digits.rglob("*.png"))) == len(source.splits["all"]) == 1797
    assert source.ignored == ()


def test_each_picture_is_the_one_of_scikit_learn_rounded_to_bytes(digits: Path):
    values, labels = load_digits(return_X_y=True)
    for number, (pixels, label) in enumerate(zip(values, labels, strict=True)):
        with Image.open(digits / str(label) / f"{number:04d}.png") as image:
            assert image.mode == "L"
            found = np.asarray(image).astype(float)
        assert found.shape == (8, 8)
        # 0 to 16 became 0 to 255: half a step of rounding, and the way back is exact.
        assert abs(found.ravel() - pixels * 255 / 16).max() <= 0.5
        np.testing.assert_array_equal(np.rint(found.ravel() * 16 / 255), pixels)


@pytest.mark.parametrize("job", ["clasify", "Classify", "classification"])
def test_an_unknown_job_is_refused_with_the_nearest(
    job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=f"no demo of '{job}'; did you mean 'classify'"):
        saccade.demo(job=job, is_quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_a_job_like_no_other_is_refused_with_the_list():
    with pytest.raises(UsageError, match=r"no demo of 'xyz'; known are: classify"):
        saccade.demo(job="xyz", is_quiet=True)


def test_without_a_name_the_next_free_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[dict[str, Any]]
):
    monkeypatch.chdir(tmp_path)
    for _ in range(3):
        module.demo(is_quiet=True)
    (tmp_path / "saccade-demo-4").write_text("a file of that name")
    module.demo(is_quiet=True)
    outs = [asked["out"].as_posix() for asked in trained]
    assert outs == [
        "saccade-demo/run",
        "saccade-demo-2/run",
        "saccade-demo-3/run",
        "saccade-demo-5/run",
    ]
    assert [asked["source"] for asked in trained] == [
        asked["out"].parent / "digits" for asked in trained
    ]


def test_an_empty_folder_may_be_used_and_a_full_one_may_not(
    tmp_path: Path, trained: list[dict[str, Any]]
):
    (tmp_path / "empty").mkdir()
    module.demo(out=tmp_path / "empty", is_quiet=True)
    assert [asked["out"] for asked in trained] == [tmp_path / "empty" / "run"]
    (tmp_path / "file").write_text("mine")
    for used in (tmp_path / "empty", tmp_path / "file"):
        with pytest.raises(UsageError, match="never overwritten; choose another --out"):
            module.demo(out=used, is_quiet=True)
    assert len(trained) == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_model_budget_and_seed_reach_the_training(tmp_path: Path, trained: list[dict[str, Any]]):
    module.demo(out=tmp_path / "demo", model="cnn", budget="40s", seed=7, is_quiet=True)
    (asked,) = trained
    assert (asked["model"], asked["budget"], asked["seed"]) == ("cnn", "40s", 7)
    assert asked["is_quiet"]


@pytest.mark.parametrize(
    ("wish", "message"),
    [({"budget": "20s"}, "a budget of 20s is too short"), ({"model": "raq"}, "did you mean 'rag")],
)
def test_what_training_would_refuse_is_refused_before_anything_is_written(
    tmp_path: Path, wish: dict[str, Any], message: str
):
    with pytest.raises(UsageError, match=message):
        module.demo(out=tmp_path / "demo", is_quiet=True, **wish)
    assert not (tmp_path / "demo").exists()


def test_a_demo_shows_the_job_that_is_asked_for(tmp_path: Path, trained: list[dict[str, Any]]):
    module.demo(out=tmp_path / "demo", is_quiet=True)
    module.demo(out=tmp_path / "embed", job="embed", is_quiet=True)
    assert [(asked["job"], asked["model"]) for asked in trained] == [
        ("classify", "rag"),
        ("embed", None),
    ]


@pytest.mark.parametrize("job", JOBS)
def test_every_job_can_open_the_world_of_its_demo(
    job: JobName,
    tmp_path: Path,
    asked_of_train: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(module, "AMOUNTS", Amounts(train=24, val=10, test=10))
    module.demo(out=tmp_path / "demo", job=job, is_quiet=True)
    (asked,) = asked_of_train
    assert asked["job"] == job
    opened = JOBS[job].open(asked["source"])
    assert sum(len(samples) for samples in opened.splits.values()) >= 44
    if job not in ("embed", "generate", "pretrain"):  # these too learn from class folders
        assert guess_job(asked["source"]) == job


def test_a_world_depends_on_the_seed(
    tmp_path: Path, asked_of_train: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "AMOUNTS", Amounts(train=1, val=0, test=0))
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        module.demo(out=tmp_path / name, job="detect", seed=seed, is_quiet=True)
    first, same, other = (
        (asked["source"] / "train" / "000000.png").read_bytes() for asked in asked_of_train
    )
    assert first == same != other


def test_the_default_leaves_three_minutes_some_room_and_is_said_on_stderr(
    tmp_path: Path, trained: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
):
    module.demo(out=tmp_path / "demo")
    (asked,) = trained
    assert asked["budget"] == module.BUDGET
    assert int(module.BUDGET.removesuffix("s")) <= 160
    said = capsys.readouterr()
    assert said.out == ""
    assert "wrote 1,797 handwritten digits to" in said.err
