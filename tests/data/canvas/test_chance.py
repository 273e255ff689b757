"""A drawing's random numbers are its own: no other drawing changes them."""

import numpy as np

from saccade.data.canvas.chance import Chance


def row(*, seed: int = 1, stream: int = 2, number: int = 3) -> list[float]:
    return Chance(seed=seed, stream=stream, number=number).numbers(4).tolist()


def test_the_same_name_gives_the_same_row():
    assert row() == row()


def test_seed_stream_and_number_each_give_another_row():
    rows = [row(), row(seed=2), row(stream=3), row(number=4), row(seed=3, stream=2, number=1)]
    assert len({tuple(each) for each in rows}) == len(rows)


def test_every_way_to_ask_takes_from_the_same_row():
    first, second, third, *_ = row()
    chance = Chance(seed=1, stream=2, number=3)
    assert chance.between(10.0, 20.0) == 10 + 10 * first
    assert chance.below(1000) == int(1000 * second)
    assert chance.numbers(1, 1).tolist() == [[third]]


def test_numbers_stay_in_their_range_and_use_all_of_it():
    chance = Chance(seed=0, stream=0, number=0)
    assert {chance.below(3) for _ in range(100)} == {0, 1, 2}
    numbers = chance.numbers(1000)
    assert 0 <= numbers.min() < 0.01 < 0.99 < numbers.max() < 1


def test_an_order_is_a_permutation_and_not_always_the_same():
    chance = Chance(seed=0, stream=0, number=0)
    orders = [tuple(chance.order(4)) for _ in range(20)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(orders)) > 5


def test_neighbouring_drawings_are_unrelated():
    first = np.array([row(number=number)[0] for number in range(500)])
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.15
