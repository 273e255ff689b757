"""An evaluation goes to JSON with the fields the report reads, and holds no NaN."""

import json

import torch

from saccade.metrics.classify import ClassMetrics
from saccade.metrics.result import ClassResult


def small_result() -> ClassResult:
    meter = ClassMetrics(("cat", "dog", "never seen"))
    meter.update(
        torch.tensor([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.7, 0.3, 0.0]]), torch.tensor([0, 1, 1])
    )
    return meter.result()


def test_json_has_the_agreed_fields():
    found = small_result().to_json()
    assert list(found) == [
        "n", "metrics", "per_class", "confusion", "reliability", "risks", "risk_curve",
    ]  # fmt: skip
    assert set(found["metrics"]["top1"]) == {"value", "low", "high"}
    assert set(found["per_class"][0]) == {"name", "n", "precision", "recall", "f1"}
    assert set(found["reliability"][0]) == {"low", "high", "count", "confidence", "accuracy"}
    assert found["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


def test_json_is_strict_and_comes_back_equal():
    found = small_result().to_json()
    assert found["per_class"][2]["recall"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_values_are_the_figures_without_their_intervals():
    result = small_result()
    assert result.values()["top1"] == result.metrics["top1"].value == 2 / 3
