"""A user trains, judges, asks and explains on clips; what does not fit is refused plainly."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import DataError, UsageError
from saccade.jobs.job import Job
from saccade.jobs.video.job import VideoJob
from saccade.serving.load import load_engine
from tests import moving
from tests.tiny import World


@pytest.fixture(scope="module")
def world() -> World:
    return moving.world()


def test_the_job_is_one():
    assert isinstance(VideoJob(), Job)
    assert VideoJob().name == "video"


def test_training_learns_the_direction_and_says_what_frames_alone_would_give(world: World):
    result = world.result
    assert result.job == "video"
    assert result.metrics["top1"] == 1.0
    assert result.metrics["frame_average_top1"] <= 0.8
    page = (world.run / "report.html").read_text()
    assert "top-1 of single frames, averaged" in page.lower()
    assert "from how things move" in page
    assert "Where and when it looked" in page
    assert "clips per second" in page
    assert "pictures per second" not in page


def test_evaluation_gives_the_figures_of_training(world: World, capsys: pytest.CaptureFixture[str]):
    again = saccade.evaluate(world.run, world.source, device="cpu")
    assert f"evaluating on {again.n} clips" in capsys.readouterr().err
    assert again.metrics == pytest.approx(world.result.metrics)
    assert again.job == "video"


def test_predict_takes_folders_of_frames_and_draws_what_it_answers(world: World, tmp_path: Path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    inputs = [world.source / "left" / "03", tmp_path / "broken.mp4", world.source / "right"]
    done = saccade.predict(
        world.run,
        inputs,
        tmp_path / "answers.jsonl",
        draw=tmp_path / "drawn",
        device="cpu",
        is_quiet=True,
    )
    assert (done.n, done.num_errors) == (34, 1)
    assert done.labels == {"left": 1, "right": 32}
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert len(drawn) == 33
    assert drawn[0] == "00000-03.png"
    with Image.open(tmp_path / "drawn" / drawn[0]) as image:
        assert image.width > 4 * image.height * 0.8  # a row of four square frames and a line


def test_rows_come_in_the_order_of_the_inputs(world: World, tmp_path: Path):
    engine, job = load_engine(world.run, device="cpu"), VideoJob()
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    names = [world.source / "right" / "05", tmp_path / "broken.mp4", world.source / "left" / "01"]
    rows = list(job.rows(engine, job.inputs(names), drawn=None))
    assert [row["path"] for row in rows] == [str(name) for name in names]
    assert [row["label"] for row in rows] == ["right", None, "left"]
    assert rows[1]["error"].startswith("cannot be read as a video")
    assert set(rows[0]) == set(job.schema.names)


def test_an_explanation_has_heat_for_each_step_in_time(world: World, tmp_path: Path):
    engine, job = load_engine(world.run, device="cpu"), VideoJob()
    samples = job.inputs([world.source / "right" / "05"])
    (found,) = job.explain(engine, samples, methods=("legrad", "rollout"), label="left")
    assert found.asked == "left"
    assert found.answer.label == "right"
    assert found.image.shape == (4, 3, 16, 16)
    assert {heat.shape for heat in found.heats.values()} == {(2, 4, 4)}
    saccade.explain(
        world.run, world.source / "right" / "05", tmp_path / "out", device="cpu", is_quiet=True
    )
    with Image.open(next((tmp_path / "out").glob("*legrad.png"))) as image:
        assert image.width > 4 * 224


@pytest.mark.slow  # three trainings, of a few steps each
def test_a_run_on_pictures_is_taken_into_clips(world: World, tmp_path: Path):
    """One frame of each clip, and which class it is from: nothing to learn, but weights."""
    for clip in sorted(world.source.glob("*/*")):
        (tmp_path / "frames" / clip.parent.name).mkdir(parents=True, exist_ok=True)
        name = f"{clip.parent.name}/{clip.name}.png"
        shutil.copy(clip / "1.png", tmp_path / "frames" / name)
    saccade.train(
        tmp_path / "frames",
        tmp_path / "pictures",
        model="vit-pico4",
        steps=2,
        settings={"data.batch_size": "16", "precision": "fp32"},
        device="cpu",
        is_quiet=True,
    )
    result = saccade.train(
        world.source,
        tmp_path / "clips",
        job="video",
        init=tmp_path / "pictures",
        steps=2,
        settings={"task.num_frames": "4", "precision": "fp32"},
        device="cpu",
        is_quiet=True,
    )
    assert result.job == "video"
    again = saccade.train(
        world.source,
        tmp_path / "again",
        job="video",
        init=world.run,
        steps=1,
        settings={"task.num_frames": "4", "optim.lr": "0", "precision": "fp32"},
        device="cpu",
        is_quiet=True,
    )
    assert again.metrics["top1"] == 1.0


def test_clips_without_classes_are_refused_with_what_a_class_is(
    tmp_path: Path, write_frames: Callable[..., None]
):
    write_frames("a", "b")
    with pytest.raises(DataError, match=r"without labels. Put the clips of each class into a fold"):
        VideoJob().open(tmp_path)
    shutil.rmtree(tmp_path / "b")
    write_frames("c/1", "c/2")
    shutil.rmtree(tmp_path / "a")
    with pytest.raises(DataError, match="has one class only"):
        VideoJob().open(tmp_path)


def test_clips_shorter_than_asked_stop_the_training_with_what_to_do(
    tmp_path: Path, write_frames: Callable[..., None]
):
    write_frames(*(f"{c}/{k}" for c in "ab" for k in range(6)), count=3)
    with pytest.raises(DataError, match=r"12 of 12 clips have fewer than the 8 frames .*repeat"):
        saccade.train(tmp_path, tmp_path.parent / "run", job="video", steps=1, is_quiet=True)


def test_models_that_do_not_watch_are_refused(world: World, tmp_path: Path):
    for model, settings, message in [
        ("rag-pico4", {}, "--model is rag-pico4, and clips are read by a vit"),
        ("vit-pico4", {"model.tubelet_size": "1"}, "model of pictures; clips need 2 or more"),
    ]:
        with pytest.raises(UsageError, match=message):
            saccade.train(
                world.source,
                tmp_path / "run",
                job="video",
                model=model,
                steps=1,
                settings=settings,
                is_quiet=True,
            )


@pytest.fixture
def write_frames(tmp_path: Path) -> Callable[..., None]:
    def write(*clips: str, count: int = 2) -> None:
        for clip in clips:
            (tmp_path / clip).mkdir(parents=True)
            for k in range(count):
                Image.fromarray(np.full((8, 8), 40 * k, np.uint8)).save(
                    tmp_path / clip / f"{k}.png"
                )

    return write
