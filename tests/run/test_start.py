"""A run folder and weights from elsewhere are one thing to start from, whole and with a name."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from saccade.errors import DataError, UsageError
from saccade.run.contract import load_contract
from saccade.run.start import find_run, initialise, needs_new_head, read_start, restore
from saccade.serving.load import load
from saccade.tasks.build import build_classifier
from tests import tiny
from tests.tiny import CLASSES, World


@pytest.fixture
def world() -> World:
    return tiny.world()


def pictures(count: int = 5) -> torch.Tensor:
    return torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8)


def test_weights_from_elsewhere_come_with_all_that_belongs_to_them(tmp_path: Path):
    start = read_start(tiny.foreign_weights(tmp_path / "vit"))
    assert start.library == "transformers"
    assert start.name == "ViTForImageClassification of transformers"
    assert start.model == tiny.foreign_config()
    assert start.class_names == CLASSES
    assert start.preprocess == tiny.foreign_preprocess()
    assert start.licence == "cc-by-4.0"
    images = pictures()
    assert torch.equal(restore(start).eval()(images).logits, tiny.foreign_task()(images).logits)


def test_a_run_folder_is_a_start_too(world: World):
    start, contract = read_start(world.run), load_contract(world.run / "contract.json")
    assert find_run(world.run) is not None
    assert (start.library, start.name) == ("saccade", "rag-pico4")
    assert (start.class_names, start.preprocess) == (contract.class_names, contract.preprocess)
    run, images = load(world.run, device="cpu").task, pictures()
    assert torch.equal(restore(start).eval()(images).logits, run(images).logits)


def test_what_is_neither_is_refused_with_what_was_looked_for(tmp_path: Path, world: World):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"not a run folder .*no contract\.json.*no weights"):
        read_start(tmp_path / "empty")
    with pytest.raises(UsageError, match=rf"is not a run folder, but it holds {world.run}: give"):
        read_start(world.run.parent)
    with pytest.raises(UsageError, match="does not exist"):
        read_start(tmp_path / "nothing")
    (tmp_path / "notes.txt").write_text("no weights")
    with pytest.raises(UsageError, match="not a file of weights"):
        read_start(tmp_path / "notes.txt")
    with pytest.raises(UsageError, match="nothing can be left out"):
        read_start(world.run, leave_out=["head.*"])


def test_a_damaged_file_is_bad_data_and_an_incomplete_run_wrong_usage(tmp_path: Path, world: World):
    folder = tiny.foreign_weights(tmp_path / "vit")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(DataError, match="no complete safetensors"):
        read_start(folder)
    shutil.copytree(world.run, tmp_path / "run")
    (tmp_path / "run" / "weights.safetensors").unlink()
    with pytest.raises(UsageError, match="there are no weights"):
        read_start(tmp_path / "run")


def test_weights_of_another_shape_than_they_say_are_refused_with_both(tmp_path: Path):
    folder = tiny.foreign_weights(tmp_path / "vit")
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        text.replace('"intermediate_size": 64', '"intermediate_size": 80')
    )
    with pytest.raises(DataError, match=r"\(64, 32\) in the file and \(80, 32\) in the model"):
        read_start(folder)


def test_the_hash_is_of_the_numbers_and_of_nothing_else(tmp_path: Path):
    start = read_start(tiny.foreign_weights(tmp_path / "a"))
    again = read_start(tiny.foreign_weights(tmp_path / "b", licence="mit"))
    assert start.sha256() == again.sha256()
    tensors = {name: tensor.clone() for name, tensor in start.tensors.items()}
    tensors["head.classify.bias"][0] += 1e-6
    assert replace(start, tensors=tensors).sha256() != start.sha256()


def test_a_kept_head_follows_its_classes_into_another_order(tmp_path: Path):
    start = read_start(tiny.foreign_weights(tmp_path / "vit"))
    turned = tuple(reversed(CLASSES))
    assert not needs_new_head(start, "classify", turned, source="pictures", is_agreed=False)
    task = build_classifier(
        start.model, class_names=turned, preprocess=start.preprocess, seed=5, label_smoothing=0.1
    ).eval()
    initialise(task, start, has_new_head=False)
    images = pictures()
    wanted = tiny.foreign_task()(images).logits.flip(1)
    torch.testing.assert_close(task(images).logits, wanted)


def test_a_new_head_leaves_only_the_map_to_the_classes_behind(tmp_path: Path):
    start = read_start(tiny.foreign_weights(tmp_path / "vit"))
    task = build_classifier(
        start.model,
        class_names=("cat", "dog"),
        preprocess=start.preprocess,
        seed=5,
        label_smoothing=0.1,
    )
    initialise(task, start, has_new_head=True)
    assert not task.head.classify.weight.any()
    for name, tensor in task.backbone.state_dict().items():
        assert torch.equal(tensor, start.tensors[f"backbone.{name}"])


def test_other_classes_need_the_users_word(tmp_path: Path):
    start = read_start(tiny.foreign_weights(tmp_path / "vit"))
    with pytest.raises(DataError, match=r"apple, leaf, sky\n.*cat, dog(.*\n)*.*--new-head"):
        needs_new_head(start, "classify", ("cat", "dog"), source="pets", is_agreed=False)
    assert needs_new_head(start, "classify", ("cat", "dog"), source="pets", is_agreed=True)
    assert needs_new_head(start, "classify", CLASSES, source="pictures", is_agreed=True)
    headless = read_start(tiny.foreign_weights(tmp_path / "headless", ()))
    assert needs_new_head(headless, "classify", ("cat", "dog"), source="pets", is_agreed=False)


def test_weights_without_a_head_are_restored_without_classes(tmp_path: Path):
    start = read_start(tiny.foreign_weights(tmp_path / "headless", ()))
    assert start.class_names == ()
    task = restore(start).eval()
    assert task.class_names == ()
    images = pictures()
    assert torch.equal(task.tokens(images).x, tiny.foreign_task(()).tokens(images).x)
