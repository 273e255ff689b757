"""Every picture that the index names is there, and shows what the index says of it."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.data.augment.changes import augment
from saccade.data.decoding.decode import decode
from saccade.data.loader import Loader
from saccade.data.sources import Samples, open_source
from saccade.jobs.classify.gallery import (
    NUM_AUGMENTED,
    NUM_EXPLAINED,
    NUM_MISTAKES,
    NUM_PER_CLASS,
    write_gallery,
)
from saccade.jobs.classify.judge import ClassJudgement, judge
from saccade.run.folder import RunFolder
from saccade.serving.model import Model
from tests import tiny
from tests.tiny import World

Index = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def config(world: World) -> RunConfig:
    return from_json(RunConfig, json.loads((world.run / "config.json").read_text()))


@pytest.fixture(scope="module")
def model(world: World) -> Model:
    return saccade.load(world.run, job="classify", device="cpu")


def loader(samples: Samples) -> Loader:
    made = Loader(
        samples,
        tiny.preprocess(),
        batch_size=20,
        num_threads=1,
        cache_bytes=2**24,
        max_bad_fraction=0.5,
    )
    made.prepare()
    return made


def mislabelled(samples: Samples) -> Samples:
    """Most pictures in another order, every second with another class's label: mistakes to show."""
    samples = samples.take(np.random.default_rng(0).permutation(len(samples))[:60])
    assert samples.labels is not None
    wrong = np.arange(len(samples)) % 2
    return Samples(pictures=samples.pictures, ids=samples.ids, labels=(samples.labels + wrong) % 3)


@pytest.fixture(scope="module")
def training(world: World) -> Loader:
    return loader(open_source(world.source).splits["all"])


@pytest.fixture(scope="module")
def judged_on(world: World) -> Loader:
    return loader(mislabelled(open_source(world.source).splits["all"]))


@pytest.fixture(scope="module")
def judgement(model: Model, judged_on: Loader) -> ClassJudgement:
    return judge(model, judged_on)


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory,
    model: Model,
    training: Loader,
    judged_on: Loader,
    judgement: ClassJudgement,
    config: RunConfig,
) -> Path:
    """A folder with a gallery, written over an older one."""
    folder = RunFolder(tmp_path_factory.mktemp("gallery"))
    folder.pictures.mkdir()
    (folder.pictures / "old.png").write_bytes(b"of an earlier evaluation")
    write_gallery(folder, model, training, judged_on, judgement, config=config)
    return folder.path


@pytest.fixture(scope="module")
def index(run: Path) -> Index:
    return json.loads((run / "pictures" / "index.json").read_text(encoding="utf-8"))


def files(entry: dict[str, Any]) -> Iterator[str]:
    yield entry["file"]
    yield from (entry[name] for name in ("overlay",) if name in entry)
    yield from entry.get("maps", {}).values()


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_the_files_of_the_index_are_all_there_and_there_are_no_others(run: Path, index: Index):
    assert set(index) == {"data", "batch", "mistakes", "attention"}
    named = [file for entries in index.values() for entry in entries for file in files(entry)]
    assert len(named) == len(set(named)) > 0
    found = {path.relative_to(run).as_posix() for path in (run / "pictures").iterdir()}
    assert found == {*named, "pictures/index.json"}


def test_every_picture_is_a_whole_png(run: Path, index: Index):
    for entries in index.values():
        for entry in entries:
            assert pixels(run / entry["file"]).shape == (16, 16, 3)
            for file in files(entry):
                assert pixels(run / file).ndim == 3


def test_mistakes_are_mistakes_the_surest_first(index: Index, judgement: ClassJudgement):
    mistakes = index["mistakes"]
    assert len(mistakes) == NUM_MISTAKES
    assert all(entry["label"] != entry["predicted"] for entry in mistakes)
    sureness = [entry["probability"] for entry in mistakes]
    assert sureness == sorted(sureness, reverse=True)
    wrong = judgement.labels != judgement.predicted
    assert sureness[0] == pytest.approx(judgement.probability[wrong].max())
    assert [entry["path"] for entry in mistakes] == [
        judgement.names[position] for position in judgement.worst(NUM_MISTAKES)
    ]


@pytest.mark.parametrize("kind", ["mistakes", "attention"])
def test_each_picture_is_the_one_of_its_path_and_has_that_answer(
    run: Path, index: Index, world: World, model: Model, kind: str
):
    for entry in index[kind]:
        original = decode((world.source / entry["path"]).read_bytes(), channels=3, min_side=None)
        np.testing.assert_array_equal(pixels(run / entry["file"]), original)
        (answer,) = model.predict(world.source / entry["path"])
        assert answer.label == entry["predicted"]
        assert answer.probability == pytest.approx(entry["probability"], abs=1e-5)


def test_explained_pictures_are_right_answers_of_every_class_with_each_method(index: Index):
    entries = index["attention"]
    assert len(entries) == NUM_EXPLAINED
    assert all(entry["label"] == entry["predicted"] for entry in entries)
    assert {entry["label"] for entry in entries} == set(tiny.CLASSES)
    assert [entry["label"] for entry in entries[:3]] == list(tiny.CLASSES)
    assert len({entry["path"] for entry in entries}) == len(entries)
    assert all(list(entry["maps"]) == ["legrad", "rollout"] for entry in entries)


def test_a_few_training_pictures_of_each_class_are_shown_as_they_are(
    run: Path, index: Index, world: World
):
    labels = [entry["label"] for entry in index["data"]]
    assert Counter(labels) == dict.fromkeys(tiny.CLASSES, NUM_PER_CLASS)
    assert labels == sorted(labels)
    for name in tiny.CLASSES:
        shown = [entry["file"] for entry in index["data"] if entry["label"] == name]
        for number, file in enumerate(shown):
            np.testing.assert_array_equal(
                pixels(run / file), pixels(world.source / name / f"{number:03d}.png")
            )


def test_augmented_pictures_are_the_first_the_run_learned_from(
    run: Path, index: Index, config: RunConfig, training: Loader
):
    expected: list[tuple[np.ndarray, str]] = []
    seed = config.seed
    for epoch, batch, _ in training.training_batches(seed, start_step=0):
        changed = augment(batch, config.augment, seed=seed, epoch=epoch)
        assert changed.labels is not None
        expected += [
            (image, tiny.CLASSES[label])
            for image, label in zip(
                changed.images.permute(0, 2, 3, 1).numpy(), changed.labels.tolist(), strict=True
            )
        ]
        if len(expected) >= NUM_AUGMENTED:
            break
    assert len(index["batch"]) == NUM_AUGMENTED
    for entry, (image, label) in zip(index["batch"], expected[:NUM_AUGMENTED], strict=True):
        assert entry["label"] == label
        np.testing.assert_array_equal(pixels(run / entry["file"]), image)


def test_a_model_without_mistakes_has_none_to_show(
    tmp_path: Path, model: Model, training: Loader, config: RunConfig
):
    right = judge(model, training)
    positions = np.flatnonzero(right.labels == right.predicted)
    few = loader(training.samples.take(positions[:4]))
    write_gallery(RunFolder(tmp_path), model, few, few, judge(model, few), config=config)
    index = json.loads((tmp_path / "pictures" / "index.json").read_text())
    assert index["mistakes"] == []
    assert len(index["attention"]) == 4
    assert len(index["batch"]) == NUM_AUGMENTED


def test_nothing_right_is_no_reason_to_fail(
    tmp_path: Path, model: Model, training: Loader, config: RunConfig
):
    right = judge(model, training)
    chosen = training.samples.take(np.flatnonzero(right.labels == right.predicted)[:3])
    assert chosen.labels is not None
    wrong = loader(
        Samples(pictures=chosen.pictures, ids=chosen.ids, labels=(chosen.labels + 1) % 3)
    )
    write_gallery(RunFolder(tmp_path), model, wrong, wrong, judge(model, wrong), config=config)
    index = json.loads((tmp_path / "pictures" / "index.json").read_text())
    assert index["attention"] == []
    assert len(index["mistakes"]) == 3
