"""PSNR and SSIM are their formulas, window by window, and best for equal pictures."""

import math

import numpy as np
import pytest
import torch

from saccade.metrics.likeness import HIGHEST_PSNR, psnr, ssim


def picture(height: int = 16, width: int = 14, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (1, 3, height, width), dtype=torch.uint8, generator=generator)


def slow_ssim(a: np.ndarray, b: np.ndarray, side: int) -> float:
    """One channel, one window at a time."""
    offsets = np.arange(side) - side // 2
    row = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights = np.outer(row, row) / row.sum() ** 2
    found = []
    for top in range(a.shape[0] - side + 1):
        for left in range(a.shape[1] - side + 1):
            x, y = (p[top : top + side, left : left + side].astype(float) for p in (a, b))
            mx, my = (weights * x).sum(), (weights * y).sum()
            vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
            shared = (weights * (x - mx) * (y - my)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            found.append(
                (2 * mx * my + c1) * (2 * shared + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
            )
    return float(np.mean(found))


def test_an_error_of_one_step_everywhere_is_48_decibels() -> None:
    a = torch.full((1, 3, 4, 4), 100, dtype=torch.uint8)

    assert psnr(a, a + 1).item() == pytest.approx(20 * math.log10(255))


def test_black_against_white_is_zero_decibels_and_equal_pictures_the_highest() -> None:
    black = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)

    assert psnr(black, black + 255).item() == pytest.approx(0)
    assert psnr(black, black).item() == HIGHEST_PSNR


@pytest.mark.parametrize(("height", "width", "side"), [(16, 14, 11), (8, 9, 7), (4, 6, 3)])
def test_ssim_is_the_slow_one_also_for_pictures_smaller_than_its_window(
    height: int, width: int, side: int
) -> None:
    a = picture(height, width)
    b = (a.float() * 0.5 + picture(height, width, seed=1).float() * 0.5).to(torch.uint8)

    slow = np.mean([slow_ssim(a[0, c].numpy(), b[0, c].numpy(), side) for c in range(3)])

    assert ssim(a, b).item() == pytest.approx(slow, rel=1e-6)


def test_ssim_of_equal_pictures_is_one_and_of_a_negative_below_zero() -> None:
    a = picture()

    assert ssim(a, a).item() == pytest.approx(1)
    assert ssim(a, 255 - a).item() < 0


def test_each_pair_of_a_batch_has_its_own_figures() -> None:
    a, b = torch.cat([picture(), picture(seed=1)]), torch.cat([picture(), picture(seed=2)])

    assert psnr(a, b)[0] == HIGHEST_PSNR
    assert psnr(a, b)[1] < 20
    assert ssim(a, b)[0] > 0.999 > 0.5 > ssim(a, b)[1]
