"""Views are drawn to the mean of the global ones."""

import pytest
import torch

from saccade.losses.agreement import disagreement


def test_it_is_the_mean_squared_distance_from_the_mean_of_the_global_views() -> None:
    views = torch.randn(5, 3, 4)

    terms = []
    for picture in range(3):
        centre = (views[0, picture] + views[1, picture]) / 2
        terms += [((views[v, picture] - centre) ** 2).mean() for v in range(5)]

    torch.testing.assert_close(disagreement(views, num_whole=2), torch.stack(terms).mean())


def test_it_is_zero_only_where_all_views_agree() -> None:
    same = torch.randn(1, 3, 4).expand(5, -1, -1)
    other = same.clone()
    other[4, 1, 2] += 1

    assert disagreement(same, num_whole=2).item() == pytest.approx(0, abs=1e-12)
    assert disagreement(other, num_whole=2).item() == pytest.approx(1 / 60, rel=1e-4)
