"""Our linear map is PyTorch's, on whichever matrix library, in value and in gradient."""

import copy

import pytest
import torch
from torch import Tensor, nn

from saccade.transformer import linear
from saccade.transformer.linear import Linear, prefers_onednn

needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available() or "_linear_pointwise" not in dir(torch.ops.mkldnn),
    reason="this build of PyTorch has no oneDNN",
)


@pytest.fixture
def onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that multiplies faster with oneDNN."""
    monkeypatch.setattr(linear, "prefers_onednn", lambda: True)


def pair(*, bias: bool = True) -> tuple[Linear, nn.Linear]:
    ours = Linear(20, 7, bias=bias)
    theirs = nn.Linear(20, 7, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def gradients(layer: nn.Module, x: Tensor, direction: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    out = layer(x)
    return [out, *torch.autograd.grad((out * direction).sum(), [x, *layer.parameters()])]


@needs_onednn
@pytest.mark.usefixtures("onednn")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 20), (3, 5, 20), (2, 3, 5, 20)])
def test_onednn_gives_the_value_and_the_gradients_of_pytorch(
    shape: tuple[int, ...], bias: bool
) -> None:
    ours, theirs = pair(bias=bias)
    x, direction = torch.randn(shape), torch.randn(*shape[:-1], 7)

    assert type(ours(x).grad_fn).__name__ == "_OneDnnLinearBackward"
    found, expected = gradients(ours, x, direction), gradients(theirs, x, direction)

    assert len(found) == (4 if bias else 3)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@needs_onednn
@pytest.mark.usefixtures("onednn")
@pytest.mark.parametrize("narrow", [1, 1000], ids=["wide", "narrow"])
def test_the_gradient_of_a_weight_is_the_same_from_both_libraries(
    narrow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "NARROW", narrow)
    ours, theirs = pair()
    x, direction = torch.randn(3, 50, 20), torch.randn(3, 50, 7)

    found, expected = gradients(ours, x, direction), gradients(theirs, x, direction)
    torch.testing.assert_close(found[2], expected[2], rtol=1e-5, atol=1e-4)


@needs_onednn
@pytest.mark.usefixtures("onednn")
def test_an_input_in_another_memory_order_is_multiplied_the_same() -> None:
    ours, theirs = pair()
    x = torch.randn(3, 20, 5).transpose(1, 2)

    direction = torch.randn(3, 7, 5).transpose(1, 2)
    for one, other in zip(
        gradients(ours, x, direction), gradients(theirs, x, direction), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@needs_onednn
@pytest.mark.usefixtures("onednn")
def test_a_frozen_weight_gets_no_gradient_and_lets_it_pass() -> None:
    ours, theirs = pair()
    ours.requires_grad_(False)
    x = torch.randn(4, 20, requires_grad=True)

    ours(x).sum().backward()

    assert ours.weight.grad is None
    assert x.grad is not None
    torch.testing.assert_close(x.grad, theirs.weight.sum(dim=0).expand(4, -1))


@pytest.mark.usefixtures("onednn")
def test_it_stays_out_of_the_way_of_autocast_doubles_and_tracing() -> None:
    ours, _ = pair()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ours(torch.randn(4, 20)).dtype == torch.bfloat16
    assert copy.deepcopy(ours).double()(torch.randn(4, 20).double()).dtype == torch.float64
    assert ours(torch.randn(20)).shape == (7,)
    with torch.device("meta"):
        assert Linear(3, 4)(torch.empty(2, 3)).shape == (2, 4)


def test_without_onednn_it_is_pytorch_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "prefers_onednn", lambda: False)
    ours, theirs = pair()
    x = torch.randn(3, 5, 20)

    assert torch.equal(ours(x), theirs(x))


def test_the_choice_is_a_rule_and_not_a_timing() -> None:
    prefers_onednn.cache_clear()
    first = prefers_onednn()
    prefers_onednn.cache_clear()

    assert prefers_onednn() == first
