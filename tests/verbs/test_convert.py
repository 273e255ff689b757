"""Weights of others become a run folder that every verb takes, and go back without a loss."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import saccade
from saccade.backbones.vit import Vit
from saccade.config.model import VitConfig
from saccade.errors import DataError, UsageError
from saccade.run.contract import load_contract
from saccade.run.folder import RunFolder
from saccade.run.start import read_start, restore
from saccade.tokens.flexi import resize_patches
from saccade.verbs.convert import ConvertResult
from tests import tiny
from tests.tiny import CLASSES, World


def convert(weights: Path, out: Path, **options: Any) -> ConvertResult:
    return saccade.convert(weights, out, is_quiet=True, **options)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return tiny.foreign_weights(tmp_path / "vit")


@pytest.fixture
def run(weights: Path, tmp_path: Path) -> Path:
    return convert(weights, tmp_path / "run").out


def test_the_run_folder_has_the_promise_of_the_weights(run: Path, weights: Path):
    names = {path.name for path in run.iterdir()}
    assert names == {
        "config.json",
        "contract.json",
        "environment.json",
        "weights.safetensors",
        "README.md",
    }
    contract = load_contract(run / "contract.json")
    assert contract.class_names == CLASSES
    assert contract.preprocess == tiny.foreign_preprocess()
    assert contract.licence == "cc-by-4.0"
    assert contract.origin is not None
    assert contract.origin.source == str(weights)
    with safetensors.safe_open(run / "weights.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["contract"])["licence"] == "cc-by-4.0"
    assert "cc-by-4.0" in (run / "README.md").read_text()


def test_predictions_are_those_of_the_weights(run: Path, weights: Path, world: World):
    pictures = world.source / "leaf"
    here = saccade.load(run, device="cpu").predict(pictures)
    there = saccade.load(weights, device="cpu").predict(pictures)
    for a, b in zip(here, there, strict=True):
        assert a.label == b.label
        np.testing.assert_array_equal(a.probs, b.probs)


def test_every_verb_takes_the_folder(run: Path, world: World, tmp_path: Path):
    picture = world.source / "apple" / "000.png"
    saccade.predict(run, picture, tmp_path / "table.csv", device="cpu", is_quiet=True)
    found = saccade.evaluate(run, world.source, device="cpu", is_quiet=True)
    assert (found.split, found.n) == ("all", 72)
    looked = saccade.explain(run, picture, tmp_path / "looked", device="cpu", is_quiet=True)
    assert set(looked.pictures[0]["overlays"]) == {"legrad", "rollout"}
    page = saccade.report(run).read_text()
    assert "Converted from weights that were trained elsewhere" in page
    result = saccade.train(
        world.source,
        tmp_path / "tuned",
        init=run,
        steps=2,
        settings=tiny.SETTINGS,
        device="cpu",
        is_quiet=True,
    )
    assert result.steps == 2
    tuned = load_contract(tmp_path / "tuned" / "contract.json")
    assert tuned.licence == "cc-by-4.0"
    assert tuned.model_name == "ViTForImageClassification of transformers"


def test_there_and_back_changes_no_bit(run: Path, weights: Path, tmp_path: Path):
    back = convert(run, tmp_path / "back", to="transformers").out
    first, last = (
        safetensors.torch.load_file(folder / "model.safetensors") for folder in (weights, back)
    )
    assert tiny.same_bits(first, last)
    for name in ("config.json", "preprocessor_config.json"):
        assert json.loads((weights / name).read_text()) == json.loads((back / name).read_text())


def test_a_run_goes_to_another_library_and_comes_back(world: World, tmp_path: Path):
    trained = saccade.train(
        world.source,
        tmp_path / "run",
        init=tiny.foreign_weights(tmp_path / "vit"),
        steps=2,
        settings=tiny.SETTINGS,
        device="cpu",
        is_quiet=True,
    ).run
    there = convert(trained, tmp_path / "there", to="transformers").out
    again = read_start(there)
    assert again.class_names == CLASSES
    assert tiny.same_bits(dict(again.tensors), dict(read_start(trained).tensors))


def test_names_from_a_file_take_the_place_of_those_there_are(
    weights: Path, tmp_path: Path, world: World
):
    names = tmp_path / "names.txt"
    names.write_text("Apfel\n Blatt \n\nHimmel\n", encoding="utf-8")
    result = convert(weights, tmp_path / "run", class_names=names)
    assert result.num_classes == 3
    assert load_contract(result.out / "contract.json").class_names == ("Apfel", "Blatt", "Himmel")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one\ntwo\n", "has 2 names, and .* tells 3 classes apart"),
        ("one\ntwo\none\n", "names one more than once"),
    ],
)
def test_names_that_do_not_fit_are_refused(weights: Path, tmp_path: Path, text: str, message: str):
    (tmp_path / "names.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        convert(weights, tmp_path / "run", class_names=tmp_path / "names.txt")
    with pytest.raises(UsageError, match="cannot be read"):
        convert(weights, tmp_path / "run", class_names=tmp_path / "nothing.txt")
    headless = tiny.foreign_weights(tmp_path / "headless", ())
    with pytest.raises(UsageError, match="has no head, so there are no classes to name"):
        convert(headless, tmp_path / "run", class_names=tmp_path / "names.txt")
    assert not (tmp_path / "run").exists()


def test_patches_and_positions_are_resized_together(weights: Path, tmp_path: Path):
    result = convert(weights, tmp_path / "run", patch_size=8)
    before, after = read_start(weights), read_start(result.out)
    assert isinstance(before.model, VitConfig)
    assert after.model == replace(before.model, patch_size=8, position_grid=(1, 2, 2))
    name = "backbone.embed.project.weight"
    assert torch.equal(after.tensors[name], resize_patches(before.tensors[name], patch_size=8))
    assert "positions from 4 x 4 to 2 x 2" in " ".join(result.notes)


def test_pictures_that_grow_with_the_patch_are_embedded_as_before(weights: Path, tmp_path: Path):
    small, large = (
        read_start(weights),
        read_start(convert(weights, tmp_path / "run", patch_size=8).out),
    )
    images = torch.rand(2, 3, 1, 1).expand(-1, -1, 16, 16)
    embedded = []
    for start in (small, large):
        backbone = restore(start).backbone
        assert isinstance(backbone, Vit)
        embedded.append(backbone.embed(images).patches[:, 0])
    torch.testing.assert_close(*embedded, atol=1e-4, rtol=1e-4)


def test_only_plain_patches_can_be_resized(world: World, weights: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="rag-pico4 reads its pictures through convolutions"):
        convert(world.run, tmp_path / "run", patch_size=8)
    with pytest.raises(UsageError, match="--patch-size is 0"):
        convert(weights, tmp_path / "run", patch_size=0)


def test_what_others_do_not_have_stays_here(world: World, tmp_path: Path):
    with pytest.raises(UsageError, match="timm has no model like rag-pico4"):
        convert(world.run, tmp_path / "out", to="timm")
    assert not (tmp_path / "out").exists()
    assert convert(world.run, tmp_path / "out").out == tmp_path / "out"
    seen = (tmp_path / "out" / "trained_on.txt").read_text()
    assert seen == (world.run / "trained_on.txt").read_text()


def test_an_unknown_library_is_refused_with_the_nearest(weights: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="--to is 'tim'; did you mean 'timm'"):
        convert(weights, tmp_path / "out", to="tim")


@pytest.mark.parametrize("to", ["saccade", "transformers"])
def test_what_is_there_is_never_overwritten(weights: Path, tmp_path: Path, to: str):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        convert(weights, tmp_path / "out", to=to)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_part_is_left_out_only_by_name(weights: Path, tmp_path: Path, pets: Path):
    with pytest.raises(UsageError, match="matches none of its tensors"):
        convert(weights, tmp_path / "run", leave_out=["decoder.*"])
    result = convert(weights, tmp_path / "run", leave_out=["classifier.*"])
    assert result.num_classes == 0
    model = saccade.load(result.out, device="cpu")
    with pytest.raises(UsageError, match=r"have no head.*--init"):
        model.predict(pets)
    assert model.embed(pets).vectors.shape == (8, 32)
    back = convert(result.out, tmp_path / "back", to="transformers").out
    assert not any(
        name.startswith("classifier")
        for name in safetensors.torch.load_file(back / "model.safetensors")
    )


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return tiny.draw_folder(tmp_path / "pets", classes=("cat", "dog"), count=4)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda f: f.write_bytes(f.read_bytes()[:-9]), DataError, "no complete safetensors"),
        (lambda f: f.write_bytes(b"\x80\x02}q."), UsageError, "is a pickle"),
        (lambda f: f.rename(f.with_suffix(".txt")), UsageError, "holds no weights"),
    ],
    ids=["damaged", "pickle", "missing"],
)
def test_files_that_are_no_weights_leave_nothing_behind(
    weights: Path,
    tmp_path: Path,
    spoil: Callable[[Path], object],
    error: type[Exception],
    message: str,
):
    spoil(weights / "model.safetensors")
    with pytest.raises(error, match=message):
        convert(weights, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_half_a_run_is_not_left_behind(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: BaseException
):
    def stop(_: Path) -> None:
        raise trouble

    monkeypatch.setattr("saccade.verbs.convert.write_card", stop)
    with pytest.raises(type(trouble)):
        convert(weights, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_temperature_goes_along_and_is_said_where_it_cannot(tmp_path: Path):
    run = RunFolder(tmp_path / "run")
    convert(tiny.foreign_weights(tmp_path / "vit"), run.path)
    replace(load_contract(run.contract), temperature=1.5).save(run.contract)
    convert(run.path, tmp_path / "again")
    assert load_contract(tmp_path / "again" / "contract.json").temperature == 1.5
    for library in ("timm", "transformers"):
        found = convert(run.path, tmp_path / library, to=library)
        assert any("divides its logits by 1.5000" in note for note in found.notes)
