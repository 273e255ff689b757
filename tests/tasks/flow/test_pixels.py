"""Bytes become numbers in [-1, 1] and come back unchanged."""

import torch

from saccade.tasks.flow.pixels import to_bytes, to_range


def test_every_byte_comes_back() -> None:
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)

    assert to_range(every).min() == -1
    assert to_range(every).max() == 1
    assert torch.equal(to_bytes(to_range(every)), every)


def test_what_lies_outside_is_cut_off() -> None:
    assert to_bytes(torch.tensor([[[[-7.0, 7.0]]]])).flatten().tolist() == [0, 255]
