"""Ranks, spreads and neighbours are their definitions, and tell collapse from health."""

import math

import pytest
import torch

from saccade.metrics.representation import (
    effective_rank,
    mean_std,
    neighbour_votes,
    view_recall,
    votes_of_the_others,
)


def test_the_rank_is_the_number_of_directions_in_use() -> None:
    one = torch.randn(1, 16).expand(50, -1)
    signs = torch.eye(16).repeat(4, 1)
    five = torch.cat([signs[:, :5], torch.zeros(64, 11)], dim=1)

    assert effective_rank(one) == pytest.approx(1, abs=1e-3)
    assert effective_rank(signs) == pytest.approx(16)
    assert effective_rank(five[five.any(dim=1)]) == pytest.approx(5)
    assert effective_rank(torch.randn(2000, 16)) > 15.5


def test_the_rank_is_the_exponential_of_the_entropy_of_the_singular_values() -> None:
    vectors = torch.randn(30, 6) * torch.arange(1, 7)
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    values = torch.linalg.eigvalsh(unit.double().T @ unit.double()).clamp(min=0).sqrt().tolist()
    shares = [value / sum(values) for value in values]

    expected = math.exp(-sum(p * math.log(p) for p in shares))

    assert effective_rank(vectors) == pytest.approx(expected, rel=1e-6)


def test_counts_are_as_good_as_copies() -> None:
    vectors, counts = torch.randn(6, 4), torch.tensor([0, 1, 3, 1, 0, 2])
    copies = vectors.repeat_interleave(counts, dim=0)

    for figure in (effective_rank, mean_std):
        assert figure(vectors, counts=counts.float()) == pytest.approx(figure(copies))


def test_vectors_that_are_nearly_the_same_have_hardly_a_rank_whatever_their_noise() -> None:
    nearly = torch.randn(1, 64) + 1e-3 * torch.randn(500, 64)

    assert effective_rank(nearly) < 1.6
    assert mean_std(nearly) < 0.01


def test_evenly_spread_vectors_have_a_mean_std_of_one() -> None:
    assert mean_std(torch.randn(5000, 32)) == pytest.approx(1, abs=0.02)
    assert mean_std(7 * torch.randn(1, 32).expand(9, -1)) == pytest.approx(0, abs=1e-5)


def slow_votes(query: torch.Tensor, gallery: torch.Tensor, labels: list[int], k: int) -> list:
    cosines = [torch.cosine_similarity(query, other, dim=0).item() for other in gallery]
    votes = [0.0] * 3
    for place in sorted(range(len(cosines)), key=lambda i: -cosines[i])[:k]:
        votes[labels[place]] += math.exp(cosines[place] / 0.07)
    return votes


@pytest.mark.parametrize("k", [1, 4, 100])
def test_votes_are_those_of_the_nearest(k: int) -> None:
    queries, gallery = torch.randn(5, 8), torch.randn(20, 8)
    labels = torch.arange(20) % 3

    found = neighbour_votes(queries, gallery, labels, num_classes=3, k=k)

    for query, votes in zip(queries, found, strict=True):
        expected = slow_votes(query, gallery, labels.tolist(), k)
        torch.testing.assert_close(votes, torch.tensor(expected), rtol=1e-3, atol=1e-2)


def test_nobody_votes_for_himself() -> None:
    vectors, labels = torch.randn(12, 8), torch.arange(12) % 3

    found = votes_of_the_others(vectors, labels, num_classes=3, k=4)

    for i in range(12):
        others = [j for j in range(12) if j != i]
        expected = slow_votes(vectors[i], vectors[others], labels[others].tolist(), 4)
        torch.testing.assert_close(found[i], torch.tensor(expected), rtol=1e-3, atol=1e-2)


def test_views_that_find_their_own_picture_are_counted() -> None:
    first = torch.eye(6)
    second = torch.eye(6)
    second[4] = first[2]  # finds another picture

    assert view_recall(first, second) == pytest.approx(5 / 6)
    assert view_recall(3 * first, second) == pytest.approx(5 / 6)


def test_vectors_that_are_all_the_same_find_nothing() -> None:
    same = torch.ones(10, 4)

    assert view_recall(same, same) == 0


def test_more_pictures_than_fit_in_one_piece_give_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, others, labels = torch.randn(11, 4), torch.randn(11, 4), torch.arange(11) % 3
    whole = votes_of_the_others(vectors, labels, num_classes=3), view_recall(vectors, others)

    monkeypatch.setattr("saccade.metrics.representation._CHUNK", 4)

    torch.testing.assert_close(votes_of_the_others(vectors, labels, num_classes=3), whole[0])
    assert view_recall(vectors, others) == whole[1]
