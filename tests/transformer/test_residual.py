"""Residual gates start where their papers say, learn, and are never dead from the start."""

import pytest
import torch
from torch import Tensor, nn

from saccade.config.model import Residual
from saccade.transformer.residual import (
    DropPath,
    LayerScale,
    Plain,
    ReZero,
    make_gate,
    refuse_dead_branch,
)


@pytest.fixture
def branch() -> Tensor:
    return torch.randn(4, 5, 6)


def test_a_plain_gate_lets_the_branch_through(branch: Tensor) -> None:
    assert torch.equal(Plain()(branch), branch)
    assert Plain().strength == 1.0


def test_rezero_starts_closed_and_scales_by_one_number(branch: Tensor) -> None:
    gate = ReZero()
    assert gate.strength == 0.0
    assert not gate(branch).any()

    nn.init.constant_(gate.alpha, -0.5)

    assert torch.equal(gate(branch), -0.5 * branch)
    assert gate.strength == -0.5


def test_layerscale_starts_small_and_scales_channel_by_channel(branch: Tensor) -> None:
    gate = LayerScale(6, initial=0.01)
    torch.testing.assert_close(gate(branch), 0.01 * branch)
    assert gate.strength == pytest.approx(0.01)

    with torch.no_grad():
        gate.gamma.copy_(torch.tensor([0.0, 1.0, -2.0, 3.0, 0.0, 0.0]))

    assert torch.equal(gate(branch)[..., 2], -2 * branch[..., 2])
    assert gate.strength == 1.0


@pytest.mark.parametrize(
    ("rule", "gate", "strength"),
    [("prenorm", Plain, 1.0), ("rezero", ReZero, 0.0), ("layerscale", LayerScale, 1e-4)],
)
def test_each_rule_has_its_gate(rule: Residual, gate: type[nn.Module], strength: float) -> None:
    made = make_gate(rule, 6)

    assert isinstance(made, gate)
    assert made.strength == pytest.approx(strength)


def make_branch(*, last_is_zero: bool) -> nn.Sequential:
    branch = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 6))
    if last_is_zero:
        nn.init.zeros_(branch.get_parameter("2.weight"))
        nn.init.zeros_(branch.get_parameter("2.bias"))
    return branch


def test_zero_times_zero_gives_no_gradient_to_either() -> None:
    """The trap itself: this is why the next test is worth its lines."""
    gate, branch = ReZero(), make_branch(last_is_zero=True)

    gate(branch(torch.randn(2, 3, 6))).square().sum().backward()
    gate(branch(torch.randn(2, 3, 6))).sum().backward()

    for parameter in (gate.alpha, *branch.parameters()):
        assert parameter.grad is not None
        assert not parameter.grad.any()


def test_zero_times_zero_is_refused_and_both_zeros_are_named() -> None:
    with pytest.raises(ValueError, match=r"alpha = 0.*zero weights.*away from zero"):
        refuse_dead_branch(make_branch(last_is_zero=True), ReZero())


def test_one_zero_alone_is_allowed() -> None:
    open_gate = ReZero()
    nn.init.constant_(open_gate.alpha, 0.1)

    refuse_dead_branch(make_branch(last_is_zero=False), ReZero())
    refuse_dead_branch(make_branch(last_is_zero=True), open_gate)
    refuse_dead_branch(make_branch(last_is_zero=True), Plain())
    refuse_dead_branch(make_branch(last_is_zero=True), LayerScale(6, initial=1e-4))


def test_a_branch_without_numbers_yet_is_not_judged() -> None:
    """On the meta device, where models are measured, there is nothing to read."""
    with torch.device("meta"):
        refuse_dead_branch(make_branch(last_is_zero=False), ReZero())


def test_drop_path_is_the_identity_in_evaluation(branch: Tensor) -> None:
    assert torch.equal(DropPath(0.9).eval()(branch), branch)


def test_drop_path_at_rate_zero_is_the_identity_in_training(branch: Tensor) -> None:
    assert torch.equal(DropPath(0.0).train()(branch), branch)


def test_drop_path_leaves_out_whole_pictures_and_scales_the_others() -> None:
    dropped = DropPath(0.25).train()(torch.ones(200, 3, 4))

    per_picture = dropped.flatten(1)
    assert (per_picture == per_picture[:, :1]).all()
    torch.testing.assert_close(dropped.unique(), torch.tensor([0.0, 1 / 0.75]))


def test_drop_path_keeps_the_expectation() -> None:
    dropped = DropPath(0.3).train()(torch.ones(20_000, 1, 1))

    assert dropped.mean().item() == pytest.approx(1, abs=0.03)


def test_drop_path_follows_torchs_generator(branch: Tensor) -> None:
    drop_path = DropPath(0.5).train()
    draws = []
    for _ in range(2):
        torch.manual_seed(7)
        draws.append(drop_path(branch))

    assert torch.equal(*draws)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 20.0, float("nan")])
def test_a_rate_that_leaves_nothing_to_learn_from_is_refused(rate: float) -> None:
    """At 1 the scale of the others is 1 / 0; 20 is somebody's percent."""
    with pytest.raises(ValueError, match=str(rate)):
        DropPath(rate)
