"""A model answers: one prediction per picture, in order, whatever state it is in."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from saccade.data.sources import open_pictures
from saccade.errors import DataError, UsageError
from saccade.serving.engine import BATCH_SIZE
from saccade.serving.load import load
from saccade.serving.model import Model
from saccade.tasks.classify import Classify
from tests import tiny
from tests.tiny import World


@pytest.fixture(scope="module")
def model(world: World) -> Model:
    return load(world.run, job="classify", device="cpu")


def test_a_string_a_path_a_list_and_a_folder_are_all_inputs(model: Model, world: World):
    path = world.source / "apple" / "000.png"
    (one,) = model.predict(str(path))
    assert model.predict(path)[0].label == one.label
    assert [p.path for p in model.predict([path, str(path)])] == [str(path)] * 2
    folder = model.predict(world.source / "apple")
    assert len(folder) == 24
    assert folder[0].path == str(path)


def test_it_has_learned_the_colours(model: Model, world: World):
    for name in tiny.CLASSES:
        labels = [p.label for p in model.predict(world.source / name)]
        assert labels.count(name) / len(labels) > 0.8


def test_probabilities_are_a_distribution_over_the_class_names(model: Model, world: World):
    for prediction in model.predict(world.source / "leaf"):
        assert prediction.probs is not None
        assert prediction.probs.shape == (len(model.class_names),)
        assert prediction.probs.sum() == pytest.approx(1, abs=1e-5)
        assert prediction.probability == prediction.probs.max()
        assert prediction.label == model.class_names[prediction.probs.argmax()]
        assert prediction.error is None


def test_a_picture_gets_the_same_answer_alone_and_among_others(model: Model, world: World):
    paths = sorted(world.source.rglob("*.png"))
    assert len(paths) > 2 * BATCH_SIZE
    together = model.predict(paths)
    assert [p.path for p in together] == [str(path) for path in paths]
    for position in (0, BATCH_SIZE - 1, BATCH_SIZE, len(paths) - 1):
        (alone,) = model.predict(paths[position])
        expected = together[position].probs
        assert alone.probs is not None
        assert expected is not None
        np.testing.assert_allclose(alone.probs, expected, atol=1e-5)


def mixed(folder: Path, good: Path, pattern: str) -> list[Path]:
    """Pictures that are good (``g``) or broken (``b``), in this order."""
    folder.mkdir()
    paths = [folder / f"{k:03d}.png" for k in range(len(pattern))]
    for path, letter in zip(paths, pattern, strict=True):
        shutil.copy(good, path)
        if letter == "b":
            path.write_bytes(path.read_bytes()[:40])
    return paths


@pytest.mark.parametrize(
    "pattern",
    ["gbg", "bgg", "ggb", "b", "bbb", "g", "b" * 40 + "g", "g" * 32 + "b" + "g" * 31, "gb" * 40],
)
def test_errors_stand_in_their_place_between_the_answers(
    model: Model, world: World, tmp_path: Path, pattern: str
):
    paths = mixed(tmp_path / "mixed", world.source / "apple" / "000.png", pattern)
    found = model.predict(paths)
    assert [p.path for p in found] == [str(path) for path in paths]
    for prediction, letter in zip(found, pattern, strict=True):
        is_good = letter == "g"
        assert (prediction.error is None) == is_good
        assert (prediction.label is not None) == is_good
        assert (prediction.probs is not None) == is_good
        assert (prediction.probability is not None) == is_good


def test_a_broken_picture_given_twice_is_an_error_twice(model: Model, world: World, tmp_path: Path):
    good, bad = mixed(tmp_path / "mixed", world.source / "apple" / "000.png", "gb")
    found = model.predict([bad, good, bad])
    assert [p.error is None for p in found] == [False, True, False]
    assert found[0].error == found[2].error
    assert found[0].error


def test_predictions_stream(model: Model, world: World, monkeypatch: pytest.MonkeyPatch):
    samples = open_pictures(sorted(world.source.rglob("*.png")))
    asked = []
    real = Classify.forward
    monkeypatch.setattr(Classify, "forward", lambda self, x: asked.append(1) or real(self, x))
    stream = model.stream(samples)
    next(stream)
    assert len(asked) == 1
    assert len(list(stream)) == len(samples) - 1
    assert len(asked) == -(-len(samples) // BATCH_SIZE)


def test_inputs_that_are_not_there_are_refused(model: Model, world: World, tmp_path: Path):
    with pytest.raises(UsageError, match=r"000\.pgn does not exist; did you mean .*000\.png"):
        model.predict(world.source / "apple" / "000.pgn")
    with pytest.raises(UsageError, match="no pictures given"):
        model.predict([])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures found"):
        model.predict(tmp_path / "empty")


def test_a_picture_of_another_size_mode_or_format_is_answered(model: Model, tmp_path: Path):
    picture = tiny.draw(np.random.default_rng(3), 0, side=50)
    picture.convert("L").save(tmp_path / "grey.png")
    picture.convert("RGBA").save(tmp_path / "alpha.png")
    picture.convert("P").save(tmp_path / "palette.gif")
    picture.resize((200, 31)).save(tmp_path / "wide.jpg", quality=95)
    found = model.predict(tmp_path)
    assert len(found) == 4
    assert all(p.error is None for p in found)
    assert {Path(p.path).name: p.label for p in found}["wide.jpg"] == "apple"


def test_explanations_have_a_heat_for_each_method_on_the_patch_grid(model: Model, world: World):
    paths = [world.source / name / "000.png" for name in tiny.CLASSES]
    found = list(model.explain(paths))
    assert [e.path for e in found] == [str(path) for path in paths]
    for explanation in found:
        assert set(explanation.heats) == {"legrad", "rollout"}
        assert explanation.image.shape == (3, 16, 16)
        assert explanation.asked == explanation.answer.label
        for heat in explanation.heats.values():
            assert heat.shape == (4, 4)
            assert 0 <= heat.min() <= heat.max() <= 1


def test_the_class_asked_for_is_the_class_explained(model: Model, world: World):
    path = world.source / "apple" / "000.png"
    heats = {}
    for name in ("leaf", "sky"):
        (explanation,) = model.explain(path, methods=["legrad", "rollout"], label=name)
        assert explanation.asked == name
        assert explanation.answer.label == model.predict(path)[0].label
        heats[name] = explanation.heats
    np.testing.assert_array_equal(heats["leaf"]["rollout"], heats["sky"]["rollout"])
    assert not np.array_equal(heats["leaf"]["legrad"], heats["sky"]["legrad"])


def test_explaining_an_unknown_class_offers_the_nearest(model: Model, world: World):
    with pytest.raises(UsageError, match="no class 'aple'; did you mean 'apple'"):
        next(model.explain(world.source, label="aple"))


def test_asking_leaves_the_model_as_it_was(model: Model, world: World):
    before = {name: value.clone() for name, value in model.task.state_dict().items()}
    path = world.source / "sky" / "001.png"
    first = model.predict(path)[0].probs
    list(model.explain(path))
    np.testing.assert_array_equal(model.predict(path)[0].probs, first)
    assert tiny.same_bits(model.task.state_dict(), before)
    assert not model.task.training
