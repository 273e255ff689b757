"""A segmenter answers in the picture's own pixels, in order, and says what it could not read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.placement import place
from saccade.run.device import place as place_task
from saccade.serving.engine import Engine
from saccade.serving.segment import Segmented, Segmenter, mask_probs
from saccade.tasks.build import build_task
from saccade.tasks.segment.classes import ClassMaps
from saccade.tasks.segment.masks import Masks
from tests.contract.worlds import segment
from tests.contract.worlds.world import World


def segmenter(world: World, *, fit: str = "pad") -> Segmenter:
    given = world.preprocess
    preprocess = Preprocess(
        height=given.height,
        width=given.width,
        channels=3,
        fit="crop" if fit == "crop" else "pad",
        mean=given.mean,
        std=given.std,
    )
    device = torch.device("cpu")
    task = build_task(world.config, class_names=world.class_names, preprocess=preprocess)
    return Segmenter(
        Engine(
            task=place_task(task, device).eval(),
            job="segment",
            preprocess=preprocess,
            precision="fp32",
            num_threads=1,
            device=device,
        )
    )


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three of other sizes than the model's, the second broken."""
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    rng = np.random.default_rng(0)
    for path, size in zip(paths, [(20, 30), (8, 8), (40, 12)], strict=True):
        Image.fromarray(rng.integers(0, 256, (*size, 3)).astype(np.uint8)).save(path)
    paths[1].write_bytes(b"no picture")
    return paths


@pytest.mark.parametrize("world", [segment.world, segment.mask_world], ids=["classes", "objects"])
def test_each_picture_has_an_answer_in_its_own_size_or_a_reason(world, pictures) -> None:
    answers = segmenter(world()).predict(pictures)

    assert [Path(answer.path).name for answer in answers] == ["a.png", "b.png", "c.png"]
    assert [None if each.map is None else each.map.shape for each in answers] == [
        (20, 30),
        None,
        (40, 12),
    ]
    assert answers[1].error
    assert answers[1].regions == ()
    assert answers[0].error is None


def test_classes_are_read_where_the_picture_lies() -> None:
    """The left half of the input says red, the right half blue; the picture has bars above."""
    made = segmenter(segment.world())
    probs = torch.zeros(1, 4, 16, 16)
    probs[0, 1, :, :8] = 0.8
    probs[0, 3, :, 8:] = 0.6
    probs[0, 0, :4] = 1.0  # in the bar

    found = made.read(ClassMaps(probs=probs), 0, place(16, 32, made.engine.preprocess), name="x")

    assert found.map is not None
    assert (found.map[:, :16] == 1).all()
    assert (found.map[:, 16:] == 3).all()
    red, blue = found.regions
    assert (red.label, red.number, red.area, red.box_xyxy) == ("red", 1, 256, (0, 0, 16, 16))
    assert (blue.label, blue.number, blue.area, blue.box_xyxy) == ("blue", 3, 256, (16, 0, 32, 16))
    assert red.score == pytest.approx(0.8, abs=0.03)  # a little less at the border


def objects(scores: list[float]) -> Masks:
    """Two masks: the left and the right half of the input."""
    logits = torch.full((1, 2, 16, 16), -9.0)
    logits[0, 0, :, :8] = 9.0
    logits[0, 1, :, 8:] = 9.0
    return Masks(
        scores=torch.tensor([scores]),
        labels=torch.tensor([[2, 0]]),
        mask_logits=logits,
        cell_size=1,
        height=16,
        width=16,
    )


def test_objects_have_a_class_a_score_a_box_and_an_area() -> None:
    made = segmenter(segment.mask_world())

    found = made.read(objects([0.9, 0.6]), 0, place(8, 8, made.engine.preprocess), name="x")

    assert found.map is not None
    assert found.map.tolist() == [[1] * 4 + [2] * 4] * 8
    first, second = found.regions
    assert (first.label, first.number, first.area) == ("blue", 1, 32)
    assert first.score == pytest.approx(0.9)
    assert first.box_xyxy == (0, 0, 4, 8)
    assert (second.label, second.box_xyxy) == ("red", (4, 0, 8, 8))


def test_objects_of_a_low_score_are_not_shown() -> None:
    made = segmenter(segment.mask_world())

    found = made.read(objects([0.9, 0.4]), 0, place(8, 8, made.engine.preprocess), name="x")

    assert [region.label for region in found.regions] == ["blue"]
    assert mask_probs(objects([0.9, 0.4]), 0, place(8, 8, made.engine.preprocess), count=2).shape


@pytest.mark.parametrize("kind", ["classes", "objects"])
def test_what_a_crop_left_out_is_unknown(kind: str) -> None:
    if kind == "classes":
        made, unknown = segmenter(segment.world(), fit="crop"), 255
        found = made.read(
            ClassMaps(probs=torch.full((1, 4, 16, 16), 0.25)),
            0,
            place(16, 32, made.engine.preprocess),
            name="x",
        )
    else:
        made, unknown = segmenter(segment.mask_world(), fit="crop"), -1
        found = made.read(objects([0.9, 0.9]), 0, place(16, 32, made.engine.preprocess), name="x")

    assert found.map is not None
    assert (found.map[:, :8] == unknown).all()
    assert (found.map[:, 24:] == unknown).all()
    assert (found.map[:, 8:24] != unknown).all()
    assert sum(region.area for region in found.regions) == 16 * 16


def test_names_are_those_of_what_is_answered() -> None:
    assert segmenter(segment.world()).class_names == ("background", "red", "green", "blue")
    assert segmenter(segment.mask_world()).class_names == ("red", "green", "blue")
    assert Segmented("x", None, (), "why").error == "why"
