"""An engine answers batches and prepares pictures as the model wants them, for any job."""

from pathlib import Path

import numpy as np
import pytest
import torch

from saccade.data.batch import Batch
from saccade.data.sources import open_pictures
from saccade.errors import UsageError
from saccade.run.weights import load_weights
from saccade.serving.engine import BATCH_SIZE, Engine
from saccade.serving.load import load_engine
from saccade.tasks.classify import Classify
from tests import boxed, tiny, trusted
from tests.tiny import World


@pytest.fixture
def engine(world: World) -> Engine:
    return load_engine(world.run, device="cpu")


def test_an_engine_is_the_runs_task_ready_to_be_asked(engine: Engine, world: World):
    assert isinstance(engine.task, Classify)
    assert not engine.task.training
    assert engine.class_names == tiny.CLASSES
    assert engine.job == "classify"
    again = engine.task.state_dict()
    load_weights(world.run / "weights.safetensors", engine.task)
    assert tiny.same_bits(again, engine.task.state_dict())


def test_an_answer_is_what_the_task_predicts(engine: Engine):
    images = torch.randint(256, (3, 3, 16, 16), dtype=torch.uint8)
    batch = Batch(images=images, targets=None, ids=torch.arange(3))
    found = engine.answer(batch)
    assert found.is_inference()
    with torch.inference_mode(), torch.autocast("cpu", enabled=engine.precision == "bf16"):
        torch.testing.assert_close(found, engine.task.predict(batch))


def test_a_loader_fits_pictures_and_says_their_size_when_asked(engine: Engine, world: World):
    samples = open_pictures([world.source])
    sizes = [batch.sizes for batch in engine.loader(samples).batches()]
    assert all(size is None for size in sizes)
    batches = list(engine.loader(samples, keeps_sizes=True).batches())
    assert max(map(len, batches)) <= BATCH_SIZE
    assert batches[0].sizes is not None
    assert batches[0].images.shape[1:] == (3, 16, 16)
    assert np.unique(batches[0].sizes.numpy()).tolist() == [16]


def test_answers_stand_in_order_with_a_reason_where_there_is_none(engine: Engine, tmp_path: Path):
    tiny.draw_folder(tmp_path / "good", count=20)
    good = sorted((tmp_path / "good").rglob("*.png"))
    paths = [tmp_path / f"bad{k}.png" for k in range(3)]
    for path in paths:
        path.write_bytes(b"")
    given = [paths[0], *good[:35], paths[1], *good[35:40], paths[2]]  # batches are of 32
    found = engine.in_order(
        open_pictures(given),
        lambda batch: [int(i) for i in batch.ids],
        unreadable=lambda name, reason: f"{Path(name).name}: {reason}",
    )
    numbers: list[object] = list(range(len(given)))
    for k, name in ((0, "bad0"), (36, "bad1"), (42, "bad2")):
        numbers[k] = f"{name}.png: the file is empty"
    assert list(found) == numbers


def test_only_what_names_classes_can_refuse_or_look_again(tmp_path: Path):
    boxes = load_engine(boxed.world().run, device="cpu")
    with pytest.raises(UsageError, match=r"--views is 2.*trained to detect"):
        boxes.seeing(2)
    with pytest.raises(UsageError, match=r"--reject is 0.05.*trained to detect"):
        boxes.refusing(0.05)


def test_the_last_weights_have_no_temperature_for_it_was_found_for_the_best():
    run = trusted.world().run
    best, last = (load_engine(run, device="cpu", weights=which) for which in ("best", "last"))
    assert best.temperature == trusted.world().trust.temperature != 1
    assert (last.temperature, last.known) == (1.0, None)
    assert best.known is not None
