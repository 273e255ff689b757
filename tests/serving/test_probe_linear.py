"""The linear probe is the solution of logistic regression, with a weight decay chosen fairly."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from saccade.serving.probe_linear import DECAYS, DEFAULT_DECAY, _held_back, _solve, fit_linear


def clouds(count: int, *, distance: float, dim: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(count) % 3
    centres = distance * torch.eye(3, dim)
    return centres[labels] + torch.randn(count, dim), labels


@pytest.mark.parametrize("decay", [0.3, 0.01])
def test_the_solution_is_that_of_another_library(decay: float) -> None:
    """Theirs minimises sum(cross-entropy) + ||W||^2 / (2 C): C is 1 / (n decay)."""
    features, labels = clouds(200, distance=1.5)
    theirs = LogisticRegression(C=1 / (200 * decay), tol=1e-6, max_iter=1000)
    theirs.fit(features.numpy(), labels.numpy())

    solution = _solve(features, labels, 3, decay=decay, start=None)

    ours = torch.softmax(features @ solution[:, :-1].T + solution[:, -1], dim=1)
    expected = np.asarray(theirs.predict_proba(features.numpy()))
    torch.testing.assert_close(ours, torch.from_numpy(expected).float(), rtol=0, atol=2e-3)


def test_scale_and_offset_of_a_channel_do_not_matter() -> None:
    features, labels = clouds(120, distance=2)
    changed = features * torch.tensor([1e-3, 1, 1e3, 1, 1, 1]) + 50

    first = fit_linear(features, labels, num_classes=3)
    second = fit_linear(changed, labels, num_classes=3)

    torch.testing.assert_close(first(features), second(changed), rtol=1e-2, atol=2e-2)
    assert first.decay == second.decay


def test_a_channel_that_never_varies_is_left_out() -> None:
    features, labels = clouds(60, distance=2)
    features[:, 4] = 3.0

    probe = fit_linear(features, labels, num_classes=3)

    assert probe(features).isfinite().all()
    shifted = features.clone()
    shifted[:, 4] += 100
    torch.testing.assert_close(probe(shifted), probe(features))


def test_classes_that_lie_apart_are_told_apart() -> None:
    features, labels = clouds(150, distance=5)
    fresh, wanted = clouds(150, distance=5)

    found = fit_linear(features, labels, num_classes=3)(fresh).argmax(dim=1)

    assert (found == wanted).float().mean() > 0.97


def test_noise_gets_a_strong_decay_and_clear_classes_a_weak_one() -> None:
    noise, labels = torch.randn(200, 100), torch.arange(200) % 3
    clear, their_labels = clouds(200, distance=8)

    assert fit_linear(noise, labels, num_classes=3).decay == max(DECAYS)
    assert fit_linear(clear, their_labels, num_classes=3).decay < 0.01


def test_with_few_labels_none_are_held_back() -> None:
    features, labels = clouds(12, distance=5)

    assert _held_back(labels) is None
    assert fit_linear(features, labels, num_classes=3).decay == DEFAULT_DECAY


def test_a_tenth_of_each_class_is_held_back_and_one_at_least() -> None:
    labels = torch.tensor([0] * 30 + [1] * 5 + [3] * 12)

    held = _held_back(labels)

    assert held is not None
    assert labels[held].tolist() == [0, 0, 0, 1, 3]


def test_it_can_be_fitted_on_what_a_frozen_model_gave() -> None:
    with torch.no_grad():
        features, labels = clouds(30, distance=5)
        assert fit_linear(features, labels, num_classes=3)(features).shape == (30, 3)
