"""Rows come out as they went in, in the order in which they came."""

import torch

from saccade.metrics.rows import Rows


def test_rows_of_batches_and_of_others_follow_each_other() -> None:
    first, second, values = Rows(), Rows(), torch.arange(10).view(5, 2)
    first.add(values[:2])
    first.add(values[2:3])
    second.add(values[3:])

    first.extend(Rows())
    first.extend(second)

    assert (len(first), len(second), len(Rows())) == (5, 2, 0)
    assert torch.equal(first.whole(), values)
    assert torch.equal(second.whole(), values[3:])
