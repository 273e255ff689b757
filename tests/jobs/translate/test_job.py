"""Translation through the verbs: rows and drawings for pictures, nothing to explain."""

from pathlib import Path

import pytest
from PIL import Image

import saccade
from saccade.errors import DataError, UsageError
from saccade.jobs.job import Job
from saccade.jobs.translate.job import TranslateJob
from saccade.serving.load import load_engine
from tests import tiny_flow


def test_it_is_a_job() -> None:
    assert isinstance(TranslateJob(), Job)


def test_each_input_has_a_row_in_order_and_a_drawing(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    Image.new("RGB", (20, 30), "red").save(paths[0])
    paths[1].write_bytes(b"no")
    Image.new("RGB", (16, 16), "blue").save(paths[2])
    (tmp_path / "drawn").mkdir()
    job, engine = TranslateJob(), load_engine(tiny_flow.colouriser().run, device="cpu")

    rows = list(job.rows(engine, job.inputs(paths), drawn=tmp_path / "drawn"))

    assert [Path(row["path"]).name for row in rows] == ["a.png", "b.png", "c.png"]
    assert [(row["height"], row["width"]) for row in rows] == [(30, 20), (None, None), (16, 16)]
    assert rows[1]["error"]
    assert all(set(row) == set(job.schema.names) for row in rows)
    drawn = sorted((tmp_path / "drawn").iterdir())
    assert len(drawn) == 2
    with Image.open(drawn[0]) as image:
        assert image.size == (60, 30)


def test_there_is_nothing_to_explain() -> None:
    world = tiny_flow.translator()

    with pytest.raises(UsageError, match="saccade translate"):
        saccade.explain(
            world.run, world.source / "input", world.run / "explained", device="cpu", is_quiet=True
        )


def test_pictures_without_partners_stop_the_training_before_it_begins(tmp_path: Path) -> None:
    source = tiny_flow.draw_pairs(tmp_path / "pairs", count=4)
    (source / "input" / "002.png").unlink()

    with pytest.raises(DataError, match=r"only in target: target/002\.png"):
        saccade.train(source, tmp_path / "run", job="translate", steps=1, is_quiet=True)
    assert not (tmp_path / "run").exists()


def test_evaluating_on_its_own_source_takes_the_test_part() -> None:
    world = tiny_flow.translator()

    found = saccade.evaluate(world.run, world.source, device="cpu", is_quiet=True)

    assert (found.split, found.n) == ("test", world.result.n)
    assert found.metrics["psnr"] == pytest.approx(world.result.metrics["psnr"], rel=1e-3)
