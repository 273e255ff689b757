"""Attention is its triple loop on both paths, masked or not, in value and in gradient."""

import math
from typing import Literal

import pytest
import torch
from torch import Tensor

from saccade.transformer import attend as attending
from saccade.transformer.attend import attend, fastest_path, softmax_scale

CPU, GPU = torch.device("cpu"), torch.device("cuda")
Path = Literal["fused", "explicit"]
PATHS: tuple[Path, ...] = ("fused", "explicit")


def qkv(dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """Queries of 5 tokens that look at 7."""
    torch.manual_seed(1)
    return [torch.randn(2, 3, n, 4).to(dtype).requires_grad_() for n in (5, 7, 7)]


def masks() -> dict[str, Tensor]:
    """Every shape a mask may have; each query sees something."""
    torch.manual_seed(2)
    found = {
        "of the keys": torch.rand(1, 1, 1, 7) < 0.5,
        "of each picture": torch.rand(2, 1, 5, 7) < 0.5,
        "of each head": torch.rand(2, 3, 5, 7) < 0.5,
    }
    for mask in found.values():
        mask[..., 3] = True
    return found


MASKS = masks()


def naive(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """The loop of the docstring; autograd goes through it."""
    everything = torch.ones(2, 3, 5, 7, dtype=torch.bool)
    allowed = everything if mask is None else mask.expand(2, 3, 5, 7)
    rows = []
    for b in range(2):
        for a in range(3):
            for n in range(5):
                seen = [m for m in range(7) if allowed[b, a, n, m]]
                powers = [(q[b, a, n] @ k[b, a, m]).exp() for m in seen]
                parts = [power * v[b, a, m] for power, m in zip(powers, seen, strict=True)]
                total = torch.stack(powers).sum() if seen else torch.ones(())
                rows.append(torch.stack(parts).sum(dim=0) / total if seen else torch.zeros(4))
    return torch.stack(rows).reshape(2, 3, 5, 4)


def value_and_gradients(how: Path | Literal["loop"], mask: Tensor | None = None) -> list[Tensor]:
    q, k, v = qkv()
    context = naive(q, k, v, mask) if how == "loop" else attend(q, k, v, path=how, mask=mask)
    direction = torch.randn(context.shape, generator=torch.Generator().manual_seed(3))
    return [context.detach(), *torch.autograd.grad((context * direction).sum(), [q, k, v])]


def require_equal(found: list[Tensor], expected: list[Tensor]) -> None:
    assert len(found) == len(expected) == 4
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("path", PATHS)
def test_attend_is_the_triple_loop_in_value_and_gradient(path: Path) -> None:
    require_equal(value_and_gradients(path), value_and_gradients("loop"))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_a_mask_leaves_keys_out_of_the_loop(mask: Tensor, path: Path) -> None:
    require_equal(value_and_gradients(path, mask), value_and_gradients("loop", mask))


@pytest.mark.parametrize("mask", [None, *MASKS.values()], ids=["none", *MASKS.keys()])
@pytest.mark.parametrize("num_rows", [1, 2, 4])
def test_a_large_map_is_formed_in_rows_and_is_the_loop_all_the_same(
    mask: Tensor | None, num_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "MAP_BYTES", num_rows * 2 * 3 * 7 * 4)
    softmaxed = []
    softmax = Tensor.softmax

    def spy(scores: Tensor, dim: int) -> Tensor:
        softmaxed.append(scores.shape[2])
        return softmax(scores, dim=dim)

    monkeypatch.setattr(Tensor, "softmax", spy)
    require_equal(value_and_gradients("explicit", mask), value_and_gradients("loop", mask))

    assert max(softmaxed) == num_rows
    assert sum(softmaxed) == 5


@pytest.mark.parametrize("path", PATHS)
def test_a_mask_that_hides_nothing_changes_nothing(path: Path) -> None:
    everything = torch.ones(1, 1, 5, 7, dtype=torch.bool)

    require_equal(value_and_gradients(path, everything), value_and_gradients(path))


@pytest.mark.parametrize("path", PATHS)
def test_what_is_hidden_has_no_influence_however_large_it_is(path: Path) -> None:
    q, k, v = (tensor.detach() for tensor in qkv())
    mask = MASKS["of the keys"]
    hidden = ~mask[0, 0, 0]
    before = attend(q, k, v, path=path, mask=mask)

    k[:, :, hidden], v[:, :, hidden] = 1e4, 1e4

    assert torch.equal(attend(q, k, v, path=path, mask=mask), before)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("hides_all", [False, True], ids=["one query", "every query"])
def test_a_query_that_may_see_nothing_gets_zeros_and_its_gradients_are_the_loops(
    path: Path, hides_all: bool
) -> None:
    mask = MASKS["of each head"].clone()
    mask[:, :, 2] = False
    if hides_all:
        mask[:] = False

    found = value_and_gradients(path, mask)

    assert not found[0][:, :, 2].any()
    assert all(tensor.isfinite().all() for tensor in found)
    if hides_all:
        assert not any(tensor.any() for tensor in found)
    else:
        require_equal(found, value_and_gradients("loop", mask))


@pytest.mark.parametrize("path", PATHS)
def test_a_query_that_may_see_nothing_is_harmless_in_bf16_too(path: Path) -> None:
    q, k, v = qkv(torch.bfloat16)
    mask = MASKS["of each picture"].clone()
    mask[1, :, 4] = False

    context = attend(q, k, v, path=path, mask=mask)
    context.float().square().sum().backward()

    assert context.dtype == torch.bfloat16
    assert not context[1, :, 4].any()
    assert all(x.grad is not None and x.grad.isfinite().all() for x in (q, k, v))


@pytest.mark.parametrize("masked", [False, True])
def test_both_paths_agree_loosely_in_bf16(masked: bool) -> None:
    q, k, v = (tensor.detach() for tensor in qkv(torch.bfloat16))
    mask = MASKS["of each head"] if masked else None

    fused, explicit = (attend(q, k, v, path=path, mask=mask) for path in PATHS)

    assert fused.dtype == explicit.dtype == torch.bfloat16
    torch.testing.assert_close(fused, explicit, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("path", PATHS)
def test_each_head_answers_for_itself(path: Path) -> None:
    q, k, v = (tensor.detach() for tensor in qkv())
    together = attend(q, k, v, path=path)

    for a in range(3):
        alone = attend(*(x[:, a : a + 1] for x in (q, k, v)), path=path)
        torch.testing.assert_close(alone, together[:, a : a + 1])


@pytest.mark.parametrize("path", PATHS)
def test_autocast_does_not_change_the_precision_inside(path: Path) -> None:
    """It would run the explicit softmax in fp32, and products of fp32 inputs in bf16."""
    q, k, v = (tensor.detach() for tensor in qkv())

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = attend(q, k, v, path=path)

    assert torch.equal(found, attend(q, k, v, path=path))


@pytest.mark.parametrize("setting", PATHS)
def test_a_path_that_was_asked_for_is_taken(setting: Path) -> None:
    assert fastest_path(setting, device=GPU, dtype=torch.float32, num_tokens=9) == setting
    assert fastest_path(setting, device=CPU, dtype=torch.bfloat16, num_tokens=9) == setting


@pytest.mark.parametrize(
    ("device", "dtype", "num_tokens", "expected"),
    [
        (CPU, torch.bfloat16, 65, "explicit"),
        (CPU, torch.bfloat16, 785, "fused"),
        (CPU, torch.float32, 65, "fused"),
        (GPU, torch.bfloat16, 65, "fused"),
    ],
)
def test_auto_takes_the_path_that_was_measured_faster(
    device: torch.device, dtype: torch.dtype, num_tokens: int, expected: str
) -> None:
    assert fastest_path("auto", device=device, dtype=dtype, num_tokens=num_tokens) == expected


def test_the_scale_keeps_the_variance_of_random_scores_at_one() -> None:
    q, k = torch.randn(2, 4000, 64)

    assert (softmax_scale(64) * (q * k).sum(dim=1)).var().item() == pytest.approx(1, abs=0.1)
    assert softmax_scale(16) == 1 / math.sqrt(16)
