"""A detector answers in the pictures' own pixels, in order, and says what it could not read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import saccade
from saccade.data.batch import Batch
from saccade.serving.detect import Detector
from tests import boxed


@pytest.fixture(scope="module")
def detector() -> Detector:
    made = saccade.load(boxed.world().run, device="cpu")
    assert isinstance(made, Detector)
    return made


def test_a_square_is_found_where_it_was_drawn(detector: Detector, tmp_path: Path) -> None:
    image = np.full((64, 96, 3), 30, dtype=np.uint8)
    image[20:44, 60:84, 2] = 250
    Image.fromarray(image).save(tmp_path / "square.png")

    (found,) = detector.predict(tmp_path / "square.png", min_score=0.0)

    assert (found.height, found.width) == (64, 96)
    assert found.labels[0] == "blue"
    np.testing.assert_allclose(found.boxes_xyxy[0], [60, 20, 84, 44], atol=12)
    assert found.error is None


def test_what_scores_less_than_asked_is_left_out(detector: Detector) -> None:
    path = boxed.world().source / "images" / "001.png"

    (every,) = detector.predict(path, min_score=0.0)
    (some,) = detector.predict(path, min_score=float(every.scores[3]))

    assert len(every.scores) > 10
    assert len(some.scores) == 4
    assert np.array_equal(some.boxes_xyxy, every.boxes_xyxy[:4])
    assert some.labels == every.labels[:4]


def test_when_nobody_asks_the_score_is_the_one_that_validation_chose(detector: Detector) -> None:
    path = boxed.world().source / "images" / "001.png"
    (every,) = detector.predict(path, min_score=0.0)
    chosen = replace(detector.engine, smallest_score=float(every.scores[2]))

    (some,) = Detector(chosen).predict(path)

    assert some.scores.tolist() == every.scores[:3].tolist()


def test_answers_stand_in_the_order_of_the_inputs_with_reasons_for_the_missing(
    detector: Detector, tmp_path: Path
) -> None:
    good = boxed.world().source / "images" / "002.png"
    for name in ("a.png", "z.png"):
        (tmp_path / name).write_bytes(b"no picture")

    answers = detector.predict([tmp_path / "a.png", good, tmp_path / "z.png"])

    assert [Path(answer.path).name for answer in answers] == ["a.png", "002.png", "z.png"]
    assert [answer.error is None for answer in answers] == [False, True, False]
    assert answers[0].boxes_xyxy.shape == (0, 4)
    assert answers[0].height is None


def test_boxes_of_a_padded_input_come_back_without_its_bars(detector: Detector) -> None:
    """A square picture in the middle of an input that is wider: the bars are cut off."""
    padded = Detector(
        replace(detector.engine, preprocess=replace(detector.engine.preprocess, fit="pad"))
    )
    images = torch.randint(0, 256, (1, 3, 24, 32), dtype=torch.uint8)
    batch = Batch(images=images, targets=None, ids=torch.arange(1), sizes=torch.tensor([[48, 48]]))

    (found,) = padded.objects(batch)
    raw = detector.engine.answer(batch)

    bars = (raw.boxes_xyxy[0, :, 2] <= 4) | (raw.boxes_xyxy[0, :, 0] >= 28)
    assert len(found.scores) == (~bars).sum()
    assert found.boxes_xyxy.min() >= 0
    assert found.boxes_xyxy.max() <= 48
    inside = raw.boxes_xyxy[0][~bars].numpy()
    expected = (inside - [4, 0, 4, 0]) * 2
    np.testing.assert_allclose(found.boxes_xyxy, expected.clip(0, 48), atol=1e-4)
