"""A class can be searched by what the head learned, or else by the gallery's labels."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from saccade.serving.engine import Engine
from saccade.serving.search.classes import class_vectors
from saccade.serving.search.items import ITEMS
from saccade.serving.search.whiten import fit, identity
from saccade.tasks.build import build_task
from saccade.tasks.embed import Embed
from tests import tiny


def items(*labels: str | None) -> pa.Table:
    rows = [{"path": "p", "label": label, "content": "c", "error": None} for label in labels]
    return pa.Table.from_pylist(rows, schema=ITEMS)


@pytest.fixture
def rows() -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_an_embedders_own_directions_are_taken(engine: Engine[Embed], rows: np.ndarray) -> None:
    found = class_vectors(engine, identity(6), rows, items(*["x"] * 40))

    assert found.source == "head"
    assert found.names == tiny.CLASSES
    expected = engine.task.head.class_directions().detach().numpy()
    np.testing.assert_allclose(found.vectors, expected, atol=1e-6)


def test_a_classifiers_directions_rank_a_whitened_gallery_as_its_logits_do() -> None:
    config = tiny.config("rag-pico4")
    task = tiny.task(config).eval()
    nn.init.normal_(task.head.classify.weight)
    engine = Engine(
        task=task,
        job="classify",
        preprocess=tiny.preprocess(),
        precision="fp32",
        num_threads=1,
        device=torch.device("cpu"),
    )
    vectors = np.random.default_rng(0).normal(size=(500, 96)).astype(np.float32)
    whitening = fit(vectors)

    found = class_vectors(engine, whitening, whitening(vectors), items())

    logits = vectors @ task.head.classify.weight.detach().numpy().T
    relative = logits - logits.mean(axis=1, keepdims=True)
    mapped = (vectors - whitening.mean.numpy()) @ whitening.matrix.numpy()
    for label in range(3):
        scores = mapped @ found.vectors[label]
        assert np.corrcoef(scores, relative[:, label])[0, 1] > 0.999


def test_without_classes_of_its_own_the_gallerys_labels_speak(
    engine: Engine[Embed], rows: np.ndarray
) -> None:
    labels = ["b", None, "a"] + ["b"] * 37

    found = class_vectors(_nameless(engine), identity(6), rows, items(*labels))

    assert found.source == "labels"
    assert found.names == ("b", "a")
    np.testing.assert_allclose(found.vectors[1], rows[2], atol=1e-6)
    mean = rows[[0, *range(3, 40)]].mean(axis=0)
    np.testing.assert_allclose(found.vectors[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_vectors_that_the_head_did_not_read_are_not_compared_with_it(
    engine: Engine[Embed], rows: np.ndarray
) -> None:
    found = class_vectors(engine, identity(6), rows, items(*["a"] * 40), pool="mean")

    assert found.source == "labels"


def test_without_any_class_there_is_none(engine: Engine[Embed], rows: np.ndarray) -> None:
    found = class_vectors(_nameless(engine), identity(6), rows, items(*[None] * 40))

    assert found.source is None
    assert found.vectors.shape == (0, 6)


def _nameless(engine: Engine[Embed]) -> Engine[Embed]:
    config = replace(tiny.config("rag-pico4"), job="embed", task=engine.task.config)
    task = build_task(config, class_names=(), preprocess=tiny.preprocess())
    assert isinstance(task, Embed)
    return replace(engine, task=task.eval())
