"""Each object gets a proposal of its own, and no other way to share them out costs less."""

import itertools

import numpy as np
import pytest
import torch

from saccade.losses.matching import NOBODY, assign


def cheapest(costs: np.ndarray) -> float:
    """Every way to give each object a proposal."""
    ways = itertools.permutations(range(costs.shape[0]), costs.shape[1])
    return min(sum(costs[q, m] for m, q in enumerate(way)) for way in ways)


@pytest.mark.parametrize("seed", range(8))
def test_no_other_assignment_costs_less(seed: int) -> None:
    costs = torch.from_numpy(np.random.default_rng(seed).normal(size=(2, 6, 3)))

    chosen = assign(costs, torch.ones(2, 3, dtype=torch.bool))

    for b in range(2):
        proposals = chosen[b].tolist()
        assert len(set(proposals)) == 3
        total = sum(costs[b, q, m].item() for m, q in enumerate(proposals))
        assert total == pytest.approx(cheapest(costs[b].numpy()))


def test_the_best_for_all_is_not_the_best_for_each() -> None:
    """Both want proposal 0; object 1 loses much less by doing without it."""
    costs = torch.tensor([[[0.0, 0.0], [9.0, 1.0]]])

    assert assign(costs, torch.ones(1, 2, dtype=torch.bool)).tolist() == [[0, 1]]


def test_columns_without_an_object_get_nobody_and_take_nothing() -> None:
    costs = torch.tensor([[[0.0, 1.0], [5.0, 2.0]], [[0.0, 0.0], [1.0, 1.0]]])
    is_object = torch.tensor([[False, True], [False, False]])

    assert assign(costs, is_object).tolist() == [[NOBODY, 0], [NOBODY, NOBODY]]


def test_with_more_objects_than_proposals_the_dearest_go_without() -> None:
    costs = torch.tensor([[[3.0, 1.0, 2.0]]])

    assert assign(costs, torch.ones(1, 3, dtype=torch.bool)).tolist() == [[NOBODY, 0, NOBODY]]


def test_costs_that_are_no_numbers_are_avoided_and_do_not_stop_the_matching() -> None:
    nan, inf = float("nan"), float("inf")
    costs = torch.tensor([[[nan, inf], [2.0, nan], [1.0, 0.5], [-inf, 3.0]]])

    chosen = assign(costs, torch.ones(1, 2, dtype=torch.bool))

    assert chosen.tolist() == [[3, 2]]
    assert (assign(torch.full((1, 4, 2), nan), torch.ones(1, 2, dtype=torch.bool)) >= 0).all()


def test_low_precision_and_gradients_make_no_difference() -> None:
    costs = torch.randn(3, 10, 4, dtype=torch.bfloat16, requires_grad=True)
    is_object = torch.rand(3, 4) < 0.7

    assert torch.equal(assign(costs, is_object), assign(costs.detach().double(), is_object))


def test_no_object_at_all_is_an_answer_too() -> None:
    assert assign(torch.zeros(2, 5, 0), torch.zeros(2, 0, dtype=torch.bool)).shape == (2, 0)
