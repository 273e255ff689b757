"""Copies are grouped through one another, exact ones by content, and the rest is left alone."""

import numpy as np
import pytest

from saccade.serving.search import duplicates as module
from saccade.serving.search.duplicates import Group, find_groups
from saccade.serving.search.exact import ExactSearch
from saccade.serving.search.normalise import Background, scores


def unit(n: int, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def groups(
    vectors: np.ndarray, contents: list[str] | None = None, *, threshold: float = 0.8
) -> list[Group]:
    engine = ExactSearch(vectors.shape[1])
    engine.add(vectors)
    return find_groups(
        vectors,
        contents or [str(row) for row in range(len(vectors))],
        engine=engine,
        background=Background(vectors, num_skipped=10),
        threshold=threshold,
    )


def nudged(vector: np.ndarray, size: float, *, seed: int) -> np.ndarray:
    moved = vector + size * unit(1, seed=seed)[0]
    return moved / np.linalg.norm(moved)


def test_unrelated_pictures_form_no_group() -> None:
    assert groups(unit(100)) == []


def test_near_pictures_form_a_group_with_its_weakest_link() -> None:
    vectors = unit(100)
    vectors[40] = nudged(vectors[7], 0.1, seed=1)
    vectors[90] = nudged(vectors[7], 0.2, seed=2)

    (group,) = groups(vectors, threshold=0.75)

    assert group.rows == (7, 40, 90)
    assert not group.is_exact
    level = Background(vectors, num_skipped=10).level(vectors[[7, 40, 90]])
    similarity = vectors[[7, 40, 90]] @ vectors[[7, 40, 90]].T
    pairs = np.minimum(scores(similarity, level), scores(similarity, level).T)
    assert group.lowest_score == pytest.approx(pairs.min(), abs=1e-4)


def test_a_chain_hangs_together_through_its_links() -> None:
    vectors = unit(100)
    for step in range(4):
        vectors[step + 1] = nudged(vectors[step], 0.35, seed=step)

    (group,) = groups(vectors, threshold=0.75)

    assert group.rows == (0, 1, 2, 3, 4)
    assert vectors[0] @ vectors[4] < vectors[0] @ vectors[1]


def test_the_same_file_is_an_exact_copy_whatever_the_threshold() -> None:
    vectors = unit(50)
    vectors[[9, 30]] = vectors[3]
    contents = [str(row) for row in range(50)]
    contents[9] = contents[30] = contents[3]

    (group,) = groups(vectors, contents, threshold=1.0)

    assert group == Group((3, 9, 30), is_exact=True, lowest_score=1.0)


def test_files_that_begin_alike_and_look_different_are_no_copies() -> None:
    """The hash of a large file covers its beginning only."""
    contents = [str(row) for row in range(15)]  # few, so that each is looked at by all
    contents[9] = contents[3]

    assert groups(unit(15), contents, threshold=0.95) == []


def test_equal_pictures_in_other_files_are_near_copies() -> None:
    vectors = unit(50)
    vectors[9] = vectors[3]

    (group,) = groups(vectors)

    assert not group.is_exact
    assert group.lowest_score == pytest.approx(1, abs=1e-5)


def test_blocks_of_queries_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit(100)
    vectors[40] = nudged(vectors[7], 0.1, seed=1)
    vectors[99] = nudged(vectors[7], 0.1, seed=2)
    whole = groups(vectors)
    monkeypatch.setattr(module, "QUERIES_AT_A_TIME", 30)

    parts = groups(vectors)

    assert [group.rows for group in parts] == [group.rows for group in whole] == [(7, 40, 99)]


def test_groups_come_in_the_order_of_their_first_pictures() -> None:
    vectors = unit(60)
    vectors[50], vectors[2] = vectors[30], vectors[20]

    assert [group.rows for group in groups(vectors)] == [(2, 20), (30, 50)]


def test_blank_copies_are_copies_although_their_vectors_are_zeros() -> None:
    vectors = unit(50)
    vectors[[9, 30, 31]] = 0
    contents = [str(row) for row in range(50)]
    contents[9] = contents[30]

    assert groups(vectors, contents) == [Group((9, 30), is_exact=True, lowest_score=1.0)]


def test_more_copies_than_neighbours_are_looked_at_are_one_group() -> None:
    vectors = unit(200)
    vectors[:100] = vectors[0]
    contents = ["same"] * 100 + [str(row) for row in range(100)]

    (group,) = groups(vectors, contents)

    assert group == Group(tuple(range(100)), is_exact=True, lowest_score=1.0)
