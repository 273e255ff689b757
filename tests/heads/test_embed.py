"""An embedding head gives vectors of unit length and their cosines with each class."""

import pytest
import torch
import torch.nn.functional as F

from saccade.config.model import Pool
from saccade.heads.classify import pooled
from saccade.heads.embed import EmbedHead
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens


def tokens(*, num_prefix: int = 1) -> Tokens:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, num_prefix + 6, 8, generator=generator)
    return Tokens(x=x, grid=Grid(1, 2, 3), num_prefix=num_prefix)


@pytest.mark.parametrize("pool", ["mean", "class", "class_and_mean"])
def test_vectors_are_the_mapped_pool_at_unit_length(pool: Pool) -> None:
    head = EmbedHead(8, num_classes=4, out_dim=5, pool=pool)

    found = head(tokens())

    expected = F.normalize(head.project(head.norm(pooled(tokens(), pool))), dim=1)
    torch.testing.assert_close(found.vectors, expected)
    torch.testing.assert_close(found.vectors.norm(dim=1), torch.ones(3))


def test_cosines_are_between_minus_one_and_one_and_one_on_the_class_itself() -> None:
    head = EmbedHead(8, num_classes=4, out_dim=5, pool="mean")
    vectors = head(tokens()).vectors

    with torch.no_grad():
        head.class_vectors[2] = 7 * vectors[1]
    found = head(tokens())

    assert found.cosines.shape == (3, 4)
    assert found.cosines.abs().max() <= 1 + 1e-5
    assert found.cosines[1, 2].item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(head.class_directions().norm(dim=1), torch.ones(4))


def test_vectors_are_fp32_under_autocast_too() -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = EmbedHead(8, num_classes=4, out_dim=5, pool="mean")(tokens())

    assert found.vectors.dtype == torch.float32
