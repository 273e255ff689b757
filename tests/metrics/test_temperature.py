"""The temperature has the least log loss there is, is known again, and never trusts a few."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from saccade.metrics.temperature import HIGHEST, LOWEST, fit_temperature


def drawn(n: int, *, temperature: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are ``temperature`` times too large, and labels that follow the true ones."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 2, (n, 5))
    gumbel = rng.gumbel(size=true.shape)  # argmax of logits + Gumbel noise is a draw by softmax
    return true * temperature, (true + gumbel).argmax(axis=1)


def log_loss(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    z = logits / temperature
    z = z - z.max(axis=1, keepdims=True)
    return float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]).mean())


@pytest.mark.parametrize("temperature", [0.25, 1.0, 4.0])
def test_a_known_temperature_is_found(temperature: float):
    logits, labels = drawn(20_000, temperature=temperature)
    assert fit_temperature(logits, labels) == pytest.approx(temperature, rel=0.03)


def test_no_other_temperature_has_a_smaller_log_loss():
    logits, labels = drawn(5_000, temperature=2.0, seed=1)
    found = fit_temperature(logits, labels)
    best = minimize_scalar(lambda t: log_loss(logits, labels, t), bounds=(0.5, 8), method="bounded")
    assert found == pytest.approx(best.x, rel=0.01)
    assert log_loss(logits, labels, found) <= log_loss(logits, labels, best.x) + 1e-5


def test_the_added_picture_is_the_plain_loop_over_classes():
    """The slope is that of the loss of n pictures and of one more with every class as its label."""
    logits, labels = drawn(30, temperature=3.0, seed=2)

    def loss(t: float) -> float:
        spread = [log_loss(logits, np.full(30, k), t) for k in range(5)]
        return 30 * log_loss(logits, labels, t) + float(np.mean(spread))

    best = minimize_scalar(loss, bounds=(0.2, 20), method="bounded", options={"xatol": 1e-8})
    assert fit_temperature(logits, labels) == pytest.approx(best.x, rel=1e-4)


def test_a_few_pictures_all_right_do_not_ask_for_certainty():
    logits = 4.0 * np.eye(5)[np.arange(20) % 5]
    found = fit_temperature(logits, np.arange(20) % 5)
    assert found > LOWEST
    probability = np.exp(4 / found) / (np.exp(4 / found) + 4)
    assert 0.9 < probability < 0.99


def test_answers_worse_than_chance_end_at_the_bound():
    logits, labels = drawn(200, temperature=1.0, seed=3)
    assert fit_temperature(-logits, labels) == pytest.approx(HIGHEST)


def test_huge_logits_neither_overflow_nor_matter_by_their_offset():
    logits, labels = drawn(2_000, temperature=1.0, seed=4)
    assert fit_temperature(logits + 1e4, labels) == pytest.approx(
        fit_temperature(logits, labels), rel=1e-6
    )
    assert fit_temperature(logits * 1e3, labels) == pytest.approx(HIGHEST)
