"""Generation through the verbs: predicting says how strange a picture is, explaining is refused."""

from pathlib import Path

import pytest
from PIL import Image

import saccade
from saccade.errors import UsageError
from saccade.jobs.generate.job import GenerateJob
from saccade.jobs.job import Job
from saccade.serving.load import load_engine
from tests import tiny, tiny_flow


def test_it_is_a_job() -> None:
    assert isinstance(GenerateJob(), Job)


def test_pictures_without_classes_are_a_source_too(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")

    assert GenerateJob().open(tmp_path).class_names is None


def test_each_input_has_a_row_in_order_and_a_drawing(tmp_path: Path) -> None:
    source = tiny.draw_folder(tmp_path / "pictures", count=1)
    (source / "apple" / "broken.png").write_bytes(b"no")
    (tmp_path / "drawn").mkdir()
    job, engine = GenerateJob(), load_engine(tiny_flow.generator().run, device="cpu")

    rows = list(job.rows(engine, job.inputs([source]), drawn=tmp_path / "drawn"))

    assert [Path(row["path"]).name for row in rows] == [
        "000.png",
        "broken.png",
        "000.png",
        "000.png",
    ]
    assert [row["error"] is None for row in rows] == [True, False, True, True]
    assert all(set(row) == set(job.schema.names) for row in rows)
    assert all(row["flow_loss"] > 0 for row in rows if row["error"] is None)
    assert len(list((tmp_path / "drawn").iterdir())) == 3


def test_there_is_nothing_to_explain() -> None:
    with pytest.raises(UsageError, match="saccade generate"):
        saccade.explain(
            tiny_flow.generator().run,
            tiny_flow.generator().source,
            tiny_flow.generator().run / "explained",
            device="cpu",
            is_quiet=True,
        )


def test_evaluating_on_its_own_source_takes_the_test_part() -> None:
    world = tiny_flow.generator()

    found = saccade.evaluate(world.run, world.source, device="cpu", is_quiet=True)

    assert found.split == "test"
    assert found.n == world.result.n
    assert found.metrics["flow_loss"] == pytest.approx(world.result.metrics["flow_loss"], rel=1e-3)
