"""Windows see what the mask says they see, without looking outside."""

from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from saccade.shapes import Grid
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.tokens import Tokens
from saccade.transformer.attend import attend
from saccade.transformer.attention import SelfAttention
from saccade.transformer.trace import Trace
from saccade.transformer.window import attend_in_windows, window_mask

Path = Literal["fused", "explicit"]
both_paths = pytest.mark.parametrize("path", ["fused", "explicit"])

# Grid, prefix tokens, window: whole windows, ragged ones, frames, one larger than the grid.
CASES = [
    (Grid(1, 4, 6), 0, 2),
    (Grid(1, 4, 6), 3, 2),
    (Grid(1, 5, 7), 0, 3),
    (Grid(1, 5, 7), 1, 3),
    (Grid(1, 2, 9), 2, 4),
    (Grid(3, 4, 4), 1, 2),
    (Grid(2, 3, 5), 0, 2),
    (Grid(1, 3, 3), 1, 1),
    (Grid(1, 3, 4), 2, 9),
]
every_case = pytest.mark.parametrize(("grid", "num_prefix", "window_size"), CASES)


def naive_mask(grid: Grid, num_prefix: int, window_size: int) -> Tensor:
    """Token by token: where it stands, and whether that is in the same window."""
    places = [None] * num_prefix + [
        (t, row // window_size, column // window_size)
        for t in range(grid.t)
        for row in range(grid.h)
        for column in range(grid.w)
    ]
    return torch.tensor(
        [[None in (one, other) or one == other for other in places] for one in places]
    )


def qkv(grid: Grid, num_prefix: int) -> list[Tensor]:
    shape = (2, 3, num_prefix + grid.num_tokens, 4)
    return [torch.randn(shape).requires_grad_() for _ in range(3)]


@every_case
def test_the_mask_joins_each_patch_with_its_window_and_the_prefix_with_everything(
    grid: Grid, num_prefix: int, window_size: int
) -> None:
    mask = window_mask(grid, num_prefix, window_size, torch.empty(0))

    assert torch.equal(mask[0, 0], naive_mask(grid, num_prefix, window_size))


@both_paths
@every_case
def test_windows_are_attention_under_their_mask_in_value_and_gradient(
    grid: Grid, num_prefix: int, window_size: int, path: Path
) -> None:
    inputs = qkv(grid, num_prefix)
    mask = naive_mask(grid, num_prefix, window_size)[None, None]

    windowed = attend_in_windows(
        *inputs, grid=grid, num_prefix=num_prefix, window_size=window_size, path=path
    )
    masked = attend(*inputs, path=path, mask=mask)

    torch.testing.assert_close(windowed, masked, rtol=1e-4, atol=1e-5)
    direction = torch.randn(masked.shape)
    for found, expected in zip(
        torch.autograd.grad((windowed * direction).sum(), inputs),
        torch.autograd.grad((masked * direction).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@both_paths
def test_a_patch_is_not_touched_by_what_stands_outside_its_window(path: Path) -> None:
    grid = Grid(1, 4, 4)
    inputs = [x.detach() for x in qkv(grid, 0)]
    arguments = {"grid": grid, "num_prefix": 0, "window_size": 2, "path": path}
    before = attend_in_windows(*inputs, **arguments).unflatten(2, (4, 4))

    for x in inputs[1:]:
        x.unflatten(2, (4, 4))[:, :, 2:, 2:] = 50.0

    after = attend_in_windows(*inputs, **arguments).unflatten(2, (4, 4))
    changed = (after != before).any(dim=4)[0, 0]
    assert changed[2:, 2:].all()
    assert not changed[:2].any()
    assert not changed[:, :2].any()


def make_attention(path: Path = "fused", *, window_size: int, **kind: Any) -> SelfAttention:
    return SelfAttention(12, num_heads=3, path=path, window_size=window_size, **kind)


def make_tokens(grid: Grid, num_prefix: int) -> Tokens:
    x = torch.randn(2, num_prefix + grid.num_tokens, 12)
    return Tokens(x=x, grid=grid, num_prefix=num_prefix)


@both_paths
@pytest.mark.parametrize("kind", [{}, {"similarity": "cosine"}, {"projection": "conv"}])
def test_a_windowed_layer_is_a_whole_one_under_the_mask(path: Path, kind: dict[str, Any]) -> None:
    windowed = make_attention(path, window_size=3, **kind)
    whole = make_attention(path, window_size=0, **kind)
    whole.load_state_dict(windowed.state_dict())
    tokens = RotaryPosition(4, base=100.0)(make_tokens(Grid(1, 5, 7), 2))
    mask = naive_mask(tokens.grid, 2, 3)[None, None]

    expected = whole(replace(tokens, attention_mask=mask))

    torch.testing.assert_close(windowed(tokens), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("window_size", [0, 4, 100])
def test_a_window_as_large_as_the_grid_is_no_window(window_size: int) -> None:
    torch.manual_seed(4)
    whole = make_attention(window_size=0)
    torch.manual_seed(4)
    windowed = make_attention(window_size=window_size)
    tokens, trace = make_tokens(Grid(1, 3, 4), 1), Trace()

    assert torch.equal(windowed(tokens, trace), whole(tokens))
    assert trace.layers[0].mask is None


def test_a_mask_of_the_tokens_and_the_window_hold_together() -> None:
    windowed, whole = make_attention(window_size=2), make_attention(window_size=0)
    whole.load_state_dict(windowed.state_dict())
    tokens = make_tokens(Grid(1, 4, 4), 1)
    given = torch.rand(2, 1, 17, 17) < 0.7
    both = given & naive_mask(tokens.grid, 1, 2)

    found = windowed(replace(tokens, attention_mask=given))

    torch.testing.assert_close(found, whole(replace(tokens, attention_mask=both)))


@both_paths
def test_the_trace_of_a_windowed_layer_gives_the_map_that_made_its_context(path: Path) -> None:
    tokens, trace = make_tokens(Grid(1, 5, 4), 1), Trace()

    traced = make_attention(path, window_size=2)(tokens, trace)

    (layer,) = trace.layers
    weights = layer.attention()
    assert traced.shape == tokens.x.shape
    assert torch.equal(weights[0, 0] > 0, naive_mask(tokens.grid, 1, 2))
    torch.testing.assert_close(weights @ layer.v, layer.context)


def test_windows_may_run_under_autocast() -> None:
    attention, tokens = make_attention(window_size=2), make_tokens(Grid(1, 5, 4), 1)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = attention(tokens)

    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), attention(tokens), rtol=0.1, atol=0.05)
