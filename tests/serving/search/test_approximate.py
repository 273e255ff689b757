"""Approximate search finds nearly what exact search finds, from disk too."""

import sys
from pathlib import Path

import numpy as np
import pytest

from saccade.errors import DataError, UsageError
from saccade.serving.search.approximate import ApproximateSearch, open_approximate
from saccade.serving.search.exact import ExactSearch

try:
    import usearch  # noqa: F401
except ImportError:
    HAS_USEARCH = False
else:
    HAS_USEARCH = True

needs_usearch = pytest.mark.skipif(not HAS_USEARCH, reason="the extra 'search' is not installed")


def unit(n: int, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, 24)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@needs_usearch
def test_nearly_all_true_neighbours_are_found() -> None:
    vectors, queries = unit(2000), unit(50, seed=1)
    exact, approximate = ExactSearch(24), ApproximateSearch(24)
    exact.add(vectors)
    approximate.add(vectors)

    truth, found = exact.search(queries, 10), approximate.search(queries, 10)

    hits = [len(set(a) & set(b)) for a, b in zip(truth.rows, found.rows, strict=True)]
    assert sum(hits) >= 0.98 * 500
    cosines = (vectors[found.rows] * queries[:, None]).sum(axis=2)
    np.testing.assert_allclose(found.similarities, cosines, atol=1e-5)


@needs_usearch
def test_of_equally_near_vectors_the_first_rows_come_first() -> None:
    engine = ApproximateSearch(24)
    engine.add(np.repeat(unit(3), 4, axis=0))

    found = engine.search(unit(3), 4)

    assert found.rows.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


@needs_usearch
def test_a_saved_graph_answers_alike_and_can_grow(tmp_path: Path) -> None:
    engine = ApproximateSearch(24)
    engine.add(unit(300))
    engine.save(tmp_path / "graph")

    opened = open_approximate(tmp_path / "graph", embed_dim=24)

    queries = unit(9, seed=1)
    np.testing.assert_array_equal(opened.search(queries, 5).rows, engine.search(queries, 5).rows)
    opened.add(unit(1, seed=2))
    assert opened.search(unit(1, seed=2), 1).rows[0, 0] == 300


@needs_usearch
def test_a_file_of_another_kind_or_width_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no graph at all")
    with pytest.raises(DataError, match="text cannot be read as a search graph"):
        open_approximate(tmp_path / "text", embed_dim=24)

    engine = ApproximateSearch(24)
    engine.add(unit(10))
    engine.save(tmp_path / "graph")
    with pytest.raises(DataError, match="24 numbers, not 12"):
        open_approximate(tmp_path / "graph", embed_dim=12)


def test_without_usearch_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usearch", None)
    monkeypatch.setitem(sys.modules, "usearch.index", None)

    with pytest.raises(UsageError, match=r"pip install 'saccade\[search\]'"):
        ApproximateSearch(24)
