"""Packed pictures look at themselves only, whichever way their attention is computed."""

import inspect
import math
from collections.abc import Callable
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.packing import PackedTokens, pack
from saccade.tokens.tokens import Tokens
from saccade.transformer import packed as packed_module
from saccade.transformer.attend import attend
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Block, Blocks
from saccade.transformer.mlp import Mlp
from saccade.transformer.packed import (
    attend_jagged,
    attend_packed,
    attend_varlen,
    varlen_kernel,
)
from saccade.transformer.residual import DropPath, make_gate
from saccade.transformer.trace import Trace
from saccade.transformer.window import window_mask

Path = Literal["fused", "explicit"]
both_paths = pytest.mark.parametrize("path", ["fused", "explicit"])

GRIDS = (Grid(1, 2, 3), Grid(1, 5, 4), Grid(1, 1, 1), Grid(1, 3, 2))
HEADS, HEAD_DIM, PREFIX = 3, 8, 2

# A prototype, as torch says whenever one is made.
prototype = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")


@pytest.fixture
def tokens() -> PackedTokens:
    return pack(
        [
            Tokens(x=torch.randn(1, PREFIX + grid.num_tokens, 24), grid=grid, num_prefix=PREFIX)
            for grid in GRIDS
        ]
    )


def qkv(tokens: PackedTokens, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Any:
    shape = (3, 1, HEADS, sum(tokens.lengths), HEAD_DIM)
    return torch.randn(shape, device=device, dtype=dtype).requires_grad_()


def own_picture(tokens: PackedTokens, *, window_size: int = 0) -> Tensor:
    """The block-diagonal mask: who stands in the same picture (and sees that far)."""
    blocks = []
    for grid, length in zip(tokens.grids, tokens.lengths, strict=True):
        block = torch.ones(length, length, dtype=torch.bool)
        if window_size:
            block = window_mask(grid, PREFIX, window_size, block)[0, 0]
        blocks.append(block)
    return torch.block_diag(*blocks).bool()[None, None]


def naive(x: Tensor, tokens: PackedTokens, *, window_size: int = 0) -> Tensor:
    """One attention over everybody, all other pictures hidden: what packing has to equal."""
    mask = own_picture(tokens, window_size=window_size).to(x.device)
    return attend(*x, path="explicit", mask=mask).transpose(1, 2).flatten(2)


def value_and_gradient(how: Callable[[Tensor], Tensor], x: Tensor) -> list[Tensor]:
    context = how(x)
    direction = torch.randn(context.shape, generator=torch.Generator().manual_seed(3))
    loss = (context.float() * direction.to(x.device)).sum()
    return [context.detach(), *torch.autograd.grad(loss, [x])]


def require_equal(one: list[Tensor], other: list[Tensor], tolerance: float = 1e-5) -> None:
    for found, expected in zip(one, other, strict=True):
        assert found.shape == expected.shape
        scale = expected.abs().max().item()
        torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * scale)


@both_paths
@pytest.mark.parametrize("window_size", [0, 2, 3])
def test_each_picture_sees_itself_as_under_a_block_diagonal_mask(
    tokens: PackedTokens, path: Path, window_size: int
) -> None:
    x = qkv(tokens)

    found = value_and_gradient(
        lambda x: attend_packed(*x, tokens=tokens, window_size=window_size, path=path), x
    )

    expected = value_and_gradient(lambda x: naive(x, tokens, window_size=window_size), x)
    require_equal(found, expected)


@prototype
def test_jagged_tensors_give_the_same(tokens: PackedTokens) -> None:
    """Written for CUDA; a CPU takes them too, slowly."""
    x = qkv(tokens)

    found = value_and_gradient(lambda x: attend_jagged(*x, tokens=tokens), x)

    require_equal(found, value_and_gradient(lambda x: naive(x, tokens), x))


def test_the_varlen_kernel_is_called_as_its_documentation_says(
    tokens: PackedTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel itself needs a GPU; here a loop with its documented arguments stands in."""

    def documented(
        query: Tensor,  # N A E, as key and value
        key: Tensor,
        value: Tensor,
        cu_seq_q: Tensor,
        cu_seq_k: Tensor,
        max_q: int,
        max_k: int,
    ) -> Tensor:
        assert cu_seq_q.dtype == cu_seq_k.dtype == torch.int32
        assert max_q == max_k == (cu_seq_q[1:] - cu_seq_q[:-1]).max()
        out = torch.empty_like(query)
        for start, end in zip(cu_seq_q, cu_seq_k[1:], strict=False):
            q, k, v = (part[start:end].transpose(0, 1) for part in (query, key, value))
            scores = q @ k.transpose(1, 2) / math.sqrt(query.shape[2])
            out[start:end] = (scores.softmax(dim=2) @ v).transpose(0, 1)
        return out

    monkeypatch.setattr(packed_module, "varlen_kernel", lambda: documented)
    x = qkv(tokens)

    found = value_and_gradient(lambda x: attend_varlen(*x, tokens=tokens), x)

    require_equal(found, value_and_gradient(lambda x: naive(x, tokens), x))


def test_the_varlen_kernel_of_this_torch_takes_what_it_is_given() -> None:
    kernel = varlen_kernel()
    if kernel is None:
        pytest.skip("torch has it from 2.10 on")

    given = inspect.signature(kernel).bind(*(Tensor() for _ in range(5)), 7, 7)

    names = ["query", "key", "value", "cu_seq_q", "cu_seq_k", "max_q", "max_k"]
    assert list(given.arguments) == names


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_kernels_of_a_gpu_give_the_same(tokens: PackedTokens, dtype: torch.dtype) -> None:
    """Written without a GPU at hand; never run."""
    x = qkv(tokens, device="cuda", dtype=dtype)
    on_gpu = pack([Tokens(x=p.x.cuda(), grid=p.grid, num_prefix=2) for p in tokens.unpack()])

    found = value_and_gradient(
        lambda x: attend_packed(*x, tokens=on_gpu, window_size=0, path="fused"), x
    )

    expected = value_and_gradient(lambda x: naive(x, tokens), x.detach().float().requires_grad_())
    tolerance = 0.02 if dtype == torch.bfloat16 else 1e-5
    require_equal([part.float() for part in found], expected, tolerance)


def make_attention(**kind: Any) -> SelfAttention:
    return SelfAttention(HEADS * HEAD_DIM, num_heads=HEADS, path="auto", **kind)


@pytest.mark.parametrize("kind", [{}, {"projection": "conv"}, {"window_size": 2}])
def test_self_attention_treats_each_packed_picture_as_if_it_were_alone(
    tokens: PackedTokens, kind: dict[str, Any]
) -> None:
    attention = make_attention(**kind)

    together = attention(tokens)

    alone = torch.cat([attention(picture) for picture in tokens.unpack()], dim=1)
    require_equal([together], [alone])


def test_a_trace_of_packed_pictures_is_refused(tokens: PackedTokens) -> None:
    with pytest.raises(ValueError, match=r"packed pictures cannot be traced.*one size at a time"):
        make_attention()(tokens, Trace())


def test_drop_path_leaves_out_whole_pictures_of_a_pack_and_scales_the_others() -> None:
    lengths = torch.randint(1, 9, (300,))
    bounds = torch.nn.functional.pad(lengths.cumsum(0), (1, 0)).int()

    dropped = DropPath(0.25).train()(torch.ones(1, int(bounds[-1]), 4), bounds)

    per_picture = [picture.unique() for picture in dropped.split(lengths.tolist(), dim=1)]
    assert all(len(values) == 1 for values in per_picture)
    values, counts = torch.cat(per_picture).unique(return_counts=True)
    torch.testing.assert_close(values, torch.tensor([0.0, 1 / 0.75]))
    assert counts[0].item() / 300 == pytest.approx(0.25, abs=0.08)


def test_drop_path_draws_the_same_for_a_batch_and_for_its_pack() -> None:
    batch = torch.randn(50, 6, 4)
    bounds = torch.arange(0, 51 * 6, 6, dtype=torch.int32)
    drop_path = DropPath(0.5).train()

    torch.manual_seed(7)
    of_batch = drop_path(batch)
    torch.manual_seed(7)
    of_pack = drop_path(batch.flatten(0, 1)[None], bounds)

    assert torch.equal(of_pack[0], of_batch.flatten(0, 1))


@pytest.mark.parametrize("drop_path", [0.0, 0.5])
def test_recomputing_gives_the_same_gradients_of_packed_pictures(
    tokens: PackedTokens, drop_path: float
) -> None:
    blocks = Blocks(
        Block(
            attention=make_attention(),
            mlp=Mlp(24, hidden_dim=30),
            attention_gate=make_gate("layerscale", 24),
            mlp_gate=make_gate("layerscale", 24),
            embed_dim=24,
            drop_path=drop_path,
        )
        for _ in range(2)
    ).train()
    found = []
    for blocks.recompute in (False, True):
        torch.manual_seed(5)
        loss = blocks(tokens).x.square().sum()
        found.append([loss, *torch.autograd.grad(loss, list(blocks.parameters()))])

    assert all(torch.equal(kept, again) for kept, again in zip(*found, strict=True))
