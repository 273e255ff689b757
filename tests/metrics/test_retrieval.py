"""Retrieval figures are those of ranking every other picture by hand, ties by index."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from saccade.metrics import retrieval as module
from saccade.metrics.retrieval import micro_average_precision, retrieval


def made(n: int, *, num_classes: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    vectors = F.normalize(torch.randn(n, 5, generator=generator), dim=1)
    return vectors, torch.randint(num_classes, (n,), generator=generator)


def naive(vectors: torch.Tensor, labels: torch.Tensor) -> tuple[list[int], list[float]]:
    """First right rank (-1: none) and average precision (NaN: none) of each query."""
    n, firsts, averages = len(vectors), [], []
    similarity = (vectors @ vectors.T).tolist()
    for i in range(n):
        order = sorted((j for j in range(n) if j != i), key=lambda j, s=similarity[i]: (-s[j], j))
        right = [bool(labels[j] == labels[i]) for j in order]
        found = [sum(right[: r + 1]) / (r + 1) for r in range(n - 1) if right[r]]
        firsts.append(right.index(True) if any(right) else -1)
        averages.append(sum(found) / len(found) if found else float("nan"))
    return firsts, averages


@pytest.mark.parametrize(("n", "num_classes"), [(2, 1), (30, 3), (41, 12), (25, 25)])
def test_every_query_is_ranked_as_by_hand(n: int, num_classes: int) -> None:
    vectors, labels = made(n, num_classes=num_classes)

    result = retrieval(vectors, labels)

    firsts, averages = naive(vectors, labels)
    assert result.first_right.tolist() == firsts
    np.testing.assert_allclose(result.average_precision, averages, rtol=1e-6)
    asked = [k for k in range(n) if firsts[k] >= 0]
    assert result.num_alone == n - len(asked)
    if asked:
        hits = np.mean([firsts[k] == 0 for k in asked])
        assert result.metrics["recall_at_1"].value == pytest.approx(hits)
        mean = np.mean([averages[k] for k in asked])
        assert result.metrics["map"].value == pytest.approx(mean, rel=1e-6)


def test_blocks_of_queries_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, labels = made(37, num_classes=4)
    whole = retrieval(vectors, labels)
    monkeypatch.setattr(module, "_CHUNK_CELLS", 37 * 5)

    parts = retrieval(vectors, labels)

    np.testing.assert_array_equal(parts.first_right, whole.first_right)
    np.testing.assert_array_equal(parts.nearest, whole.nearest)
    assert parts.metrics == whole.metrics


def test_nobody_finds_himself_and_the_nearest_come_first() -> None:
    vectors, labels = made(20, num_classes=2)

    result = retrieval(vectors, labels)

    assert result.nearest.shape == (20, 10)
    for i in range(20):
        assert i not in result.nearest[i]
        cosines = vectors[result.nearest[i]] @ vectors[i]
        np.testing.assert_allclose(result.similarities[i], cosines, atol=1e-6)
        assert (np.diff(result.similarities[i]) <= 0).all()


def test_of_equally_near_pictures_the_first_counts_as_nearer_and_that_is_reported() -> None:
    same = torch.tensor([[1.0, 0.0]] * 4)
    labels = torch.tensor([0, 1, 0, 0])

    result = retrieval(same, labels)

    assert result.nearest.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
    assert result.first_right.tolist() == [1, -1, 0, 0]
    assert result.num_ties == 3  # of the query that is alone every answer is wrong


def test_ties_among_right_answers_alone_change_nothing_and_are_not_reported() -> None:
    vectors = F.normalize(torch.tensor([[1.0, 0], [1, 0], [1, 0], [0, 1]]), dim=1)

    assert retrieval(vectors, torch.tensor([0, 0, 0, 1])).num_ties == 0


def test_queries_that_are_alone_in_their_class_are_counted_and_left_out() -> None:
    vectors = torch.eye(4)[[0, 0, 1, 2]]

    result = retrieval(vectors, torch.tensor([5, 5, 6, 7]))

    assert result.num_alone == 2
    assert result.is_asked.tolist() == [True, True, False, False]
    assert result.metrics["recall_at_1"].value == result.metrics["map"].value == 1.0
    assert "recall_at_5" not in result.metrics  # there are no five others


def test_without_any_pair_there_are_no_figures() -> None:
    result = retrieval(torch.eye(3), torch.arange(3))

    assert result.metrics == {}
    assert result.num_alone == 3


def test_intervals_hold_the_value_and_depend_on_the_seed_alone() -> None:
    vectors, labels = made(60, num_classes=3)

    metrics = retrieval(vectors, labels, seed=1).metrics

    for figure in metrics.values():
        assert 0 <= figure.low <= figure.value <= figure.high <= 1
    assert metrics["map"].low < metrics["map"].high
    assert metrics == retrieval(vectors, labels, seed=1).metrics


def test_micro_average_precision_is_that_of_one_long_list() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, False, True, False])

    assert micro_average_precision(scores, right, num_right=2) == pytest.approx((1 + 2 / 3) / 2)
    assert micro_average_precision(scores, right, num_right=4) == pytest.approx((1 + 2 / 3) / 4)
    shuffled = np.array([2, 0, 3, 1])
    again = micro_average_precision(scores[shuffled], right[shuffled], num_right=2)
    assert again == pytest.approx((1 + 2 / 3) / 2)
