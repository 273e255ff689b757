"""Figures of weighted pictures are those of pictures that come so often."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from saccade.metrics.calibration import NUM_BINS, mass_index
from saccade.metrics.class_answers import ClassAnswers
from saccade.metrics.classify import ClassMetrics


def some(n: int, *, num_classes: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(num_classes, (n,), generator=generator)
    logits = torch.randn(n, num_classes, generator=generator)
    logits[torch.arange(n), labels] += 1.0
    return logits.double().softmax(dim=1), labels


def answers(probs: torch.Tensor, labels: torch.Tensor) -> ClassAnswers:
    meter = ClassMetrics(tuple(map(str, range(probs.shape[1]))))
    meter.update(probs, labels)
    return meter.answers()


def plain(of: ClassAnswers) -> dict[str, float]:
    return {name: float(value[0]) for name, value in of.figures(np.ones((1, len(of)))).items()}


def test_weights_count_pictures_that_come_several_times():
    probs, labels = some(50)
    times = torch.randint(0, 3, (50,), generator=torch.Generator().manual_seed(1))
    rows = times.repeat_interleave(times) * 0 + torch.arange(50).repeat_interleave(times)
    weighed = answers(probs, labels).figures(times.double().numpy()[None])
    drawn = plain(answers(probs[rows], labels[rows]))
    for name in ("macro_f1", "balanced_accuracy", "log_loss", "brier", "ece"):
        assert weighed[name][0] == pytest.approx(drawn[name]), name


def test_the_brier_score_is_the_squared_distance_from_the_truth():
    probs, labels = some(80, seed=2)
    truth = torch.nn.functional.one_hot(labels, 4)
    expected = ((probs - truth) ** 2).sum(dim=1).mean()
    assert plain(answers(probs, labels))["brier"] == pytest.approx(float(expected))
    certain = torch.tensor([[1.0, 0.0]])
    assert plain(answers(certain, torch.tensor([1])))["brier"] == 2.0


def test_equal_mass_error_equals_the_plain_loop_over_sorted_answers():
    probs, labels = some(15 * 20, seed=3)
    confidence, guess = (each.numpy() for each in probs.max(dim=1))
    order = np.argsort(confidence)
    gaps = (confidence - (guess == labels.numpy()))[order].reshape(15, 20).mean(axis=1)
    assert plain(answers(probs, labels))["ece_equal_mass"] == pytest.approx(abs(gaps).mean())


def test_bins_of_equal_mass_are_equally_full_and_keep_equal_probabilities_together():
    confidence = np.random.default_rng(0).beta(8, 1, 1500)
    assert np.bincount(mass_index(confidence)).tolist() == [100] * NUM_BINS
    half = np.concatenate([np.ones(70), np.linspace(0.2, 0.9, 30)])
    assert len(set(mass_index(half)[:70].tolist())) == 1
    assert mass_index(np.array([0.5])).tolist() == [0]


def test_sorting_by_confidence_counts_for_the_area_only():
    probs, labels = some(60, seed=4)
    found = plain(answers(probs, labels))
    flat = answers(probs, labels)
    useless = replace(flat, confidence=np.full(60, 0.7))
    assert found["aurc"] < plain(useless)["aurc"] == pytest.approx(1 - flat.correct.mean())
