"""Exact search finds what sorting all similarities finds, ties by row, however it is cut up."""

from pathlib import Path

import numpy as np
import pytest

from saccade.serving.search import exact
from saccade.serving.search.engine import Neighbours, SearchEngine
from saccade.serving.search.exact import ExactSearch, open_exact


def unit(n: int, width: int = 12, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def made(vectors: np.ndarray) -> ExactSearch:
    engine = ExactSearch(vectors.shape[1])
    engine.add(vectors)
    return engine


def naive(queries: np.ndarray, vectors: np.ndarray, k: int) -> Neighbours:
    similarities = queries @ vectors.T
    rows = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return Neighbours(np.take_along_axis(similarities, rows, axis=1), rows)


def assert_same(found: Neighbours, expected: Neighbours) -> None:
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_allclose(found.similarities, expected.similarities, atol=1e-6)


@pytest.mark.parametrize("num_queries", [1, 2, 3, 40])
@pytest.mark.parametrize("n", [3, 63, 64, 700, 3001])
def test_the_neighbours_are_those_of_sorting_everything(num_queries: int, n: int) -> None:
    queries, vectors = unit(num_queries, seed=1), unit(n)

    assert_same(made(vectors).search(queries, 5), naive(queries, vectors, 5))


def test_blocks_and_query_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, vectors = unit(23, seed=1), unit(1500)
    monkeypatch.setattr(exact, "BLOCK", 400)
    monkeypatch.setattr(exact, "QUERIES", 10)
    monkeypatch.setattr(exact, "GROUP", 8)

    assert_same(made(vectors).search(queries, 7), naive(queries, vectors, 7))


@pytest.mark.parametrize("block", [64, 100, 8192])
@pytest.mark.parametrize("num_queries", [1, 6])
def test_of_equally_near_vectors_the_first_rows_come_first(
    block: int, num_queries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small whole numbers, whose products are exact: nearly every cut goes through a tie."""
    monkeypatch.setattr(exact, "BLOCK", block)
    monkeypatch.setattr(exact, "FEW_BLOCK", block)
    monkeypatch.setattr(exact, "GROUP", 4)
    rng = np.random.default_rng(0)
    vectors = rng.integers(-1, 2, size=(500, 3)).astype(np.float32)
    queries = rng.integers(-1, 2, size=(num_queries, 3)).astype(np.float32)

    for k in (1, 3, 20):
        assert_same(made(vectors).search(queries, k), naive(queries, vectors, k))


def test_vectors_added_in_parts_are_numbered_on() -> None:
    queries, vectors = unit(5, seed=1), unit(90)
    engine = ExactSearch(12)
    for start in (0, 30, 31):
        engine.add(vectors[start : {0: 30, 30: 31, 31: 90}[start]])
    engine.add(vectors[:0])

    assert len(engine) == 90
    assert_same(engine.search(queries, 9), naive(queries, vectors, 9))


def test_vectors_that_lie_apart_in_memory_are_put_together() -> None:
    queries, vectors = unit(5, seed=1), unit(90)

    engine = made(vectors[::3])

    assert engine.vectors().flags.c_contiguous
    assert_same(engine.search(queries, 9), naive(queries, vectors[::3], 9))


def test_more_neighbours_than_there_are_vectors_are_all_of_them() -> None:
    queries, vectors = unit(2, seed=1), unit(4)

    assert_same(made(vectors).search(queries, 10), naive(queries, vectors, 4))


def test_without_queries_or_without_vectors_there_is_nothing_to_find() -> None:
    assert made(unit(4)).search(unit(0), 3).rows.shape == (0, 3)
    assert ExactSearch(12).search(unit(2), 3).rows.shape == (2, 0)


@pytest.mark.parametrize("sizes", [(), (7,), (3, 4)])
def test_saved_vectors_are_a_plain_array_and_come_back(sizes: tuple[int, ...], tmp_path: Path):
    vectors, engine = unit(sum(sizes)), ExactSearch(12)
    for start, size in zip(np.cumsum((0, *sizes)), sizes, strict=False):
        engine.add(vectors[start : start + size])
    engine.save(tmp_path / "vectors.npy")

    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), vectors)
    opened = open_exact(tmp_path / "vectors.npy")
    assert len(opened) == sum(sizes)
    if sizes:
        assert_same(opened.search(vectors[:2], 3), naive(vectors[:2], vectors, 3))


def test_it_is_a_search_engine() -> None:
    assert isinstance(ExactSearch(3), SearchEngine)
