"""Figures come from pictures that were not trained on, and classes are matched by name."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import DataError, UsageError
from saccade.run.contract import load_contract
from saccade.verbs.evaluate import EvaluateResult
from tests import tiny
from tests.tiny import World


def evaluate(run: Path, source: Path, **options: Any) -> EvaluateResult:
    return saccade.evaluate(run, source, device="cpu", is_quiet=True, **options)


def test_on_the_training_source_only_the_held_out_part_is_used(world: World):
    found = evaluate(world.run, world.source)
    contract = load_contract(world.run / "contract.json")
    assert found.split == "test"
    assert found.n == contract.data.splits["test"] < 72
    assert sum(contract.data.splits.values()) == 72


def test_figures_are_those_of_the_contract_and_of_training(world: World):
    found = evaluate(world.run, world.source)
    contract = load_contract(world.run / "contract.json")
    assert found.metrics == pytest.approx(contract.figures["test"], abs=1e-5)
    assert found.metrics == pytest.approx(world.result.metrics, abs=1e-5)
    for name, value in found.metrics.items():
        low, high = found.intervals[name]
        assert low - 1e-9 <= value <= high + 1e-9


def test_a_copy_of_the_training_source_is_recognised_at_another_place(world: World, tmp_path: Path):
    shutil.copytree(world.source, tmp_path / "copy")
    assert evaluate(world.run, tmp_path / "copy").metrics == pytest.approx(
        evaluate(world.run, world.source).metrics
    )


def test_all_of_another_source_is_used(world: World, tmp_path: Path):
    other = tiny.draw_folder(tmp_path / "other", count=4, seed=9)
    found = evaluate(world.run, other)
    assert (found.split, found.n) == ("all", 12)
    assert found.metrics["top1"] > 0.8


def test_pictures_that_training_saw_are_left_out_of_another_source_under_any_name(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    other = tiny.draw_folder(tmp_path / "other", count=4, seed=9)
    seen = sorted((world.source / "sky").iterdir())
    for number, path in enumerate(seen):
        shutil.copy(path, other / "sky" / f"renamed-{number}.png")
    found = evaluate(world.run, other)
    num_trained_on = len((world.run / "trained_on.txt").read_text().split()) // len(tiny.CLASSES)
    assert found.n == 12 + len(seen) - num_trained_on
    shown = saccade.evaluate(world.run, other)
    assert shown.n == found.n
    assert "were trained on and are left out" in capfd.readouterr().err


def test_the_test_split_of_another_source_is_used(world: World, tmp_path: Path):
    for split, count in (("train", 5), ("val", 4), ("test", 3)):
        tiny.draw_folder(tmp_path / "other" / split, count=count, seed=9)
    found = evaluate(world.run, tmp_path / "other")
    assert (found.split, found.n) == ("test", 9)
    shutil.rmtree(tmp_path / "other" / "test")
    found = evaluate(world.run, tmp_path / "other")
    assert (found.split, found.n) == ("val", 12)


def test_classes_in_another_order_are_matched_by_name(world: World, tmp_path: Path):
    other = tiny.draw_folder(tmp_path / "other", count=6, seed=4)
    images, labels = [], []
    for label, name in enumerate(reversed(tiny.CLASSES)):
        for path in sorted((other / name).iterdir()):
            images.append(np.asarray(Image.open(path)))
            labels.append(label)
    np.savez(
        tmp_path / "other.npz",
        images=np.stack(images),
        labels=np.array(labels),
        class_names=np.array(list(reversed(tiny.CLASSES))),
    )
    by_folder, by_array = evaluate(world.run, other), evaluate(world.run, tmp_path / "other.npz")
    assert by_array.n == by_folder.n == 18
    assert by_array.metrics == pytest.approx(by_folder.metrics, abs=1e-5)
    np.testing.assert_array_equal(by_array.details["confusion"], by_folder.details["confusion"])
    assert [row["name"] for row in by_array.details["per_class"]] == list(tiny.CLASSES)


def test_other_classes_are_refused_with_both_lists(world: World, tmp_path: Path):
    other = tiny.draw_folder(tmp_path / "other", classes=("apple", "leaf", "sea"), count=2)
    with pytest.raises(DataError, match=r"apple, leaf, sky\n.*apple, leaf, sea"):
        evaluate(world.run, other)


def test_unreadable_pictures_are_named_and_too_many_stop(world: World, tmp_path: Path):
    other = tiny.draw_folder(tmp_path / "other", count=20, seed=4)
    (other / "sky" / "003.png").write_bytes(b"broken")
    found = evaluate(world.run, other)
    assert found.n == 59
    assert list(found.bad) == ["sky/003.png"]
    for number in range(6):
        (other / "sky" / f"{number:03d}.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"cannot be read.*max_bad_fraction"):
        evaluate(world.run, other)


def test_best_and_last_weights_are_both_judged_and_others_refused(world: World):
    assert evaluate(world.run, world.source, weights="last").n == 15
    with pytest.raises(UsageError, match="'best' or 'last'"):
        evaluate(world.run, world.source, weights="first")


def test_evaluating_writes_nothing(world: World):
    before = tiny.tree(world.run)
    evaluate(world.run, world.source)
    assert tiny.tree(world.run) == before


def test_tables_of_a_run_agree_with_its_figures(world: World):
    judged = json.loads((world.run / "evaluation" / "test.json").read_text())
    contract = load_contract(world.run / "contract.json")
    assert {name: figure["value"] for name, figure in judged["metrics"].items()} == pytest.approx(
        contract.figures["test"]
    )


def test_weights_of_others_are_judged_where_the_class_names_agree(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    weights = tiny.foreign_weights(tmp_path / "vit")
    found = evaluate(weights, world.source)
    assert (found.run, found.split, found.n) == (str(weights), "all", 72)
    answers = saccade.load(weights, device="cpu").predict(sorted(world.source.rglob("*.png")))
    right = [Path(each.path).parent.name == each.label for each in answers]
    assert found.metrics["top1"] == pytest.approx(np.mean(right))
    (weights / "preprocessor_config.json").unlink()
    saccade.evaluate(weights, world.source, device="cpu")
    assert "no preprocessor_config.json" in capfd.readouterr().err
    named = tiny.foreign_weights(tmp_path / "others", ("cat", "dog"))
    with pytest.raises(DataError, match=r"cat, dog\n.*apple, leaf, sky"):
        evaluate(named, world.source)
