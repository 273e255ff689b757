"""A model's answers stand beside the right pictures, and its surest mistakes come first."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import saccade
from saccade.data.loader import Loader
from saccade.data.sources import Samples, open_source
from saccade.jobs.classify.judge import ClassJudgement, judge
from saccade.metrics.classify import ClassMetrics
from saccade.serving.model import Model
from tests import tiny
from tests.tiny import World


@pytest.fixture(scope="module")
def model(world: World) -> Model:
    return saccade.load(world.run, job="classify", device="cpu")


def shuffled(folder: Path) -> Samples:
    """Every second picture, in an order of its own; each third label is wrong on purpose."""
    samples = open_source(folder).splits["all"]
    positions = np.random.default_rng(0).permutation(len(samples))[::2]
    chosen = samples.take(positions)
    assert chosen.labels is not None
    wrong = np.arange(len(chosen)) % 3 == 0
    return Samples(
        pictures=chosen.pictures, ids=chosen.ids, labels=(chosen.labels + wrong) % len(tiny.CLASSES)
    )


def loader(samples: Samples, *, batch_size: int = 5, is_cached: bool = True) -> Loader:
    made = Loader(
        samples,
        tiny.preprocess(),
        batch_size=batch_size,
        num_threads=1,
        cache_bytes=2**24 if is_cached else 0,
        max_bad_fraction=0.5,
    )
    made.prepare()
    return made


@pytest.fixture(scope="module")
def samples(world: World) -> Samples:
    return shuffled(world.source)


@pytest.fixture(scope="module")
def judged(model: Model, samples: Samples) -> ClassJudgement:
    return judge(model, loader(samples))


def test_ids_names_and_labels_are_those_of_the_loader_in_its_order(
    judged: ClassJudgement, samples: Samples
):
    assert samples.labels is not None
    np.testing.assert_array_equal(judged.ids, samples.ids)
    np.testing.assert_array_equal(judged.labels, samples.labels)
    assert judged.names == samples.names()
    assert judged.class_names == tiny.CLASSES


def test_each_answer_is_the_one_to_that_picture_alone(
    judged: ClassJudgement, world: World, model: Model
):
    answers = model.predict([world.source / name for name in judged.names])
    for k, answer in enumerate(answers):
        assert answer.label == tiny.CLASSES[judged.predicted[k]]
        assert answer.probability == pytest.approx(judged.probability[k], abs=1e-5)


def test_figures_are_those_of_the_answers(judged: ClassJudgement, model: Model, samples: Samples):
    metrics = ClassMetrics(tiny.CLASSES)
    assert samples.labels is not None
    (batch,) = loader(samples, batch_size=len(samples)).batches()
    metrics.update(torch.from_numpy(model.probs(batch)), torch.from_numpy(samples.labels))
    assert judged.result.values() == pytest.approx(metrics.result().values(), abs=1e-5)
    assert judged.result.values()["top1"] == pytest.approx(
        (judged.labels == judged.predicted).mean()
    )
    assert judged.result.n == len(samples) == 36


def test_unreadable_pictures_move_no_answer_to_another_picture(model: Model, tmp_path: Path):
    folder = tiny.draw_folder(tmp_path / "pictures", count=8, seed=3)
    for name in ("apple/000.png", "leaf/004.png", "sky/007.png"):
        (folder / name).write_bytes(b"broken")
    for is_cached in (True, False):
        made = loader(open_source(folder).splits["all"], is_cached=is_cached)
        found = judge(model, made)
        assert len(found.names) == found.result.n == 21
        assert set(made.bad) == {"apple/000.png", "leaf/004.png", "sky/007.png"}
        assert not set(found.names) & set(made.bad)
        for name, label in zip(found.names, found.labels.tolist(), strict=True):
            assert name.startswith(tiny.CLASSES[label])


def test_the_worst_are_all_mistakes_the_surest_first(judged: ClassJudgement):
    worst = judged.worst(10**6)
    wrong = {k for k in range(36) if judged.labels[k] != judged.predicted[k]}
    assert set(worst) == wrong
    assert len(worst) == len(wrong) >= 10
    sureness = judged.probability[worst].tolist()
    assert sureness == sorted(sureness, reverse=True)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_of_the_worst_there_are_as_many_as_asked_for(judged: ClassJudgement, count: int):
    assert judged.worst(count) == judged.worst(10**6)[:count]
    assert len(judged.worst(count)) == count


def made_up(labels: list[int], predicted: list[int], probability: list[float]) -> ClassJudgement:
    metrics = ClassMetrics(("a", "b"))
    metrics.update(torch.tensor([[0.5, 0.5]]), torch.tensor([0]))
    return ClassJudgement(
        result=metrics.result(),
        ids=np.arange(len(labels)),
        names=[f"{k}.png" for k in range(len(labels))],
        labels=np.array(labels),
        predicted=np.array(predicted),
        probability=np.array(probability, dtype=np.float32),
        class_names=("a", "b"),
        answers=metrics.answers(),
        temperature=1.0,
        untempered=None,
        scores={},
        refused=[],
    )


def test_equally_sure_mistakes_keep_their_order_and_right_answers_are_none():
    found = made_up([0, 0, 1, 1, 0], [1, 0, 0, 0, 1], [0.6, 0.99, 0.8, 0.6, 0.6])
    assert found.worst(10) == [2, 0, 3, 4]
    assert made_up([0, 1], [0, 1], [0.9, 0.9]).worst(10) == []


def test_the_table_says_it_picture_by_picture_in_words(judged: ClassJudgement, tmp_path: Path):
    judged.write_table(tmp_path / "t.parquet")
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert [row["path"] for row in rows] == judged.names
    assert [row["label"] for row in rows] == [tiny.CLASSES[k] for k in judged.labels]
    assert [row["predicted"] for row in rows] == [tiny.CLASSES[k] for k in judged.predicted]
    assert [row["probability"] for row in rows] == judged.probability.tolist()
