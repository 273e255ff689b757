"""The job answers with rows, files, galleries and explanations."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from saccade.errors import DataError, UsageError
from saccade.jobs.job import Job
from saccade.jobs.segment.job import SegmentJob
from saccade.run.folder import RunFolder, read_json
from saccade.serving.segment import Segmenter
from tests.contract.worlds import segment
from tests.jobs.segment.worlds import SIZES, engine, loader, write_masks

JOB = SegmentJob()


@pytest.fixture(params=[False, True], ids=["classes", "objects"])
def numbers_objects(request: pytest.FixtureRequest) -> bool:
    return request.param


def test_the_job_is_one() -> None:
    assert isinstance(JOB, Job)


def test_a_source_says_what_its_masks_hold(numbers_objects: bool, tmp_path: Path) -> None:
    source = JOB.open(write_masks(tmp_path / "source", numbers_objects=numbers_objects))

    assert ("instances" in source.kind) == numbers_objects
    assert source.class_names is not None


def test_pictures_without_masks_are_refused_with_advice(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (4, 4)).save(tmp_path / name / "a.png")

    with pytest.raises(DataError, match=r"no masks found. Give two folders, images and masks"):
        JOB.open(tmp_path)


def test_rows_are_plain_and_in_order_and_name_what_cannot_be_read(
    numbers_objects: bool, tmp_path: Path
) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=numbers_objects) / "images"
    (folder / "1.png").write_bytes(b"no picture")
    samples = JOB.inputs(sorted(folder.iterdir()))

    rows = list(JOB.rows(engine(numbers_objects=numbers_objects), samples, drawn=None))

    table = pa.Table.from_pylist(rows, schema=JOB.schema)
    assert [Path(path).name for path in table["path"].to_pylist()] == [
        f"{number}.png" for number in range(len(SIZES))
    ]
    assert [row["error"] is None for row in rows] == [True, False, True, True]
    assert [(row["height"], row["width"]) for row in rows if not row["error"]] == [
        SIZES[number] for number in (0, 2, 3)
    ]
    for row in rows:
        count = len(row["labels"])
        assert all(len(row[key]) == count for key in ("scores", "shares", "areas", "boxes"))
        assert row["mask"] is None
    if not numbers_objects:
        assert sum(rows[0]["shares"]) == pytest.approx(1.0)


def test_a_score_is_for_objects_and_not_for_classes(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=True) / "images"
    made = Segmenter(engine(numbers_objects=True))

    found = made.predict(folder, min_score=0.0)
    assert sum(len(each.regions) for each in found) > 0
    assert not any(each.regions for each in made.predict(folder, min_score=1.0))
    with pytest.raises(UsageError, match=r"no scores .* .it was trained to segment"):
        Segmenter(engine(numbers_objects=False)).predict(folder, min_score=0.5)


def test_drawings_are_a_picture_and_a_mask_of_the_same_size(
    numbers_objects: bool, tmp_path: Path
) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=numbers_objects) / "images"
    drawn = tmp_path / "drawn"
    drawn.mkdir()

    made = engine(numbers_objects=numbers_objects)
    rows = list(JOB.rows(made, JOB.inputs([folder]), drawn=drawn))

    assert len(list(drawn.iterdir())) == 2 * len(SIZES)
    for row, (height, width) in zip(rows, SIZES, strict=True):
        mask = np.asarray(Image.open(drawn / row["mask"]))
        assert mask.shape == (height, width)
        if not numbers_objects:
            shares = {int(k): float((mask == k).mean()) for k in np.unique(mask)}
            assert sorted(shares.values()) == pytest.approx(sorted(row["shares"]))


def test_a_gallery_shows_masks_worst_ones_and_the_first_batch(
    numbers_objects: bool, tmp_path: Path
) -> None:
    source = write_masks(tmp_path / "source", numbers_objects=numbers_objects)
    made = engine(numbers_objects=numbers_objects)
    pictures = loader(source, made)
    pictures.prepare()
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    config = (segment.mask_world() if numbers_objects else segment.world()).config

    JOB.write_gallery(folder, made, pictures, pictures, JOB.judge(made, pictures), config=config)

    index = read_json(folder.pictures / "index.json")
    assert list(index) == ["found", "worst", "batch"]
    for gallery in index.values():
        assert gallery["title"]
        assert gallery["text"]
        assert len(gallery["entries"]) >= len(SIZES)
        for entry in gallery["entries"]:
            with Image.open(folder.path / entry["file"]) as image:
                assert image.width >= 160


def test_a_class_can_be_explained(numbers_objects: bool, tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=numbers_objects) / "images"
    made = engine(numbers_objects=numbers_objects)
    label = "object" if numbers_objects else "green"

    for asked in (None, label):
        explained = list(JOB.explain(made, JOB.inputs([folder]), methods=(), label=asked))
        assert len(explained) == len(SIZES)
        assert all(heat.shape == (4, 4) for each in explained for heat in each.heats.values())
        assert "legrad" in explained[0].heats
    assert {each.asked for each in explained} == {label}


def test_queries_are_explained_by_legrad_alone(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=True) / "images"

    with pytest.raises(UsageError, match=r"rollout reads patches .* use --method legrad"):
        list(
            JOB.explain(
                engine(numbers_objects=True),
                JOB.inputs([folder]),
                methods=("legrad", "rollout"),
                label=None,
            )
        )


def test_a_class_that_the_model_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=False) / "images"

    with pytest.raises(UsageError, match=r"knows no class 'gren'.*green"):
        list(
            JOB.explain(
                engine(numbers_objects=False), JOB.inputs([folder]), methods=(), label="gren"
            )
        )


def test_a_mask_of_another_size_than_its_picture_is_named(tmp_path: Path) -> None:
    folder = write_masks(tmp_path / "source", numbers_objects=False)
    Image.fromarray(np.zeros((5, 7), np.uint8)).save(folder / "masks" / "2.png")
    made = engine(numbers_objects=False)

    with pytest.raises(DataError, match=r"2.png.*mask is 7 x 5 pixels, and the picture 24 x 16"):
        JOB.judge(made, loader(folder, made))
