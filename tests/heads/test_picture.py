"""A picture head puts patches back where they were cut, starts grey, and cuts off padding."""

import torch
from torch import nn

from saccade.heads.picture import PictureHead
from saccade.shapes import Grid
from saccade.tokens.patches import patchify
from saccade.tokens.tokens import Tokens


def tokens(height: int, width: int) -> Tokens:
    return Tokens(x=torch.randn(2, height * width, 8), grid=Grid(1, height, width), num_prefix=0)


def spoken() -> PictureHead:
    head = PictureHead(8, patch_size=4, out_channels=3)
    nn.init.normal_(head.project.weight)
    return head


def test_a_fresh_head_draws_grey() -> None:
    head = PictureHead(8, patch_size=4, out_channels=3)

    image = head(tokens(2, 3), torch.randn(2, 8), height=8, width=12)

    assert image.shape == (2, 3, 8, 12)
    assert not image.any()


def test_each_token_draws_its_own_patch() -> None:
    head, given, condition = spoken(), tokens(2, 3), torch.randn(2, 8)

    image = head(given, condition, height=8, width=12)

    normed = nn.functional.layer_norm(given.x, (8,), eps=1e-6)
    torch.testing.assert_close(patchify(image, 4), head.project(normed))


def test_what_was_padding_is_cut_off_at_the_right_and_bottom() -> None:
    head, given, condition = spoken(), tokens(2, 3), torch.randn(2, 8)

    whole = head(given, condition, height=8, width=12)
    cut = head(given, condition, height=7, width=9)

    assert torch.equal(cut, whole[:, :, :7, :9])
