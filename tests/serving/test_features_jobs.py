"""A model of any job gives a vector of unit length for each picture, pooled as it was asked."""

import pytest
import torch
import torch.nn.functional as F

from saccade.errors import UsageError
from saccade.heads.classify import pooled
from saccade.serving.features import EmbeddingPool, embedding, embedding_dim, quarters, signed_gem
from saccade.tasks.build import AnyTask, build_task
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.translate import Translate
from saccade.tokens.tokens import from_map
from tests import tiny
from tests.contract.test_jobs import WORLDS
from tests.contract.worlds.world import SIDE, World


@pytest.fixture(params=list(WORLDS.values()), ids=list(WORLDS))
def world(request: pytest.FixtureRequest) -> World:
    return request.param()


def built(world: World) -> AnyTask:
    torch.manual_seed(0)
    task = build_task(world.config, class_names=world.class_names, preprocess=world.preprocess)
    return task.eval()


@torch.no_grad()
def test_every_job_has_vectors_of_unit_length_that_depend_on_the_picture(world: World) -> None:
    task, batch = built(world), world.examples(SIDE, SIDE)

    found = embedding(task, batch)

    assert found.shape == (8, embedding_dim(task, pool="auto"))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=1), torch.ones(8))
    assert (found[0] - found[1]).abs().max() > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("pool", ["mean", "gem", "quarters"])
def test_patches_can_be_pooled_in_every_job_that_has_them(
    world: World, pool: EmbeddingPool
) -> None:
    task, batch = built(world), world.examples(SIDE, SIDE)
    if isinstance(task, Generate | Translate):
        with pytest.raises(UsageError, match="no tokens of a whole picture"):
            embedding(task, batch, pool=pool)
        return

    found = embedding(task, batch, pool=pool)

    tokens = task.backbone(task.normalise(batch.images), None)
    expected = {
        "mean": pooled(tokens, "mean"),
        "gem": signed_gem(tokens.patches),
        "quarters": quarters(tokens),
    }[pool]
    torch.testing.assert_close(found, F.normalize(expected, dim=1))
    assert found.shape[1] == embedding_dim(task, pool=pool)


def test_quarters_are_the_means_of_four_parts_and_of_all_frames() -> None:
    clip = torch.randn(2, 5, 3, 4, 6)  # B D t h w
    halves = [part for rows in clip.mean(dim=2).chunk(2, dim=2) for part in rows.chunk(2, dim=3)]
    expected = torch.stack([part.mean(dim=(2, 3)) for part in halves], dim=2).flatten(1)
    torch.testing.assert_close(quarters(from_map(clip)), expected)


@pytest.mark.parametrize("grid", [(1, 1), (3, 5), (2, 1)])
def test_quarters_of_a_grid_that_cannot_be_halved_are_there_all_the_same(
    grid: tuple[int, int],
) -> None:
    found = quarters(from_map(torch.ones(1, 4, *grid)))
    torch.testing.assert_close(found, torch.ones(1, 16))


@torch.no_grad()
def test_class_token_and_patches_are_kept_apart() -> None:
    task, batch = tiny.foreign_task(), WORLDS["classify"]().examples(16, 16)
    tokens = task.backbone(task.normalise(batch.images), None)

    by_class = embedding(task, batch, pool="class")
    by_mean = embedding(task, batch, pool="mean")

    torch.testing.assert_close(by_class, F.normalize(tokens.x[:, 0], dim=1))
    torch.testing.assert_close(by_mean, F.normalize(tokens.x[:, 1:].mean(dim=1), dim=1))


def test_a_class_token_that_is_not_there_is_refused() -> None:
    world = WORLDS["classify"]()
    task = built(world)

    with pytest.raises(UsageError, match="no class token"):
        embedding(task, world.examples(SIDE, SIDE), pool="class")


def test_gem_of_positive_numbers_is_the_cube_root_of_the_mean_cube() -> None:
    patches = torch.rand(2, 5, 3)

    torch.testing.assert_close(signed_gem(patches), patches.pow(3).mean(dim=1).pow(1 / 3))


def test_gem_keeps_signs_and_lies_between_the_mean_and_the_strongest() -> None:
    patches = torch.tensor([[[-1.0, 0.1], [-3.0, 0.2], [0.5, 0.9]]])

    found = signed_gem(patches)[0]

    assert -3 < found[0] < -3.5 / 3
    assert 0.4 < found[1] < 0.9
