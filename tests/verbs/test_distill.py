"""A distilled run is one like any other: it stands alone and goes on to the bit."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

import saccade
from saccade.errors import UsageError
from saccade.run.contract import load_contract
from saccade.run.start import read_start
from saccade.verbs.trained import TrainResult
from tests import tiny
from tests.taught import SETTINGS, STEPS, distilled, flat, teacher


def again(out: Path, **options: Any) -> TrainResult:
    given: dict[str, Any] = {"steps": 1, "settings": SETTINGS, "device": "cpu", "is_quiet": True}
    return saccade.distill(tiny.world().source, out, **(given | options))


@pytest.mark.parametrize("method", ["logits", "hard", "features"])
def test_labelled_pictures_make_a_classifier_of_their_classes(method: str) -> None:
    result = distilled(method, has_labels=True)
    contract = load_contract(result.run / "contract.json")

    assert (result.job, result.headline, result.steps) == ("classify", "top1", STEPS)
    assert contract.class_names == tiny.CLASSES
    assert contract.teacher == read_start(teacher()).origin(has_new_head=False)


@pytest.mark.parametrize("method", ["logits", "hard"])
def test_pictures_without_labels_make_a_classifier_of_the_teachers_classes(method: str) -> None:
    result = distilled(method, has_labels=False)
    answers = saccade.load(teacher()).predict(flat())
    contract = load_contract(result.run / "contract.json")
    counts = torch.tensor(list(contract.data.class_counts.values())).sum(dim=0).tolist()

    assert result.job == "classify"
    assert contract.class_names == tiny.CLASSES
    assert counts == [sum(each.label == name for each in answers) for name in tiny.CLASSES]
    assert "answers as its teacher does" in result.report.read_text()


def test_features_without_labels_make_a_backbone() -> None:
    result = distilled("features", has_labels=False)

    assert result.job == "pretrain"
    assert saccade.load(result.run).embed(flat()).vectors.shape == (30, 96)


def test_the_student_is_weights_like_any_others_without_what_it_listened_with(
    tmp_path: Path,
) -> None:
    run = distilled("features", has_labels=True).run
    alone = tiny.task(tiny.config("cnn-pico4")).state_dict()

    assert read_start(run).tensors.keys() == alone.keys()
    contract = load_contract(run / "contract.json")
    assert contract.num_parameters == sum(value.numel() for value in alone.values()) - sum(
        value.numel() for name, value in alone.items() if "running" in name or "num_batch" in name
    )
    converted = saccade.convert(run, tmp_path / "converted", is_quiet=True)
    before, after = (saccade.load(each).predict(flat()) for each in (run, converted.out))
    assert [each.label for each in before] == [each.label for each in after]


def test_a_run_needs_its_teacher_for_nothing_but_to_go_on(tmp_path: Path) -> None:
    gone = shutil.copytree(teacher(), tmp_path / "teacher")
    run = tmp_path / "run"
    again(run, teacher=gone, model="cnn-pico4")
    shutil.rmtree(gone)

    assert saccade.load(run).predict(flat())[0].label in tiny.CLASSES
    assert saccade.evaluate(run, tiny.world().source, is_quiet=True).n == 15
    saccade.report(run)
    saccade.train(
        tiny.world().source, tmp_path / "next", init=run, steps=1, settings=SETTINGS, is_quiet=True
    )
    with pytest.raises(UsageError, match="the teacher cannot be read"):
        saccade.distill(tiny.world().source, run, resume=True, is_quiet=True)


@pytest.mark.parametrize("method", ["logits", "features"])
@pytest.mark.parametrize("has_labels", [True, False])
def test_a_run_that_stopped_goes_on_to_the_bit(
    method: str, has_labels: bool, tmp_path: Path
) -> None:
    whole = distilled(method, has_labels=has_labels).run
    run = shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(run / "checkpoints" / f"step-{STEPS:08d}")
    assert [each.name for each in (run / "checkpoints").iterdir()] == ["step-00000004"]
    (run / "last.safetensors").unlink()

    saccade.distill(
        tiny.world().source if has_labels else flat(),
        run,
        resume=True,
        device="cpu",
        is_quiet=True,
    )

    for name in ("last.safetensors", "weights.safetensors"):
        before, after = (safetensors.torch.load_file(each / name) for each in (whole, run))
        assert tiny.same_bits(before, after)


def test_another_teacher_is_refused_when_a_run_goes_on(tmp_path: Path) -> None:
    other, run = shutil.copytree(teacher(), tmp_path / "teacher"), tmp_path / "run"
    again(run, teacher=other, model="cnn-pico4")
    with pytest.raises(UsageError, match="--teacher asks for"):
        again(run, resume=True, teacher=tiny.world().run)
    weights = safetensors.torch.load_file(other / "weights.safetensors")
    weights["head.classify.bias"] += 1
    safetensors.torch.save_file(weights, other / "weights.safetensors")

    with pytest.raises(UsageError, match="other weights than the teacher"):
        again(run, resume=True)


def test_the_page_shows_teacher_and_student_side_by_side() -> None:
    result = distilled("logits", has_labels=True)
    both = json.loads((result.run / "evaluation" / "teacher.json").read_text())
    page = result.report.read_text()

    assert [row[:2] for row in both["rows"]] == [["teacher", "rag-pico4"], ["student", "cnn-pico4"]]
    assert both["rows"][1][2] == pytest.approx(result.metrics["top1"])
    assert "Teacher and student" in page
    assert read_start(teacher()).sha256() in page
    assert "saccade distill" in page


def test_what_is_missing_or_said_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--teacher"):
        again(tmp_path / "run")
    with pytest.raises(UsageError, match="said twice"):
        again(tmp_path / "run", teacher="t", method="hard", settings={"teach.method": "logits"})
    assert not (tmp_path / "run").exists()
