"""Embeddings are what the head reads, at unit length; features are what the layers return."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from saccade.backbones.features import layer_tokens
from saccade.config.model import VitConfig
from saccade.data.batch import Batch
from saccade.data.loader import Loader
from saccade.data.sources import open_pictures
from saccade.errors import UsageError
from saccade.serving.features import embed, embedding, features
from saccade.serving.load import load
from saccade.serving.model import Model
from saccade.tasks.classify import Classify
from tests import tiny
from tests.tiny import World

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(world: World) -> Model:
    return load(world.run, job="classify", device="cpu")


def pictures(world: World, count: int = 3) -> list[Path]:
    return [world.source / name / "000.png" for name in tiny.CLASSES][:count]


def loader(paths: list[Path], *, batch_size: int = 2) -> Loader:
    return Loader(
        open_pictures(paths),
        tiny.preprocess(),
        batch_size=batch_size,
        num_threads=1,
        cache_bytes=0,
        max_bad_fraction=1.0,
    )


def seen(paths: list[Path]) -> torch.Tensor:
    """The pictures as the loader reads them."""
    return torch.cat([batch.images for batch in loader(paths).batches()])


def vit_task(**changes: Any) -> Classify:
    """With a class token, a register, and a norm that is not the identity."""
    config = tiny.config("vit-pico4", model__has_class_token="true", model__num_registers="1")
    assert isinstance(config.model, VitConfig)
    config = replace(config, model=replace(config.model, **changes))
    task = tiny.task(config).eval()
    for module in task.modules():
        if isinstance(module, nn.LayerNorm):
            nn.init.normal_(module.weight, 1, 0.5)
    return task


def test_embeddings_have_unit_length_and_the_order_of_the_pictures(model: Model, world: World):
    paths = sorted(world.source.rglob("*.png"))
    found = model.embed(paths)
    assert found.paths == tuple(map(str, paths))
    assert found.bad == {}
    assert found.vectors.shape == (len(paths), 96)
    assert found.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    alone = model.embed(str(paths[40]))
    np.testing.assert_allclose(alone.vectors[0], found.vectors[40], atol=1e-5)


def test_pictures_of_a_class_lie_closer_than_those_of_others(model: Model, world: World):
    found = model.embed(world.source)
    labels = np.array([Path(path).parent.name for path in found.paths])
    cosines = found.vectors @ found.vectors.T - 2 * np.eye(len(labels))
    assert (labels[cosines.argmax(axis=1)] == labels).mean() > 0.8


def test_the_head_turns_embeddings_into_the_logits(world: World):
    """Up to a factor for each picture: the length that the embedding has lost."""
    task = vit_task()
    nn.init.normal_(task.head.classify.weight)
    images = seen(pictures(world))
    with torch.no_grad():
        logits = task(images).logits
        from_unit = task.head.classify(
            embedding(task, Batch(images=images, targets=None, ids=torch.arange(3)))
        )
    cosine = nn.functional.cosine_similarity(logits, from_unit, dim=1)
    torch.testing.assert_close(cosine, torch.ones(3))
    assert not torch.allclose(logits, from_unit)


@pytest.mark.parametrize("pool", ["mean", "class", "class_and_mean", "distilled"])
@pytest.mark.parametrize("final_norm", ["tokens", "pooled"])
def test_an_embedding_is_pooled_and_normalised_as_the_head_does(
    world: World, pool: str, final_norm: str
):
    task = vit_task(pool=pool, final_norm=final_norm)
    images = seen(pictures(world))
    with torch.no_grad():
        found = embedding(task, Batch(images=images, targets=None, ids=torch.arange(3)))
        x = task.backbone(task.normalise(images)).x
        parts = {"mean": [x[:, 2:].mean(1)], "class_and_mean": [x[:, 0], x[:, 2:].mean(1)]}
        vector = task.head.norm(torch.cat(parts.get(pool, [x[:, 0]]), dim=1))
    torch.testing.assert_close(found, vector / vector.norm(dim=1, keepdim=True))


def broken(folder: Path, good: Path, count: int = 1) -> list[Path]:
    paths = [folder / f"broken{k}.png" for k in range(count)]
    for path in paths:
        path.write_bytes(good.read_bytes()[:40])
    return paths


def test_pictures_that_cannot_be_read_are_named_and_have_no_row(
    model: Model, world: World, tmp_path: Path
):
    first, second, _ = pictures(world)
    (bad,) = broken(tmp_path, first)
    found = model.embed([first, bad, second])
    assert found.paths == (str(first), str(second))
    assert len(found.vectors) == 2
    assert found.bad.keys() == {str(bad)}
    assert [f.path for f in model.features([first, bad, second])] == [str(first), str(second)]


@pytest.mark.parametrize("pool", ["class", "class_and_mean"])
def test_without_one_readable_picture_there_are_no_rows_of_the_right_width(
    world: World, tmp_path: Path, pool: str
):
    paths = broken(tmp_path, pictures(world)[0], count=3)
    task = vit_task(pool=pool)
    found = embed(task, loader(paths), device=CPU, precision="fp32")
    right = embed(task, loader(pictures(world)), device=CPU, precision="fp32")
    assert found.paths == ()
    assert found.vectors.shape == (0, right.vectors.shape[1])
    assert len(found.bad) == 3


def test_features_are_maps_and_prefix_tokens_of_the_layers_asked_for(world: World):
    task, paths = vit_task(), pictures(world)
    found = list(
        features(task, loader(paths), layers=[1, -1], norm="final", device=CPU, precision="fp32")
    )
    with torch.no_grad():
        images = task.normalise(seen(paths))
        expected = layer_tokens(task.backbone, images, [1, 3], norm="final")
    assert [each.path for each in found] == [str(path) for path in paths]
    for k, each in enumerate(found):
        for layer, tokens in zip((1, -1), expected, strict=True):
            assert each.maps[layer].shape == (96, 4, 4)
            assert each.prefix[layer].shape == (2, 96)
            np.testing.assert_allclose(each.maps[layer], tokens.as_map()[k], atol=1e-5)
            np.testing.assert_allclose(each.prefix[layer], tokens.prefix[k], atol=1e-5)


def test_a_model_gives_its_last_layer_unless_told_otherwise(model: Model, world: World):
    (plain,) = model.features(pictures(world, 1))
    (last,) = model.features(pictures(world, 1), layers=[-1], norm="none")
    (normed,) = model.features(pictures(world, 1), norm="final")
    assert list(plain.maps) == list(plain.prefix) == [-1]
    np.testing.assert_array_equal(plain.maps[-1], last.maps[-1])
    assert not np.allclose(plain.maps[-1], normed.maps[-1])


def test_bf16_features_come_as_fp32(world: World):
    found = next(
        features(
            vit_task(), loader(pictures(world)), layers=[0], norm="none", device=CPU,
            precision="bf16",
        )
    )  # fmt: skip
    assert found.maps[0].dtype == found.prefix[0].dtype == np.float32


def test_features_stream(model: Model, world: World, monkeypatch: pytest.MonkeyPatch):
    asked = []
    real = Classify.normalise
    monkeypatch.setattr(Classify, "normalise", lambda *a: asked.append(1) or real(*a))
    stream = model.features(world.source)
    next(stream)
    assert len(asked) == 1


def test_wrong_questions_are_refused(model: Model, world: World):
    with pytest.raises(ValueError, match="no layer 9; the backbone has 2"):
        next(model.features(world.source, layers=[9]))
    with pytest.raises(UsageError, match=r"000\.pgn does not exist"):
        model.embed(world.source / "apple" / "000.pgn")


def test_asking_leaves_the_model_as_it_was(model: Model, world: World):
    before = {name: value.clone() for name, value in model.task.state_dict().items()}
    model.embed(world.source)
    list(model.features(world.source, layers=[0]))
    assert tiny.same_bits(model.task.state_dict(), before)
    assert not model.task.training
