"""Metric learning: the loss is its parts, answers are vectors, figures are those of a search."""

from dataclasses import replace

import pytest
import torch

from saccade.config.task import EmbedConfig
from saccade.data.batch import Batch
from saccade.losses.embed import koleo_loss, proxy_loss
from saccade.metrics.retrieval import retrieval
from saccade.tasks.build_embed import build_embedder
from saccade.tasks.embed import Embed
from saccade.tasks.task import Explained, Task
from tests import tiny
from tests.contract.worlds.world import RAG


def made(*, spread_weight: float = 0.1) -> Embed:
    return build_embedder(
        RAG,
        EmbedConfig(out_dim=6, spread_weight=spread_weight),
        class_names=tiny.CLASSES,
        preprocess=tiny.preprocess(),
        seed=0,
    ).eval()


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (7, 3, 16, 16), dtype=torch.uint8, generator=generator)
    return Batch(images=images, targets=torch.tensor([0, 1, 2, 0, 1, 2, 0]), ids=torch.arange(7))


def test_it_is_a_task_that_can_be_explained() -> None:
    assert isinstance(made(), Task)
    assert isinstance(made(), Explained)


def test_the_loss_is_the_proxy_loss_and_a_share_of_koleo(batch: Batch) -> None:
    task = made(spread_weight=0.3)

    losses = task.loss(batch, progress=0.0)

    found = task(batch.images)
    pull = proxy_loss(found.cosines, batch.labels, temperature=task.config.temperature)
    spread = koleo_loss(found.vectors)
    torch.testing.assert_close(losses["loss"], pull + 0.3 * spread)
    torch.testing.assert_close(losses["spread"], spread)
    right = (found.cosines.argmax(dim=1) == batch.labels).float().mean()
    assert losses["top1"].item() == pytest.approx(right.item())
    assert not losses["spread"].requires_grad


def test_without_a_weight_vectors_are_not_spread(batch: Batch) -> None:
    assert set(made(spread_weight=0.0).loss(batch, progress=0.0)) == {"loss", "top1"}


def test_one_picture_alone_has_nobody_to_be_spread_from(batch: Batch) -> None:
    one = replace(batch, images=batch.images[:1], targets=torch.tensor([0]), ids=batch.ids[:1])

    assert made().loss(one, progress=0.0)["loss"].isfinite()


def test_answers_are_vectors_of_unit_length(batch: Batch) -> None:
    vectors = made().predict(batch)

    assert vectors.shape == (7, 6)
    assert not vectors.requires_grad
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(7))


def test_the_score_of_a_class_is_the_cosine_with_it(batch: Batch) -> None:
    task, asked = made(), torch.tensor([2, 1, 0, 0, 1, 2, 1])

    found = task.score(task.tokens(batch.images), asked)

    torch.testing.assert_close(found, task(batch.images).cosines[torch.arange(7), asked])


def test_figures_are_those_of_a_search_among_all_batches(batch: Batch) -> None:
    task = made()
    measure = task.metrics()
    for rows in (slice(0, 4), slice(4, 7)):
        part = Batch(images=batch.images[rows], targets=batch.labels[rows], ids=batch.ids[rows])
        measure.update(part)

    expected = retrieval(task.predict(batch), batch.labels)
    assert measure.figures()["map"] == pytest.approx(expected.metrics["map"].value)
    assert task.best_figure in measure.figures()


def test_pictures_that_are_all_alone_give_the_worst_figures(batch: Batch) -> None:
    measure = made().metrics()
    measure.update(replace(batch, targets=torch.arange(7)))

    assert measure.figures() == {"recall_at_1": 0.0, "map": 0.0}
