"""Semantic heads give every pixel logits, whatever the picture's size, and begin undecided."""

import pytest
import torch
from torch import nn

from saccade.heads.segment import LinearMapHead, UpsamplingHead, enlarge
from saccade.tokens.patches import pad_to_multiple
from saccade.tokens.tokens import Tokens, from_map


def tokens_for(images: torch.Tensor, patch_size: int, embed_dim: int = 6) -> Tokens:
    height, width = pad_to_multiple(images, patch_size).shape[2:]
    return from_map(torch.randn(len(images), embed_dim, height // patch_size, width // patch_size))


def heads(patch_size: int = 4) -> list[LinearMapHead | UpsamplingHead]:
    return [
        LinearMapHead(6, num_classes=5, patch_size=patch_size),
        UpsamplingHead(6, num_classes=5, in_channels=3, patch_size=patch_size),
    ]


@pytest.mark.parametrize("which", [0, 1], ids=["linear", "upsampling"])
@pytest.mark.parametrize("patch_size", [1, 4, 7])
@pytest.mark.parametrize(("height", "width"), [(8, 12), (9, 5)])
def test_every_pixel_has_logits_whatever_the_size(
    which: int, patch_size: int, height: int, width: int
) -> None:
    head, images = heads(patch_size)[which], torch.randn(2, 3, height, width)

    found = head(tokens_for(images, patch_size), images)

    assert found.logits.shape == found.coarse.shape == (2, 5, height, width)


@pytest.mark.parametrize("which", [0, 1], ids=["linear", "upsampling"])
def test_at_first_every_class_is_equally_likely_and_the_head_can_learn(which: int) -> None:
    head, images = heads()[which], torch.randn(2, 3, 8, 8)
    tokens = tokens_for(images, 4)

    logits = head(tokens, images).logits
    assert not logits.any()
    logits.softmax(dim=1)[:, 0].log().sum().backward()

    *_, last = (m for m in head.modules() if isinstance(m, nn.Conv2d))
    assert last.weight.grad is not None
    assert last.weight.grad.any()


def test_the_linear_head_is_one_map_of_each_token_enlarged_bilinearly() -> None:
    head, images = LinearMapHead(6, num_classes=5, patch_size=4).eval(), torch.randn(1, 3, 8, 12)
    nn.init.normal_(head.classify.weight)
    tokens = tokens_for(images, 4)

    found = head(tokens, images).logits

    weight = head.classify.weight[:, :, 0, 0]
    normal = tokens.x / (1 + head.norm.eps) ** 0.5  # fresh statistics: mean 0, variance 1
    cells = (normal @ weight.T + head.classify.bias).unflatten(1, (2, 3))  # 1 2 3 K
    torch.testing.assert_close(head.on_tokens(tokens), cells.permute(0, 3, 1, 2))
    # Midway between the centres of two cells a pixel edge lies; the pixels beside it are 3/8 and
    # 5/8 of the way. Row 0 lies above the first centre, so it is that cell's own.
    along = cells[0, 0]  # w K
    expected = along[0] * 5 / 8 + along[1] * 3 / 8
    torch.testing.assert_close(found[0, :, 0, 3], expected)


def test_the_upsampling_head_adds_to_what_the_tokens_say() -> None:
    head, images = heads()[1].eval(), torch.randn(2, 3, 8, 8)
    assert isinstance(head, UpsamplingHead)
    nn.init.normal_(head.coarse.classify.weight)
    tokens = tokens_for(images, 4)

    before = head(tokens, images)
    assert torch.equal(before.logits, before.coarse)
    nn.init.normal_(head.classify.weight)
    after = head(tokens, images)

    assert torch.equal(after.coarse, before.coarse)
    assert not torch.equal(after.logits, before.logits)
    torch.testing.assert_close(head.on_tokens(tokens), head.coarse.on_tokens(tokens))


def test_the_upsampling_head_tells_pixels_of_one_patch_apart() -> None:
    head = UpsamplingHead(6, num_classes=2, in_channels=1, patch_size=8).eval()
    nn.init.normal_(head.classify.weight)
    images = torch.zeros(1, 1, 8, 8)
    images[:, :, :, 3] = 1.0  # a line, thinner than the patch

    logits = head(from_map(torch.randn(1, 6, 1, 1)), images).logits

    assert (logits[0, 0, 4] - logits[0, 0, 4, 0]).abs().max() > 1e-3


def test_enlarging_by_one_cuts_the_padding_off_and_no_more() -> None:
    map_ = torch.randn(1, 2, 4, 6)

    assert torch.equal(enlarge(map_, 1, torch.empty(1, 3, 3, 5)), map_[:, :, :3, :5])
