"""A training begins from scratch, from a run or from weights of others, and says which."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import saccade
from saccade.data.sources import labelled, open_source
from saccade.errors import DataError, UsageError
from saccade.jobs.classify.job import ClassifyJob
from saccade.run.folder import RunFolder
from saccade.run.start import read_start
from saccade.tasks.classify import Classify
from saccade.verbs.begin import Begun, begin, go_on
from saccade.verbs.voice import Voice
from saccade.verbs.wish import Said
from tests import tiny
from tests.tiny import CLASSES, World


def said(**words: Any) -> Said:
    nothing: dict[str, Any] = dict.fromkeys(
        ("job", "model", "budget", "epochs", "seed", "init")
    ) | {
        "steps": 2,
        "settings": tiny.SETTINGS,
        "new_head": False,
    }
    return Said(**(nothing | words))


def begun(source: Path, out: Path, **words: Any) -> Begun:
    return begin(
        said(**words),
        ClassifyJob(),
        labelled(open_source(source)),
        RunFolder(out),
        device=torch.device("cpu"),
        training_seconds=lambda budget: budget,
        voice=Voice(),
    )


def gone_on(source: Path, out: Path, **words: Any) -> Begun:
    return go_on(said(**words), labelled(open_source(source)), RunFolder(out), voice=Voice())


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tiny.foreign_weights(tmp_path / "vit")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Pictures of other classes than the weights know."""
    return tiny.draw_folder(tmp_path / "pets", classes=("cat", "dog"), count=8)


def test_a_run_begins_with_every_number_of_the_weights(world: World, weights: Path, tmp_path: Path):
    found = begun(world.source, tmp_path / "run", init=str(weights))
    assert tiny.same_bits(found.task.state_dict(), tiny.foreign_task().state_dict())
    assert found.config.model == tiny.foreign_config()
    assert found.contract.preprocess == tiny.foreign_preprocess()
    assert found.contract.class_names == CLASSES


def test_the_contract_says_where_it_came_from(world: World, weights: Path, tmp_path: Path):
    contract = begun(world.source, tmp_path / "run", init=str(weights)).contract
    assert contract.model_name == "ViTForImageClassification of transformers"
    assert contract.licence == "cc-by-4.0"
    assert contract.origin is not None
    assert contract.origin.source == str(weights)
    assert contract.origin.library == "transformers"
    assert contract.origin.sha256 == read_start(weights).sha256()
    assert not contract.origin.has_new_head
    scratch = begun(world.source, tmp_path / "scratch", model="cnn-pico4").contract
    assert (scratch.origin, scratch.licence) == (None, "not stated")


def test_other_classes_are_refused_and_learned_only_by_the_users_word(
    pets: Path, weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    with pytest.raises(DataError, match=r"apple, leaf, sky\n.*cat, dog(.*\n)*.*--new-head"):
        begun(pets, tmp_path / "run", init=str(weights))
    assert not (tmp_path / "run").exists()
    found = begun(pets, tmp_path / "run", init=str(weights), new_head=True)
    assert found.contract.class_names == ("cat", "dog")
    assert found.contract.origin is not None
    assert found.contract.origin.has_new_head
    assert "head       new, for 2 classes; that of the weights, for 3" in capfd.readouterr().err


def test_weights_without_a_head_get_one_without_asking(
    pets: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    headless = tiny.foreign_weights(tmp_path / "headless", ())
    found = begun(pets, tmp_path / "run", init=str(headless))
    assert isinstance(found.task, Classify)
    assert found.task.head.classify.out_features == 2
    assert "new, for 2 classes; the weights have none" in capfd.readouterr().err


def test_grey_pictures_are_read_as_the_weights_want(
    weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    source = tiny.draw_folder(tmp_path / "pictures", count=6)
    for path in source.rglob("*.png"):
        Image.open(path).convert("L").save(path)
    found = begun(source, tmp_path / "run", init=str(weights))
    (batch, *_) = found.data.training.batches()
    assert batch.images.shape[1] == 3
    assert "grey pictures are read as RGB" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"model": "rag"}, "--model is rag, and --init .* is a ViTForImageClassification"),
        ({"settings": {"model.depth": "1"}}, "model.depth would change the model"),
        ({"settings": {"optim.freeze": "bakbone.*"}}, "no parameter is called"),
        ({"init": "nothing.safetensors"}, "nothing.safetensors does not exist"),
    ],
)
def test_what_does_not_fit_the_weights_leaves_nothing_behind(
    world: World, weights: Path, tmp_path: Path, words: dict[str, Any], message: str
):
    with pytest.raises(UsageError, match=message):
        begun(world.source, tmp_path / "run", **({"init": str(weights)} | words))
    assert not (tmp_path / "run").exists()


def test_a_run_of_another_family_than_the_model_asked_for_is_refused(world: World, tmp_path: Path):
    with pytest.raises(UsageError, match=r"--model is vit, and --init .* is a rag-pico4 \(rag, "):
        begun(world.source, tmp_path / "run", init=str(world.run), model="vit")


def test_what_is_frozen_is_said(
    world: World, weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    settings = {**tiny.SETTINGS, "optim.freeze": "backbone.*"}
    found = begun(world.source, tmp_path / "run", init=str(weights), settings=settings)
    total = found.contract.num_parameters
    assert f"frozen     {total - 99:,} of {total:,} numbers" in capfd.readouterr().err


def test_a_run_stopped_before_its_first_checkpoint_begins_with_the_same_weights_again(
    world: World, weights: Path, tmp_path: Path
):
    first = begun(world.source, tmp_path / "run", init=str(weights))
    again = gone_on(world.source, tmp_path / "run", init=str(weights))
    assert tiny.same_bits(first.task.state_dict(), again.task.state_dict())
    tiny.foreign_weights(tmp_path / "other", side=16)
    shutil.rmtree(weights)
    with pytest.raises(UsageError, match="does not exist"):
        gone_on(world.source, tmp_path / "run")
    tiny.foreign_weights(weights, side=32)
    with pytest.raises(UsageError, match="holds other weights than those it began with"):
        gone_on(world.source, tmp_path / "run")


def test_after_a_checkpoint_the_first_weights_are_not_needed(
    world: World, weights: Path, tmp_path: Path
):
    options: dict[str, Any] = {"settings": tiny.SETTINGS, "device": "cpu", "is_quiet": True}
    out = tmp_path / "run"
    whole = saccade.train(world.source, out, init=weights, steps=3, **options)
    assert whole.metrics["top1"] > 0.2
    shutil.rmtree(weights)
    again = saccade.train(world.source, out, init=weights, resume=True, **options)
    assert (again.steps, again.metrics) == (3, whole.metrics)


def test_pictures_that_the_weights_learned_from_stay_known(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    before = set((world.run / "trained_on.txt").read_text().split())
    begun(world.source, tmp_path / "same", init=str(world.run))
    assert "were trained on by the weights" not in capfd.readouterr().err
    assert set((tmp_path / "same" / "trained_on.txt").read_text().split()) == before
    begun(world.source, tmp_path / "other", init=str(world.run), seed=7)
    assert "test pictures were trained on by the weights" in capfd.readouterr().err
    assert set((tmp_path / "other" / "trained_on.txt").read_text().split()) > before


@pytest.mark.parametrize("has_init", [False, True])
def test_a_run_killed_before_it_noted_its_pictures_notes_them_when_it_goes_on(
    world: World, tmp_path: Path, *, has_init: bool
):
    out = tmp_path / "run"
    words = {"init": str(world.run), "new_head": True} if has_init else {"model": "cnn-pico4"}
    begun(world.source, out, **words, seed=1)
    noted = out / "trained_on.txt"
    expected = noted.read_bytes()
    noted.unlink()

    gone_on(world.source, out)

    assert noted.read_bytes() == expected
