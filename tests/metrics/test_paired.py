"""Comparisons use that the pictures are the same, find no difference where none is, and some."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from saccade.metrics.class_answers import ClassAnswers
from saccade.metrics.classify import ClassMetrics
from saccade.metrics.paired import Difference, compare, mcnemar, share_difference


def answers(probs: torch.Tensor, labels: torch.Tensor) -> ClassAnswers:
    meter = ClassMetrics(tuple(map(str, range(probs.shape[1]))))
    meter.update(probs, labels)
    return meter.answers()


def models(
    n: int, *, better_by: float, num_classes: int = 3, seed: int = 0
) -> tuple[ClassAnswers, ClassAnswers]:
    """Two models with the same difficulties; the second sees the true class more clearly."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(num_classes, (n,), generator=generator)
    shared = torch.randn(n, num_classes, generator=generator)
    truth = torch.nn.functional.one_hot(labels, num_classes)
    own = 0.4 * torch.randn(2, n, num_classes, generator=generator)
    logits = [shared + own[k] + (1.5 + better_by * k) * truth for k in range(2)]
    first, second = (answers(z.double().softmax(dim=1), labels) for z in logits)
    return first, second


def by_name(found: tuple[Difference, ...]) -> dict[str, Difference]:
    return {each.name: each for each in found}


@pytest.mark.parametrize(("b", "c"), [(0, 0), (0, 1), (1, 9), (30, 30), (3, 40), (200, 260)])
def test_mcnemar_is_the_exact_binomial_test(b: int, c: int):
    expected = binomtest(b, b + c, 0.5).pvalue if b + c else 1.0
    assert mcnemar(b, c) == mcnemar(c, b) == pytest.approx(expected)


def test_mcnemar_of_very_many_pictures_is_close_to_the_exact_one():
    expected = binomtest(5000, 10_200, 0.5).pvalue
    assert mcnemar(5000, 5200) == pytest.approx(expected, rel=0.01)


def test_the_same_answers_differ_in_nothing():
    first, _ = models(200, better_by=0)
    for found in compare(first, first):
        assert (found.difference.value, found.p, found.better) == (0.0, 1.0, None)


def test_a_better_model_is_found_in_every_figure_with_the_right_sign():
    found = by_name(compare(*models(400, better_by=1.0)))
    for name in ("top1", "macro_f1", "balanced_accuracy", "log_loss", "brier", "aurc"):
        assert found[name].better == 2, name
        assert found[name].p < 0.01
    assert found["top1"].difference.value > 0 > found["log_loss"].difference.value
    assert by_name(compare(*reversed(models(400, better_by=1.0))))["log_loss"].better == 1


def test_figures_are_those_of_each_model_alone():
    first, second = models(300, better_by=0.3, num_classes=7)
    found = by_name(compare(first, second))
    assert found["top5"].first == pytest.approx((first.ranks < 5).mean())
    assert found["log_loss"].second == pytest.approx(second.losses.mean())
    for each in found.values():
        assert each.difference.value == pytest.approx(each.second - each.first)
        assert each.difference.low <= each.difference.value <= each.difference.high


def test_pairing_finds_what_two_intervals_apart_would_miss():
    found = by_name(compare(*models(500, better_by=0.4)))["log_loss"]
    first, second = models(500, better_by=0.4)
    apart = 1.96 * np.sqrt(first.losses.var() / 500 + second.losses.var() / 500)
    assert found.p < 0.05
    assert found.difference.high - found.difference.low < apart


def test_where_models_are_equally_good_p_is_small_about_5_times_in_100():
    small = {"top1": 0, "log_loss": 0}
    for seed in range(60):
        found = by_name(compare(*models(50, better_by=0.0, seed=seed)))
        for name in small:
            small[name] += found[name].p < 0.05
    assert max(small.values()) <= 8  # 60 x 0.05 = 3 expected; 9 or more has a chance of 1 in 300


def test_the_interval_of_a_share_holds_the_truth_about_95_times_in_100():
    rng, held = np.random.default_rng(0), 0
    for _ in range(500):
        only_first, only_second, _ = rng.multinomial(80, [0.1, 0.2, 0.7])
        found = share_difference(int(only_first), int(only_second), 80)
        held += found.low <= 0.1 <= found.high
        assert found.low <= found.value <= found.high
    assert 0.92 < held / 500 < 0.98
    assert share_difference(0, 0, 50).low < 0.0 < share_difference(0, 0, 50).high
