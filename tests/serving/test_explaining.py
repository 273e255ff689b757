"""What README.md shows of a loaded model is true for every job that has something to explain."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.data.sources import open_pictures
from saccade.errors import UsageError
from saccade.jobs.find import find_job
from saccade.serving.embed import Embedder
from saccade.serving.load import AnyModel, load, wrap
from saccade.serving.segment import Segmenter
from tests import boxed, moving, pretrained, tiny
from tests.jobs.segment.worlds import engine, write_masks
from tests.serving.search.conftest import make_engine

Given = tuple[AnyModel, Path]
"""A loaded model, and one of its inputs."""


def classes(_: Path) -> Given:
    world = tiny.world()
    return load(world.run, device="cpu"), sorted(world.source.rglob("*.png"))[0]


def boxes(_: Path) -> Given:
    world = boxed.world()
    return load(world.run, device="cpu"), sorted(world.source.rglob("*.png"))[0]


def class_maps(folder: Path) -> Given:
    source = write_masks(folder / "source", numbers_objects=False)
    return wrap(engine(numbers_objects=False)), source / "images" / "0.png"


def objects(folder: Path) -> Given:
    source = write_masks(folder / "source", numbers_objects=True)
    return wrap(engine(numbers_objects=True)), source / "images" / "0.png"


def clips(_: Path) -> Given:
    world = moving.world()
    return load(world.run, device="cpu"), world.source / "left" / "00"


def near_classes(_: Path) -> Given:
    return wrap(make_engine()), sorted(tiny.world().source.rglob("*.png"))[0]


def vectors(_: Path) -> Given:
    run = pretrained.pretrained("visreg").run
    return load(run, device="cpu"), sorted(pretrained.source().rglob("*.png"))[0]


@pytest.mark.parametrize(
    "given", [classes, boxes, class_maps, objects, clips, near_classes, vectors]
)
def test_the_loaded_models_of_all_these_jobs_explain_alike(
    given: Callable[[Path], Given], tmp_path: Path
) -> None:
    model, path = given(tmp_path)

    (looked,) = model.explain(path)  # pyrefly: ignore[missing-attribute]
    (of_list,) = model.explain([str(path)])  # pyrefly: ignore[missing-attribute]

    assert looked.heats
    assert all(heat.max() <= 1 and heat.min() >= 0 for heat in looked.heats.values())
    assert of_list.asked == looked.asked
    with pytest.raises(UsageError):
        next(model.explain(path, label="no such class"))  # pyrefly: ignore[missing-attribute]


def test_the_verb_and_the_loaded_model_say_the_same(tmp_path: Path) -> None:
    source = write_masks(tmp_path / "source", numbers_objects=False) / "images"
    made = engine(numbers_objects=False)
    samples = open_pictures([source])

    by_model = Segmenter(made).explain(source, label="green")
    by_verb = find_job("segment").explain(made, samples, methods=(), label="green")

    for one, other in zip(by_model, by_verb, strict=True):
        assert (one.path, one.answer, one.asked) == (other.path, other.answer, other.asked)
        assert all((one.heats[method] == other.heats[method]).all() for method in one.heats)


def test_a_broken_picture_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    good = sorted(tiny.world().source.rglob("*.png"))[0]

    found = list(Embedder(make_engine()).explain([tmp_path / "bad.png", good]))

    assert [each.path for each in found] == [good.as_posix()]
