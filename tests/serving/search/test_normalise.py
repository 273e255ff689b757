"""Scores are on a scale of their query: 0 as near as unrelated pictures come, 1 equal."""

from pathlib import Path

import numpy as np
import pytest

from saccade.serving.search import normalise
from saccade.serving.search.normalise import Background, open_background, scores


def unit(n: int, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("num_skipped", [0, 4])
def test_the_level_is_the_mean_of_the_nearest_after_those_that_do_not_count(
    num_skipped: int,
) -> None:
    others, queries = unit(60), unit(3, seed=1)

    found = Background(others, num_skipped=num_skipped).level(queries)

    ranked = -np.sort(-(queries @ others.T), axis=1)
    expected = ranked[:, num_skipped : num_skipped + normalise.NUM_NEAREST].mean(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_copies_in_the_background_do_not_raise_the_level_when_they_are_skipped() -> None:
    others, query = unit(60), unit(1, seed=1)
    with_copies = np.concatenate([others, np.repeat(query, 5, axis=0)])

    clean = Background(others, num_skipped=0).level(query)
    assert Background(with_copies, num_skipped=0).level(query) > clean + 0.2
    assert Background(with_copies, num_skipped=5).level(query) == pytest.approx(clean, abs=1e-6)


def test_a_small_background_skips_no_more_than_a_third() -> None:
    background = Background(unit(9), num_skipped=10)

    assert background.num_skipped == 3
    assert np.isfinite(background.level(unit(2, seed=1))).all()


def test_nothing_to_compare_with_is_a_level_of_zero() -> None:
    assert Background(unit(0), num_skipped=0).level(unit(2)).tolist() == [0, 0]


def test_a_large_background_is_thinned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(normalise, "MOST_BACKGROUND", 10)
    background = Background(unit(91), num_skipped=0)
    background.save(tmp_path / "background.npy")

    np.testing.assert_array_equal(np.load(tmp_path / "background.npy"), unit(91)[::10])


def test_a_saved_background_says_the_same(tmp_path: Path) -> None:
    background = Background(unit(50), num_skipped=2)
    background.save(tmp_path / "background.npy")

    opened = open_background(tmp_path / "background.npy", num_skipped=background.num_skipped)

    queries = unit(4, seed=1)
    np.testing.assert_array_equal(opened.level(queries), background.level(queries))


def test_scores_run_from_the_level_to_equality() -> None:
    similarities = np.array([[1.0, 0.7, 0.4], [1.0, 0.95, 0.9]], np.float32)

    found = scores(similarities, np.array([0.4, 0.9], np.float32))

    np.testing.assert_allclose(found, [[1, 0.5, 0], [1, 0.5, 0]], atol=1e-6)


def test_a_level_of_one_gives_finite_scores() -> None:
    found = scores(np.ones((1, 2), np.float32), np.ones(1, np.float32))

    assert np.isfinite(found).all()
