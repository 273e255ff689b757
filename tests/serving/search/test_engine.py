"""Both engines keep the same promise, so either can stand behind an index."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saccade.serving.search.engine import Neighbours, SearchEngine
from saccade.serving.search.exact import ExactSearch


def make_approximate(embed_dim: int) -> SearchEngine:
    pytest.importorskip("usearch", reason="the extra 'search' is not installed")
    from saccade.serving.search.approximate import ApproximateSearch  # noqa: PLC0415

    return ApproximateSearch(embed_dim)


@pytest.fixture(params=[ExactSearch, make_approximate], ids=["exact", "approximate"])
def engine(request: pytest.FixtureRequest) -> SearchEngine:
    make: Callable[[int], SearchEngine] = request.param
    return make(8)


def unit(n: int) -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(n, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_it_has_the_three_methods(engine: SearchEngine) -> None:
    assert isinstance(engine, SearchEngine)


@pytest.mark.parametrize("num_queries", [0, 1, 5])
def test_it_returns_the_nearest_first_with_their_cosines(
    engine: SearchEngine, num_queries: int
) -> None:
    vectors = unit(50)
    engine.add(vectors[:20])
    engine.add(vectors[20:])

    found = engine.search(vectors[10 : 10 + num_queries], 4)

    assert isinstance(found, Neighbours)
    assert found.rows.shape == found.similarities.shape == (num_queries, 4)
    assert found.rows.dtype == np.int64
    assert found.similarities.dtype == np.float32
    assert found.rows[:, 0].tolist() == list(range(10, 10 + num_queries))
    for q in range(num_queries):
        cosines = vectors[found.rows[q]] @ vectors[10 + q]
        np.testing.assert_allclose(found.similarities[q], cosines, atol=1e-5)
        assert (np.diff(found.similarities[q]) <= 0).all()


def test_it_holds_as_many_as_were_added_and_returns_no_more(engine: SearchEngine) -> None:
    assert len(engine) == 0
    engine.add(unit(3))

    assert len(engine) == 3
    assert sorted(engine.search(unit(1), 10).rows[0].tolist()) == [0, 1, 2]


def test_it_writes_one_file(engine: SearchEngine, tmp_path: Path) -> None:
    engine.add(unit(3))

    engine.save(tmp_path / "file")

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").stat().st_size > 3 * 8 * 4
