"""The embed job answers with vectors in input order, and explains what brings a picture near."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from saccade.data.sources import open_pictures
from saccade.errors import DataError, UsageError
from saccade.jobs.embed.job import EmbedJob
from saccade.jobs.find import find_job
from saccade.jobs.job import Job
from saccade.serving.embed import Embedder
from saccade.serving.engine import Engine
from saccade.tasks.embed import Embed
from tests import tiny

JOB = EmbedJob()


@pytest.fixture
def inputs(pictures: Path) -> list[Path]:
    """A broken picture between, before and after good ones."""
    broken = pictures / "broken.png"
    broken.write_bytes(b"no picture")
    return [broken, pictures / "sky" / "000.png", broken, pictures / "leaf" / "001.png", broken]


def test_it_is_a_job_that_is_found_by_its_name() -> None:
    assert isinstance(JOB, Job)
    assert isinstance(find_job("embed"), EmbedJob)


def test_rows_keep_the_order_and_say_what_could_not_be_read(
    engine: Engine[Embed], inputs: list[Path]
) -> None:
    rows = list(JOB.rows(engine, open_pictures(inputs), drawn=None))

    assert [row["path"] for row in rows] == [path.as_posix() for path in inputs]
    assert [row["error"] is None for row in rows] == [False, True, False, True, False]
    vectors = Embedder(engine).embed([inputs[1], inputs[3]]).vectors
    directions = engine.task.head.class_directions().detach().numpy()
    for row, vector in zip((rows[1], rows[3]), vectors, strict=True):
        np.testing.assert_allclose(row["vector"], vector, atol=1e-6)
        cosines = directions @ vector
        assert row["nearest_class"] == tiny.CLASSES[cosines.argmax()]
        assert row["class_similarity"] == pytest.approx(cosines.max(), abs=1e-5)
    pa.Table.from_pylist(rows, schema=JOB.schema)


def test_drawings_show_the_readable_pictures(
    engine: Engine[Embed], inputs: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "drawn").mkdir()

    list(JOB.rows(engine, open_pictures(inputs), drawn=tmp_path / "drawn"))

    names = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert names == ["00001-000.png", "00003-001.png"]
    with Image.open(tmp_path / "drawn" / names[0]) as picture:
        assert picture.height > 16


def test_explanations_are_of_the_nearest_class_unless_another_is_asked_for(
    engine: Engine[Embed], inputs: list[Path]
) -> None:
    samples = open_pictures([inputs[1]])

    (free,) = JOB.explain(engine, samples, methods=["legrad"], label=None)
    (asked,) = JOB.explain(engine, samples, methods=["legrad"], label="leaf")

    assert free.asked == free.answer.label
    assert asked.asked == "leaf"
    assert asked.answer == free.answer
    assert free.heats["legrad"].shape == (4, 4)
    with pytest.raises(UsageError, match="no class 'leav'"):
        next(JOB.explain(engine, samples, methods=["legrad"], label="leav"))


def test_only_labelled_pictures_can_be_learned_from(pictures: Path) -> None:
    assert JOB.open(pictures).class_names == tiny.CLASSES
    with pytest.raises(DataError, match="without labels"):
        JOB.open(pictures / "sky")
