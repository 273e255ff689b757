"""Overlays: one per picture and method, in a folder of their own."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import saccade
from saccade.errors import DataError, UsageError
from saccade.verbs.explain import ExplainResult
from tests import tiny
from tests.tiny import World


def explain(world: World, out: Path, inputs: Path | None = None, **options: Any) -> ExplainResult:
    each = [world.source / name / "000.png" for name in tiny.CLASSES]
    return saccade.explain(world.run, inputs or each, out, device="cpu", is_quiet=True, **options)


def test_an_overlay_for_each_picture_and_method(world: World, tmp_path: Path):
    found = explain(world, tmp_path / "out")
    assert [Path(entry["path"]).parent.name for entry in found.pictures] == list(tiny.CLASSES)
    files = [name for entry in found.pictures for name in entry["overlays"].values()]
    assert len(set(files)) == 6
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(files)
    for name in files:
        with Image.open(tmp_path / "out" / name) as image:
            assert image.mode == "RGB"
            assert image.size == (224, 224)
    for entry in found.pictures:
        assert entry["explained"] == entry["label"]
        assert 0 < entry["probability"] <= 1


def test_pictures_of_one_name_do_not_overwrite_each_other(world: World, tmp_path: Path):
    found = explain(world, tmp_path / "out", methods=["rollout"])
    assert len({entry["overlays"]["rollout"] for entry in found.pictures}) == 3


def test_method_and_class_can_be_chosen(world: World, tmp_path: Path):
    found = explain(world, tmp_path / "out", methods=["gradcam"], label="sky")
    for entry in found.pictures:
        assert entry["explained"] == "sky"
        assert list(entry["overlays"]) == ["gradcam"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"label": "skye"}, "no class 'skye'; did you mean 'sky'"),
        ({"methods": ["legard"]}, "no method is called 'legard'; did you mean 'legrad'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_and_nothing_is_made(
    world: World, tmp_path: Path, options: dict[str, Any], says: str
):
    with pytest.raises(UsageError, match=says):
        explain(world, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_refused_and_untouched(world: World, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        explain(world, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_pictures_that_cannot_be_read_are_left_out_and_said(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copy(world.source / "sky" / "000.png", tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"broken")
    saccade.explain(world.run, [tmp_path / "bad.png", tmp_path / "good.png"], tmp_path / "out")
    said = capsys.readouterr().err
    assert "bad.png" in said
    assert len(list((tmp_path / "out").glob("*good-*.png"))) == 2


def test_when_none_can_be_read_that_is_bad_data(world: World, tmp_path: Path):
    (tmp_path / "bad.png").write_bytes(b"broken")
    with pytest.raises(DataError, match="the picture cannot be read; `saccade predict` says why"):
        explain(world, tmp_path / "out", tmp_path / "bad.png")
    assert not (tmp_path / "out").exists()


def test_a_model_without_attention_explains_with_grad_cam_and_refuses_the_rest(
    world: World, tmp_path: Path
):
    saccade.train(
        world.source,
        tmp_path / "run",
        model="cnn-pico4",
        steps=2,
        settings=tiny.SETTINGS,
        device="cpu",
        is_quiet=True,
    )
    cnn = world._replace(run=tmp_path / "run")
    picture = world.source / "apple" / "000.png"
    (entry,) = explain(cnn, tmp_path / "out", picture).pictures
    assert list(entry["overlays"]) == ["gradcam"]
    with pytest.raises(UsageError, match="attention"):
        explain(cnn, tmp_path / "other", picture, methods=["legrad"])
    assert not (tmp_path / "other").exists()
