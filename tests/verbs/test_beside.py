"""Student and teacher are asked about the same pictures, and each row is its own."""

import json
from typing import Any

import pytest
import torch

import saccade
from saccade.data.sources import open_pictures
from saccade.run.contract import load_contract
from tests import tiny
from tests.taught import distilled, flat, teacher


def both(method: str, *, has_labels: bool) -> dict[str, Any]:
    run = distilled(method, has_labels=has_labels).run
    return json.loads((run / "evaluation" / "teacher.json").read_text())


def test_each_has_its_own_accuracy_and_size() -> None:
    found = both("logits", has_labels=True)
    result = distilled("logits", has_labels=True)
    of_teacher, of_student = found["rows"]

    judged = saccade.evaluate(teacher(), tiny.world().source, is_quiet=True)  # the same test split
    assert of_teacher[2:5] == pytest.approx([judged.metrics["top1"], *judged.intervals["top1"]])
    assert of_student[2:5] == pytest.approx([result.metrics["top1"], *result.intervals["top1"]])
    sizes = [load_contract(run / "contract.json").num_parameters for run in (teacher(), result.run)]
    assert [of_teacher[5], of_student[5]] == sizes
    assert min(of_teacher[6], of_student[6]) > 0


def test_agreement_is_how_often_both_answer_the_same() -> None:
    found = both("hard", has_labels=False)
    run = distilled("hard", has_labels=False).run
    judged = json.loads((run / "evaluation" / "test.json").read_text())

    # The teacher's answers are the labels here, and it is asked about the pictures as they are.
    assert found["agreement"] == pytest.approx(judged["metrics"]["top1"]["value"])
    assert found["rows"][0][2] == 1.0
    assert "right is what the teacher answers" in found["text"]


def test_a_backbone_is_compared_by_what_it_sees() -> None:
    found = both("features", has_labels=False)
    run = distilled("features", has_labels=False).run
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]

    assert 0 < found["agreement"] <= 1
    losses = [line["metrics"]["loss"] for line in log if line["kind"] == "eval"]
    assert 1 - found["agreement"] == pytest.approx(losses[-1], abs=0.1)  # of other pictures
    assert [row[2] for row in found["rows"]] == [None, None]  # nobody says what these are
    own = saccade.load(run).engine.task.backbone.parameters()
    assert found["rows"][1][5] == sum(each.numel() for each in own)


def test_a_student_of_other_classes_is_compared_by_size_alone(tmp_path: Any) -> None:
    source = tiny.draw_folder(tmp_path / "other", classes=("one", "two", "three"))
    result = saccade.distill(
        source,
        tmp_path / "run",
        teacher=teacher(),
        method="features",
        model="cnn-pico4",
        steps=1,
        settings=tiny.SETTINGS | {"teach.of": "picture"},
        is_quiet=True,
    )
    found = json.loads((result.run / "evaluation" / "teacher.json").read_text())

    assert found["agreement"] is None
    assert found["rows"][0][2:5] == [None, None, None]
    assert found["rows"][1][2] == pytest.approx(result.metrics["top1"])
    assert "cannot be compared" in result.report.read_text()


def test_the_comparison_changes_nothing_in_the_answers() -> None:
    run = distilled("logits", has_labels=True).run
    samples = open_pictures([flat()])
    model = saccade.load(run)
    batch = next(iter(model.engine.loader(samples).batches()))

    assert torch.equal(torch.from_numpy(model.probs(batch)), torch.from_numpy(model.probs(batch)))
