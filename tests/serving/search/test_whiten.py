"""Whitened galleries vary alike in all directions, as far as there are enough pictures to say."""

import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf_shrinkage

from saccade.serving.search.whiten import fit, identity


def stretched(n: int, *, width: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = np.linspace(0.3, 1.0, width)
    return (rng.normal(size=(n, width)) * spread + 3).astype(np.float32)


def covariance_of(vectors: np.ndarray) -> np.ndarray:
    """Before the whitened vectors are brought to unit length."""
    whitening = fit(vectors)
    mapped = (torch.from_numpy(vectors) - whitening.mean) @ whitening.matrix
    return np.cov(mapped.numpy(), rowvar=False)


def test_a_large_gallery_comes_out_round() -> None:
    np.testing.assert_allclose(covariance_of(stretched(4000)), np.eye(6), atol=0.02)


@pytest.mark.parametrize("n", [10, 40, 400])
def test_the_shrinkage_is_that_of_ledoit_and_wolf(n: int) -> None:
    vectors = stretched(n)

    assert fit(vectors).shrinkage == pytest.approx(ledoit_wolf_shrinkage(vectors), rel=1e-4)


def test_a_small_gallery_is_whitened_less() -> None:
    assert fit(stretched(8)).shrinkage > fit(stretched(80)).shrinkage > 0
    few = np.linalg.eigvalsh(covariance_of(stretched(8)))
    assert few.max() < 3  # and not 1 / the smallest variance that eight pictures seem to have


def test_directions_without_data_are_left_out() -> None:
    flat = stretched(100)
    flat[:, 1] = 0.5
    flat[:, 4] = flat[:, 0]

    assert fit(flat).matrix.shape == (6, 4)


def test_more_directions_than_pictures_can_show_are_left_out() -> None:
    assert fit(stretched(4, width=10)).matrix.shape == (10, 3)


def test_equal_pictures_leave_no_direction_that_is_noise() -> None:
    whitening = fit(np.ones((5, 3), np.float32))

    assert np.isfinite(whitening(np.ones((2, 3), np.float32))).all()


def test_whitened_vectors_have_unit_length() -> None:
    vectors = stretched(50)

    whitened = fit(vectors)(vectors)

    assert whitened.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(whitened, axis=1), 1, atol=1e-5)


def test_a_linear_map_ranks_alike_before_and_after() -> None:
    vectors = stretched(200)
    weights = np.random.default_rng(1).normal(size=(2, 6)).astype(np.float32)
    whitening = fit(vectors)

    mapped = (torch.from_numpy(vectors) - whitening.mean) @ whitening.matrix
    scores = mapped.numpy() @ whitening.direction(weights).T

    expected = (vectors - whitening.mean.numpy()) @ weights.T
    for k in range(2):
        assert np.corrcoef(scores[:, k], expected[:, k])[0, 1] > 0.9999


def test_the_identity_changes_nothing_but_the_length() -> None:
    vectors = stretched(5)

    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(identity(6)(vectors), expected, atol=1e-6)
