"""AUROC and FPR95 equal the plain loops, and their intervals hold the truth."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from saccade.metrics.outliers import auroc, false_positives


def scores(n: int, m: int, *, shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(shift, 1, n), rng.normal(0, 1, m)


def test_auroc_equals_every_pair_compared_and_scikit_learn():
    known, unknown = (np.round(x, 1) for x in scores(40, 30, shift=0.8))  # with ties
    pairs = [(a > b) + 0.5 * (a == b) for a in known for b in unknown]
    assert auroc(known, unknown).value == pytest.approx(np.mean(pairs))
    truth = np.repeat([1, 0], [40, 30])
    expected = roc_auc_score(truth, np.concatenate([known, unknown]))
    assert auroc(known, unknown).value == pytest.approx(expected)


def test_apart_alike_and_the_wrong_way_round():
    low, high = np.arange(5.0), np.arange(5.0) + 10
    assert auroc(high, low).value == auroc(high, low).high == 1.0
    assert 0.5 < auroc(high, low).low < 0.6  # five pictures of each
    assert auroc(low, high).value == auroc(low, high).low == 0.0
    assert 0.4 < auroc(low, high).high < 0.5
    assert auroc(low, low).value == 0.5
    assert auroc(np.ones(1), np.zeros(1)).value == 1.0


def test_auroc_interval_holds_the_truth_about_95_times_in_100():
    truth = 0.7602499389  # of two normal distributions, 1 apart
    held = 0
    for seed in range(400):
        found = auroc(*scores(60, 40, shift=1.0, seed=seed))
        held += found.low <= truth <= found.high
    assert 0.92 < held / 400 < 0.98


def test_false_positives_are_counted_where_95_of_100_known_pass():
    known = np.arange(100.0)  # five lie below 5
    unknown = np.array([4.0, 4.9, 5.0, 50.0])
    assert false_positives(known, unknown).value == 0.5
    none = false_positives(known, np.full(3, -1.0))
    assert none.value == none.low == 0.0
    assert 0.5 < none.high < 0.6
    assert false_positives(known, np.full(3, 200.0)).value == 1.0


def test_false_positives_have_the_bootstrap_interval_of_drawing_both_sets():
    known, unknown = scores(200, 150, shift=2.0, seed=1)
    rng = np.random.default_rng(2)
    slow = []
    for _ in range(1500):
        a, b = rng.choice(known, 200), rng.choice(unknown, 150)
        slow.append((b >= np.sort(a)[10]).mean())
    low, high = np.quantile(slow, [0.025, 0.975])
    found = false_positives(known, unknown)
    assert found.low == pytest.approx(low, abs=0.15 * (high - low))
    assert found.high == pytest.approx(high, abs=0.15 * (high - low))
