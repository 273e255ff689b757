"""An engine answers batches and prepares pictures as the model wants them, for any job."""

import numpy as np
import pytest
import torch

from saccade.data.batch import Batch
from saccade.data.sources import open_pictures
from saccade.run.weights import load_weights
from saccade.serving.engine import BATCH_SIZE, Engine
from saccade.serving.load import load_engine
from saccade.tasks.classify import Classify
from tests import tiny
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
