"""A mask is the product of a query with each cell, and queries speak for themselves."""

import torch

from saccade.heads.masks import MaskHead
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens

Q, D = 3, 8


def tokens(num_prefix: int = Q + 1) -> Tokens:
    return Tokens(x=torch.randn(2, num_prefix + 6, D), grid=Grid(1, 2, 3), num_prefix=num_prefix)


def head() -> MaskHead:
    return MaskHead(D, num_classes=4, num_queries=Q, in_channels=3, patch_size=4, width=5).eval()


def test_a_mask_is_the_product_of_a_query_with_each_cell() -> None:
    made, seen, images = head(), tokens(), torch.randn(2, 3, 8, 12)

    found = made(seen, images)

    cells = made.cells(made.upscale(seen, images))
    for q in range(Q):
        wanted = made.describe(seen.x[:, q]) / 5**0.5
        expected = (wanted[:, :, None, None] * cells).sum(dim=1)
        torch.testing.assert_close(found.mask_logits[:, q], expected)
    assert found.mask_logits.shape == (2, Q, 8, 12)
    assert found.cell_size == 1


def test_classes_come_from_the_queries_alone() -> None:
    made, seen = head(), tokens()
    other = seen.with_x(torch.cat([seen.x[:, :Q], torch.randn(2, 7, D)], dim=1))
    images = torch.randn(2, 3, 8, 12)

    found, again = made(seen, images), made(other, images)

    assert found.class_logits.shape == (2, Q, 5)
    assert torch.equal(found.class_logits, again.class_logits)
    assert torch.equal(found.class_logits, made.on_queries(seen))
    assert not torch.equal(found.mask_logits, again.mask_logits)


def test_the_optimiser_lets_queries_keep_their_size() -> None:
    names = [name for name, _ in head().named_parameters() if "query" in name]

    assert names == ["query_prefix"]  # run/optimizer.py: what ends with "prefix" does not decay


def test_queries_differ_from_each_other_at_the_start() -> None:
    queries = head().query_prefix[0]

    assert torch.pdist(queries).min() > 0.5
