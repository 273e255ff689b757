"""An explanation says what was asked and what was answered, and shows where the model looked."""

import pytest
import torch

from saccade.attribution.methods import heat
from saccade.data.batch import Batch
from saccade.errors import UsageError
from saccade.serving.engine import Engine
from saccade.serving.explanation import Answer, class_asked, explain_batch
from saccade.serving.load import load_engine
from tests.tiny import World


@pytest.fixture
def engine(world: World) -> Engine:
    return load_engine(world.run, device="cpu")


def test_each_picture_is_explained_for_what_was_asked_of_it(engine: Engine):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (3, 3, 16, 16), dtype=torch.uint8, generator=generator)
    batch = Batch(images=images, targets=None, ids=torch.arange(3))
    asked, answers = torch.tensor([2, 0, 1]), [Answer("leaf", 0.5 + k / 10) for k in range(3)]
    found = list(
        explain_batch(
            engine, batch, ["a", "b", "c"], methods=["legrad"], asked=asked, answers=answers
        )
    )
    expected = heat(engine.task, images, asked, method="legrad").numpy()
    for k, each in enumerate(found):
        assert each.path == "abc"[k]
        assert each.asked == engine.class_names[int(asked[k])]
        assert each.answer == answers[k]
        assert (each.image == images[k].numpy()).all()
        assert (each.heats["legrad"] == expected[k]).all()


def test_without_methods_those_that_suit_the_model_are_used(engine: Engine):
    batch = Batch(
        images=torch.zeros(1, 3, 16, 16, dtype=torch.uint8), targets=None, ids=torch.arange(1)
    )
    (found,) = explain_batch(
        engine,
        batch,
        ["a"],
        methods=(),
        asked=torch.tensor([0]),
        answers=[Answer(None, None)],
    )
    assert list(found.heats) == ["legrad", "rollout"]


def test_a_class_is_asked_for_by_name(engine: Engine):
    assert class_asked(engine, None) is None
    assert class_asked(engine, "sky") == 2
    with pytest.raises(UsageError, match=r"knows no class 'sly'.*sky"):
        class_asked(engine, "sly")
