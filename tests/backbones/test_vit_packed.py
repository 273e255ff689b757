"""A ViT gives pictures that are packed together what it gives each of them alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.build import build_backbone
from saccade.backbones.vit import Vit
from saccade.config.model import VitConfig
from saccade.heads.classify import ClassHead
from saccade.shapes import Grid
from saccade.tokens.packing import fill
from saccade.tokens.tokens import Tokens

SMALL = VitConfig(
    embed_dim=24,
    depth=3,
    num_heads=3,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="sincos",
    residual="prenorm",
    num_registers=0,
    has_class_token=False,
    drop_path=0.0,
)

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "prefix": {"has_class_token": True, "num_registers": 2},
    "learned": {
        "position": "learned",
        "position_grid": (1, 3, 3),
        "has_class_token": True,
        "num_prefix_positions": 1,
    },
    "rotary": {"position": "rotary", "has_class_token": True},
    "no positions": {"position": "none"},
    "cosine": {"similarity": "cosine"},
    "qk norm": {"has_qk_norm": True, "position": "rotary"},
    "conv projection": {"projection": "conv", "has_class_token": True},
    "windows": {"window_size": 2, "num_global_blocks": 1, "num_registers": 1},
    "conv stem": {"stem": "conv"},
    "layerscale": {"residual": "layerscale", "has_gated_mlp": True, "has_embed_norm": True},
    "fused": {"attention": "fused"},
    "explicit": {"attention": "explicit"},
}


def make_vit(**kind: Any) -> Vit:
    """In evaluation, its numbers away from where they start."""
    backbone = build_backbone(replace(SMALL, **kind), in_channels=3)
    assert isinstance(backbone, Vit)
    for name, parameter in backbone.named_parameters():
        if parameter.ndim == 1 or "gamma" in name:
            nn.init.normal_(parameter, mean=0.7, std=0.3)
    return backbone.eval()


def make_pictures() -> list[Tensor]:
    """Five, of four sizes; one has to be padded to whole patches."""
    sizes = [(8, 12), (20, 16), (4, 4), (8, 12), (13, 7)]
    return [torch.randn(3, height, width) for height, width in sizes]


def one_by_one(vit: Vit, pictures: Sequence[Tensor]) -> list[Tokens]:
    return [vit(picture[None]) for picture in pictures]


def require_close(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    scale = expected.detach().abs().max().item()
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * scale)


def require_same(found: Sequence[Tokens], expected: Sequence[Tokens]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one.grid, one.num_prefix) == (other.grid, other.num_prefix)
        assert (one.rotation is None) == (other.rotation is None)
        require_close(one.x, other.x)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_packed_pictures_come_out_as_they_would_alone_with_the_same_gradients(
    kind: dict[str, Any],
) -> None:
    vit, pictures = make_vit(**kind), make_pictures()
    directions = [torch.randn(24) for _ in pictures]
    outcomes: list[tuple[list[Tokens], Sequence[Tensor]]] = []
    for run in (vit.forward_packed, lambda pictures: one_by_one(vit, pictures)):
        tokens = run(pictures)
        losses = [
            (one.x.mean(dim=1) @ way).square() for one, way in zip(tokens, directions, strict=True)
        ]
        parameters = list(vit.parameters())
        used = [p for p in parameters if p.numel()]
        outcomes.append((tokens, torch.autograd.grad(torch.cat(losses).sum(), used)))

    (packed, gradients), (alone, expected) = outcomes
    require_same(packed, alone)
    for found, gradient in zip(gradients, expected, strict=True):
        require_close(found, gradient)


def test_clips_are_packed_too() -> None:
    vit = make_vit(tubelet_size=2)
    clips = [torch.randn(4, 3, 8, 12), torch.randn(2, 3, 8, 4), torch.randn(6, 3, 4, 4)]

    packed = vit.forward_packed(clips)

    assert [tokens.grid for tokens in packed] == [Grid(2, 2, 3), Grid(1, 2, 1), Grid(3, 1, 1)]
    require_same(packed, one_by_one(vit, clips))


def test_a_picture_does_not_notice_its_company() -> None:
    vit, pictures = make_vit(position="rotary"), make_pictures()
    before = vit.forward_packed(pictures)

    pictures[1] = 100 * torch.randn_like(pictures[1])
    after = vit.forward_packed(pictures)

    for index in (0, 2, 3, 4):
        assert torch.equal(after[index].x, before[index].x)
    assert (after[1].x != before[1].x).any()


def test_both_paths_agree_loosely_under_autocast() -> None:
    vit, pictures = make_vit(position="rotary", has_qk_norm=True), make_pictures()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        packed = vit.forward_packed(pictures)

    for found, expected in zip(packed, one_by_one(vit, pictures), strict=True):
        require_close(found.x.float(), expected.x, tolerance=0.05)


def test_training_drops_the_same_paths_packed_as_in_a_batch() -> None:
    vit = make_vit(drop_path=0.6).train()
    images = torch.randn(8, 3, 8, 12)

    torch.manual_seed(1)
    batch = vit(images)
    torch.manual_seed(1)
    packed = vit.forward_packed(list(images))

    assert not torch.allclose(batch.x, vit.eval()(images).x)
    require_close(torch.cat([tokens.x for tokens in packed]), batch.x)


def test_a_head_reads_packed_pictures_one_by_one() -> None:
    vit, pictures = make_vit(has_class_token=True), make_pictures()
    head = ClassHead(24, num_classes=5, pool="class_and_mean")
    nn.init.normal_(head.classify.weight)

    logits = [head(tokens).logits for tokens in vit.forward_packed(pictures)]

    expected = [head(tokens).logits for tokens in one_by_one(vit, pictures)]
    require_close(torch.cat(logits), torch.cat(expected))


def test_batches_that_fill_chose_give_every_picture_what_it_gets_alone() -> None:
    vit, pictures = make_vit(num_registers=1), make_pictures()
    lengths = [1 + -(-picture.shape[1] // 4) * -(-picture.shape[2] // 4) for picture in pictures]
    found: dict[int, Tokens] = {}

    for batch in fill(lengths, max_tokens=24):
        tokens = vit.forward_packed([pictures[index] for index in batch])
        assert sum(one.x.shape[1] for one in tokens) <= 24
        found |= dict(zip(batch, tokens, strict=True))

    require_same([found[index] for index in range(5)], one_by_one(vit, pictures))


def test_a_stem_that_normalises_over_the_batch_cannot_be_trained_on_packed_pictures() -> None:
    vit = make_vit(stem="conv").train()

    with pytest.raises(ValueError, match=r"stem normalises over the batch.*stem='patches'"):
        vit.forward_packed(make_pictures())


def test_no_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        make_vit().forward_packed([])
