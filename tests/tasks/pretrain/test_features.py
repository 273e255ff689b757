"""A backbone learns to see what its teacher sees, and is judged by how near it came."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from saccade.data.batch import Batch
from saccade.data.targets import ToldFeatures
from saccade.tasks.build import build_task
from saccade.tasks.pretrain.features import PretrainFeatures
from tests.contract.worlds import taught


@pytest.fixture
def task() -> PretrainFeatures:
    world = taught.backbone()
    made = build_task(world.config, class_names=(), preprocess=world.preprocess)
    assert isinstance(made, PretrainFeatures)
    return made.eval()


@pytest.fixture
def batch() -> Batch:
    return taught.seen(16, 16)


def perfect(task: PretrainFeatures, batch: Batch) -> Batch:
    """Told exactly what it sees already."""
    assert isinstance(batch.told, ToldFeatures)
    with torch.no_grad():
        vectors = task.head.vectors(task.tokens(batch.images), batch.told)
    return replace(batch, told=ToldFeatures(vectors=F.normalize(vectors, dim=3)))


def test_who_sees_what_its_teacher_sees_has_no_loss(task: PretrainFeatures, batch: Batch) -> None:
    before = task.loss(batch, progress=0.0)["loss"].item()

    assert before > 0.1
    assert task.loss(perfect(task, batch), progress=0.0)["loss"].item() == pytest.approx(
        0, abs=1e-5
    )


def test_the_figure_is_the_loss_over_all_pictures(task: PretrainFeatures, batch: Batch) -> None:
    measure = task.metrics()
    for part in batch.parts(3):  # of 3, 3 and 2 pictures
        measure.update(part)

    expected = task.loss(batch, progress=0.0)["loss"].item()
    assert measure.figures()["loss"] == pytest.approx(expected, rel=1e-5)
    assert task.best_figure in measure.figures()


def test_the_map_plays_no_part_in_an_answer(task: PretrainFeatures, batch: Batch) -> None:
    before = task.predict(batch)
    assert task.head.map is not None
    torch.nn.init.normal_(task.head.map.weight)

    assert torch.equal(task.predict(batch), before)
    torch.testing.assert_close(before.norm(dim=1), torch.ones(8))
