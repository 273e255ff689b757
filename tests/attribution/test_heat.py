"""Heat keeps its place on the grid and runs from 0 to 1 in each picture."""

import torch

from saccade.attribution.heat import as_grid, resample, stretch
from saccade.shapes import Grid


def test_relevance_is_laid_out_row_by_row() -> None:
    relevance = torch.arange(12.0).reshape(2, 6)

    heat = as_grid(relevance, Grid(1, 2, 3))

    assert heat.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


def test_heat_on_its_own_grid_is_unchanged() -> None:
    heat = torch.randn(2, 4, 3)

    assert torch.equal(resample(heat, Grid(1, 4, 3)), heat)


def test_resampling_keeps_the_total_per_area_and_the_place() -> None:
    heat = torch.zeros(1, 2, 2)
    heat[0, 1, 0] = 1.0

    finer = resample(heat, Grid(1, 4, 4))

    assert finer.shape == (1, 4, 4)
    torch.testing.assert_close(finer.mean(), heat.mean())
    assert finer.flatten().argmax() == 4 * 3


def test_each_picture_is_stretched_on_its_own() -> None:
    heat = torch.tensor([[[2.0, 4.0], [3.0, 2.5]], [[-100.0, 0.0], [100.0, 50.0]]])

    assert stretch(heat).tolist() == [[[0, 1], [0.5, 0.25]], [[0, 0.5], [1, 0.75]]]


def test_tiny_heat_is_stretched_as_well_as_large() -> None:
    heat = torch.rand(2, 4, 3)

    torch.testing.assert_close(stretch(heat * 1e-12), stretch(heat))


def test_flat_heat_is_zero_and_not_nan() -> None:
    flat = torch.full((2, 3, 3), 0.1)

    assert torch.equal(stretch(flat), torch.zeros(2, 3, 3))
    assert torch.equal(stretch(torch.zeros(1, 1, 1)), torch.zeros(1, 1, 1))


def test_rounding_noise_is_not_blown_up_into_a_picture() -> None:
    """A model that looked everywhere alike must not seem to have looked somewhere."""
    flat = torch.full((1, 3, 3), 0.1)
    flat[0, 1, 1] = torch.nextafter(flat[0, 1, 1], torch.tensor(1.0))

    assert not stretch(flat).any()


def test_relevance_of_a_clip_is_laid_out_in_time_first() -> None:
    heat = as_grid(torch.arange(12.0)[None], Grid(2, 2, 3))

    assert heat.shape == (1, 2, 2, 3)
    assert heat[0, 1].tolist() == [[6, 7, 8], [9, 10, 11]]


def test_the_frames_of_a_clip_are_stretched_together() -> None:
    heat = torch.tensor([[[[0.0, 1.0]], [[2.0, 4.0]]]])

    assert stretch(heat).tolist() == [[[[0, 0.25]], [[0.5, 1]]]]
