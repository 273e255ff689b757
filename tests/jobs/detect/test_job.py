"""Detection through the verbs: tables in the pictures' pixels, drawings, explanations, refusals."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import saccade
from saccade.errors import DataError, UsageError
from saccade.jobs.detect.job import DetectJob
from saccade.run.folder import RunFolder, read_json
from saccade.serving.engine import LOWEST_LISTED
from saccade.verbs.predict import rows
from tests import boxed, tiny


def inputs(folder: Path) -> list[Path]:
    """Three pictures of the source, one of them twice as large, and one that cannot be read."""
    folder.mkdir()
    paths = [boxed.world().source / "images" / f"{number:03d}.png" for number in (1, 2)]
    with Image.open(paths[0]) as image:
        size = (2 * boxed.WIDTH, 2 * boxed.HEIGHT)
        image.resize(size, Image.Resampling.NEAREST).save(folder / "large.png")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    return [paths[0], folder / "broken.png", folder / "large.png", paths[1]]


def test_training_reports_average_precision() -> None:
    world = boxed.world()

    assert world.result.job == "detect"
    assert world.result.headline == "ap50"
    assert world.result.metrics["ap50"] > 0.6
    config = read_json(RunFolder(world.run).config)
    assert config["task"]["object_width"] == pytest.approx(boxed.SQUARE / boxed.WIDTH, abs=1e-3)
    assert config["task"]["object_height"] == pytest.approx(boxed.SQUARE / boxed.HEIGHT, abs=1e-3)


def test_the_input_has_the_aspect_of_the_pictures() -> None:
    preprocess = read_json(RunFolder(boxed.world().run).contract)["preprocess"]

    assert (preprocess["height"], preprocess["width"]) == (24, 32)
    assert preprocess["fit"] == "squash"


def test_predict_has_one_row_per_input_with_boxes_in_its_own_pixels(tmp_path: Path) -> None:
    given = inputs(tmp_path / "inputs")

    saccade.predict(boxed.world().run, given, tmp_path / "found.parquet", is_quiet=True)

    table = pq.read_table(tmp_path / "found.parquet").to_pylist()
    first, broken, large, _ = table
    assert [row["path"] for row in table] == [path.as_posix() for path in given]
    assert (first["width"], first["height"]) == (boxed.WIDTH, boxed.HEIGHT)
    assert broken["boxes"] == broken["labels"] == broken["scores"] == []
    assert broken["error"]
    assert broken["width"] is None
    assert (large["width"], large["height"]) == (2 * boxed.WIDTH, 2 * boxed.HEIGHT)
    assert large["labels"][0] == first["labels"][0]
    np.testing.assert_allclose(large["boxes"][0], 2 * np.array(first["boxes"][0]), atol=1.0)
    for row in (first, large):
        assert row["error"] is None
        assert row["scores"] == sorted(row["scores"], reverse=True)
        assert min(row["scores"]) >= LOWEST_LISTED
        assert len(row["boxes"]) == len(row["labels"]) == len(row["scores"])


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_other_tables_hold_the_same_rows(tmp_path: Path, ending: str) -> None:
    given = inputs(tmp_path / "inputs")

    saccade.predict(boxed.world().run, given, tmp_path / f"found{ending}", is_quiet=True)

    text = (tmp_path / f"found{ending}").read_text()
    assert len(text.splitlines()) == len(given) + (ending == ".csv")
    for row in rows(boxed.world().run, given, is_quiet=True):
        assert row["path"] in text


def test_drawings_are_made_of_what_can_be_read(tmp_path: Path) -> None:
    given = inputs(tmp_path / "inputs")
    drawn = tmp_path / "drawn"

    saccade.predict(boxed.world().run, given, tmp_path / "t.csv", draw=drawn, is_quiet=True)

    names = sorted(path.name for path in drawn.iterdir())
    assert [name[:5] for name in names] == ["00000", "00002", "00003"]
    with Image.open(drawn / names[0]) as image:
        assert min(image.size) >= 240


def test_a_score_that_is_asked_for_begins_table_and_drawings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = inputs(tmp_path / "inputs")
    run = boxed.world().run
    own = read_json(RunFolder(run).contract)["smallest_score"]

    usual = saccade.predict(run, given, tmp_path / "usual.jsonl")
    said = capsys.readouterr().err
    scores = sorted(score for row in rows(run, given, is_quiet=True) for score in row["scores"])
    middle = (scores[len(scores) // 2 - 1] + scores[len(scores) // 2]) / 2
    asked = saccade.predict(run, given, tmp_path / "asked.jsonl", min_score=middle, is_quiet=True)
    above = [s for row in rows(run, given, min_score=middle, is_quiet=True) for s in row["scores"]]

    assert (usual.listed_from, usual.drawn_from) == (min(LOWEST_LISTED, own), own)
    assert f"drawn from {own:.3f}, the best on validation pictures; --min-score" in said
    assert (asked.listed_from, asked.drawn_from) == (middle, middle)
    assert 0 < len(above) < len(scores)
    assert sorted(above) == [score for score in scores if score >= middle]
    with pytest.raises(UsageError, match="--min-score is 30; expected a number from 0 to 1"):
        saccade.predict(run, given, tmp_path / "no.csv", min_score=30.0, is_quiet=True)


def test_objects_are_explained_by_class(tmp_path: Path) -> None:
    given = boxed.world().source / "images" / "001.png"
    job = DetectJob()
    engine = saccade.load(boxed.world().run, device="cpu").engine

    (surest,) = job.explain(engine, job.inputs([given]), methods=[], label=None)
    (blue,) = job.explain(engine, job.inputs([given]), methods=[], label="blue")

    assert surest.asked == surest.answer.label
    assert blue.asked == "blue"
    assert next(iter(surest.heats)) == "gradcam"  # it lies on the object; attention looks around it
    assert all(heat.shape == (3, 4) for heat in blue.heats.values())
    with pytest.raises(UsageError, match=r"knows no class 'blu'.*'blue'"):
        list(job.explain(engine, job.inputs([given]), methods=[], label="blu"))


def test_evaluating_the_source_gives_the_figures_of_the_training(tmp_path: Path) -> None:
    world = boxed.world()

    found = saccade.evaluate(world.run, world.source, is_quiet=True)

    assert found.metrics["ap50"] == pytest.approx(world.result.metrics["ap50"])


def test_pictures_without_boxes_are_refused_with_advice(tmp_path: Path) -> None:
    source = tiny.draw_folder(tmp_path / "classes", count=2)

    with pytest.raises(DataError, match=r"COCO.*VOC.*YOLO"):
        saccade.train(source, tmp_path / "run", job="detect", steps=1, is_quiet=True)
    assert not (tmp_path / "run").exists()
