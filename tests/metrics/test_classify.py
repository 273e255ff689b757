"""The figures of a classifier equal scikit-learn's and the plain loops, in batches or at once."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from saccade.errors import DataError
from saccade.metrics.classify import ClassMetrics
from saccade.metrics.result import ClassResult


def some_predictions(n: int, num_classes: int, *, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(num_classes, (n,), generator=generator)
    logits = torch.randn(n, num_classes, generator=generator)
    logits[torch.arange(n), labels] += 1.5
    return logits.double().softmax(dim=1), labels


def measure(probs: torch.Tensor, labels: torch.Tensor, *, seed: int = 0) -> ClassResult:
    meter = ClassMetrics(tuple(f"class {k}" for k in range(probs.shape[1])))
    meter.update(probs, labels)
    return meter.result(seed)


@pytest.mark.parametrize("num_classes", [2, 7])
def test_figures_equal_scikit_learn(num_classes: int):
    probs, labels = some_predictions(200, num_classes, seed=num_classes)
    found = measure(probs, labels).values()
    p, y, guess = probs.numpy(), labels.numpy(), probs.argmax(1).numpy()

    expected = {
        "top1": reference.accuracy_score(y, guess),
        "macro_f1": reference.f1_score(y, guess, average="macro"),
        "log_loss": reference.log_loss(y, p, labels=range(num_classes)),
        "balanced_accuracy": reference.balanced_accuracy_score(y, guess),
    }
    if num_classes > 5:
        expected["top5"] = reference.top_k_accuracy_score(y, p, k=5, labels=range(num_classes))
    assert set(found) == set(expected) | {"ece", "ece_equal_mass", "brier", "aurc"}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


def test_confusion_and_rows_equal_scikit_learn():
    probs, labels = some_predictions(150, 4, seed=1)
    result = measure(probs, labels)
    y, guess = labels.numpy(), probs.argmax(1).numpy()

    np.testing.assert_array_equal(result.confusion, reference.confusion_matrix(y, guess))
    columns = np.array(reference.precision_recall_fscore_support(y, guess))
    for k, row in enumerate(result.per_class):
        assert (row.precision, row.recall, row.f1, row.n) == pytest.approx(tuple(columns[:, k]))


def test_calibration_error_equals_the_plain_loop():
    probs, labels = some_predictions(300, 3, seed=2)
    result = measure(probs, labels)

    confidence, guess = probs.max(dim=1)
    error, counted = 0.0, 0
    for i in range(15):
        inside = (confidence > i / 15) & (confidence <= (i + 1) / 15)
        if inside.any():
            accuracy = (guess[inside] == labels[inside]).double().mean()
            error += inside.double().mean() * abs(confidence[inside].mean() - accuracy)
            assert result.reliability[i].accuracy == pytest.approx(float(accuracy))
        counted += result.reliability[i].count
    assert counted == result.n == 300
    assert result.metrics["ece"].value == pytest.approx(float(error))


def test_bootstrap_equals_measuring_resampled_pictures():
    """The vectorised resamples and whole new evaluations of drawn pictures spread alike."""
    probs, labels = some_predictions(80, 3, seed=3)
    found = measure(probs, labels).metrics
    generator = np.random.default_rng(9)
    slow: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(300):
        drawn = generator.integers(80, size=80)
        p, y = probs[drawn].numpy(), labels[drawn].numpy()
        guess = p.argmax(1)
        slow["log_loss"].append(float(reference.log_loss(y, p, labels=range(3))))
        slow["macro_f1"].append(float(reference.f1_score(y, guess, average="macro")))
        slow["balanced_accuracy"].append(reference.balanced_accuracy_score(y, guess))
    for name in ("log_loss", "macro_f1", "balanced_accuracy"):
        low, high = np.quantile(slow[name], [0.025, 0.975])
        width = high - low
        assert found[name].low == pytest.approx(low, abs=0.2 * width), name
        assert found[name].high == pytest.approx(high, abs=0.2 * width), name


def test_batches_change_nothing():
    probs, labels = some_predictions(101, 6, seed=4)
    meter = ClassMetrics(tuple("abcdef"))
    for part in torch.arange(101).split(17):
        meter.update(probs[part], labels[part])
    whole = ClassMetrics(tuple("abcdef"))
    whole.update(probs, labels)
    assert meter.result().to_json() == whole.result().to_json()


def test_the_seed_moves_only_bootstrap_ends():
    probs, labels = some_predictions(120, 3, seed=5)
    one, other = measure(probs, labels, seed=0), measure(probs, labels, seed=1)
    assert one.values() == other.values()
    assert one.metrics["top1"] == other.metrics["top1"]
    assert one.metrics["log_loss"].low != other.metrics["log_loss"].low


def test_intervals_hold_their_value():
    for seed in range(5):
        for name, estimate in measure(*some_predictions(40, 8, seed=seed)).metrics.items():
            assert estimate.low <= estimate.value <= estimate.high, name


def test_a_class_without_pictures_is_undefined_and_does_not_pull_the_means_down():
    probs = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    result = measure(probs, torch.tensor([0, 1]))
    absent = result.per_class[2]
    assert (absent.n, absent.precision, absent.recall, absent.f1) == (0, None, None, None)
    assert result.metrics["macro_f1"].value == result.metrics["balanced_accuracy"].value == 1.0


def test_log_loss_of_certain_error_is_clipped():
    result = measure(torch.tensor([[0.0, 1.0]]), torch.tensor([0]))
    assert result.metrics["log_loss"].value == pytest.approx(-math.log(1e-12))


def test_equal_probabilities_go_to_the_first_class():
    result = measure(torch.full((8, 8), 1 / 8), torch.arange(8))
    assert result.values()["top1"] == 1 / 8
    assert result.values()["top5"] == 5 / 8


def test_bf16_probabilities_are_accepted():
    probs, labels = some_predictions(50, 20, seed=6)
    rounded = measure(probs.bfloat16(), labels)
    assert rounded.values()["log_loss"] == pytest.approx(
        measure(probs, labels).values()["log_loss"], rel=0.02
    )


def test_nothing_to_measure_is_said():
    with pytest.raises(DataError, match="no labelled picture"):
        ClassMetrics(("a", "b")).result()


@pytest.mark.parametrize(
    ("probs", "labels", "error", "words"),
    [
        (torch.tensor([[0.5, 0.5]]), torch.tensor([0]), ValueError, "2 columns, but there are 3"),
        (torch.tensor([[2.0, -1.0, 0.0]]), torch.tensor([0]), ValueError, "not logits"),
        (torch.tensor([[float("nan")] * 3]), torch.tensor([0]), ValueError, "not finite"),
        (torch.tensor([[0.2, 0.3, 0.5]]), torch.tensor([3]), DataError, "ids 0 to 2"),
    ],
)
def test_wrong_input_is_refused_with_both_numbers(
    probs: torch.Tensor, labels: torch.Tensor, error: type[Exception], words: str
):
    with pytest.raises(error, match=words):
        ClassMetrics(("a", "b", "c")).update(probs, labels)
