"""Draws equal the plain loop, look random, and depend on nothing but their four coordinates."""

import numpy as np
import pytest
import torch

from saccade.data.augment.draws import permutation, uniform

GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def mix(x: int) -> int:
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 & MASK
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def plain_uniform(seed: int, epoch: int, ids: list[int], num: int) -> list[list[float]]:
    draws = []
    for picture in ids:
        key = mix(mix((mix(seed) + epoch) & MASK) + picture & MASK)
        draws.append([(mix(key + (c + 1) * GOLDEN & MASK) >> 40) / 2**24 for c in range(num)])
    return draws


def test_draws_equal_the_plain_loop():
    ids = [0, 1, 2, 59_999, 2**40, 2**62]
    found = uniform(3, 17, torch.tensor(ids), num=5)
    assert found.tolist() == plain_uniform(3, 17, ids, 5)


def test_draws_of_a_picture_do_not_depend_on_the_others():
    ids = torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([uniform(1, 2, ids[i : i + 1], num=3) for i in range(20)])
    assert torch.equal(alone, uniform(1, 2, ids, num=3)[:20])


def test_more_columns_leave_the_first_ones_as_they_were():
    ids = torch.arange(10)
    assert torch.equal(uniform(1, 2, ids, num=9)[:, :4], uniform(1, 2, ids, num=4))


def test_draws_are_uniform():
    draws = uniform(0, 0, torch.arange(20_000), num=4)
    assert 0.0 <= draws.min() < draws.max() < 1.0
    assert draws.mean(dim=0).tolist() == pytest.approx([0.5] * 4, abs=0.01)
    assert draws.var(dim=0).tolist() == pytest.approx([1 / 12] * 4, abs=0.003)
    filled = torch.histc(draws, bins=64, min=0, max=1)
    assert ((filled - 1250).abs() < 5 * 1250**0.5).all()


@pytest.mark.parametrize("neighbour", ["picture", "epoch", "seed", "column"])
def test_neighbouring_draws_are_not_correlated(neighbour: str):
    ids = torch.arange(20_000)
    here = uniform(4, 4, ids, num=2)
    there = {
        "picture": uniform(4, 4, ids + 1, num=2),
        "epoch": uniform(4, 5, ids, num=2),
        "seed": uniform(5, 4, ids, num=2),
        "column": here.flip(1),
    }[neighbour]
    # The correlation of 20,000 independent pairs has a standard deviation of 0.007.
    assert abs(np.corrcoef(here[:, 0], there[:, 0])[0, 1]) < 0.03


def test_a_permutation_holds_everything_once():
    assert sorted(permutation(5, 2, 1000)) == list(range(1000))


def test_permutations_differ_by_seed_and_epoch_and_repeat():
    orders = {(s, e): tuple(permutation(s, e, 50)) for s in range(3) for e in range(3)}
    assert len(set(orders.values())) == 9
    assert tuple(permutation(2, 1, 50)) == orders[2, 1]


def test_permutations_put_every_picture_everywhere():
    places = np.stack([permutation(0, epoch, 8) for epoch in range(4000)])
    counts = np.stack([(places == picture).sum(axis=0) for picture in range(8)])
    assert counts == pytest.approx(np.full((8, 8), 500), abs=5 * 500**0.5)
