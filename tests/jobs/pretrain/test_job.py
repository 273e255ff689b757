"""Pretraining takes any pictures, answers with vectors, and explains them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import UsageError
from saccade.jobs.find import find_job
from saccade.jobs.pretrain.job import PretrainJob
from saccade.serving.load import load_engine
from tests import tiny
from tests.pretrained import pretrained, source

JOB = PretrainJob()


@pytest.fixture(scope="module")
def engine():
    return load_engine(pretrained("visreg").run, device="cpu")


def test_it_is_found_by_its_name() -> None:
    assert find_job("pretrain").name == "pretrain"


def test_classes_are_kept_for_judging_but_not_as_something_to_learn() -> None:
    opened = JOB.open(source())

    assert opened.class_names is None
    assert opened.splits["all"].labels is not None


def test_a_flat_folder_will_do(tmp_path: Path) -> None:
    for number in range(3):
        tiny.draw(np.random.default_rng(number), number).save(tmp_path / f"{number}.png")

    opened = JOB.open(tmp_path)

    assert len(opened.splits["all"]) == 3
    assert opened.splits["all"].labels is None


def test_masks_beside_pictures_are_no_pictures(tmp_path: Path) -> None:
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        for number in range(4):
            image = Image.new("RGB" if folder == "images" else "L", (16, 16))
            image.save(tmp_path / folder / f"{number}.png")
    (tmp_path / "classes.txt").write_text("ground\nthing\n")

    samples = list(JOB.open(tmp_path).splits.values())

    assert sum(map(len, samples)) == 4
    assert all(part.annotations is None for part in samples)


def test_the_recipe_is_that_of_the_method() -> None:
    assert JOB.recipe({}).default_model == "vit"
    with pytest.raises(UsageError, match="did you mean 'dino'"):
        JOB.recipe({"task.method": "dinno"})


def test_rows_are_vectors_in_input_order_with_the_reason_where_there_is_none(
    engine, tmp_path: Path
) -> None:
    tiny.draw(np.random.default_rng(0), 0).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    tiny.draw(np.random.default_rng(1), 1).save(tmp_path / "c.png")
    (tmp_path / "d.png").write_bytes(b"no picture")

    rows = list(JOB.rows(engine, JOB.inputs([tmp_path]), drawn=None))

    assert [Path(row["path"]).name for row in rows] == ["a.png", "b.png", "c.png", "d.png"]
    assert [row["vector"] is None for row in rows] == [False, True, False, True]
    assert [row["error"] is None for row in rows] == [True, False, True, False]
    assert set(rows[0]) == set(JOB.schema.names)
    assert np.linalg.norm(rows[0]["vector"]) == pytest.approx(1, abs=1e-4)


def test_vectors_cannot_be_drawn(engine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="vectors, which cannot be drawn"):
        JOB.rows(engine, JOB.inputs([source()]), drawn=tmp_path)


def test_a_drawing_that_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    run, drawn = pretrained("visreg").run, tmp_path / "drawn"

    with pytest.raises(UsageError, match="leave --draw out"):
        saccade.predict(run, source(), tmp_path / "t.csv", draw=drawn, device="cpu", is_quiet=True)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("method", ["visreg", "dino", "mae"])
def test_a_vector_is_explained(method: str) -> None:
    engine = load_engine(pretrained(method).run, device="cpu")
    picture = sorted(source().rglob("*.png"))[0]

    (found,) = JOB.explain(engine, JOB.inputs([picture]), methods=(), label=None)

    assert set(found.heats) == {"legrad", "rollout"}
    for heat in found.heats.values():
        assert heat.shape == (4, 4)
        assert heat.max() == pytest.approx(1)
        assert heat.min() == pytest.approx(0)
    assert found.answer.label is None


def test_there_is_no_class_to_explain(engine) -> None:
    with pytest.raises(UsageError, match="knows no classes"):
        list(JOB.explain(engine, JOB.inputs([source()]), methods=(), label="apple"))
