"""The two MLPs are their formulas, with the activation that was named."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from saccade.config.model import Activation
from saccade.transformer.mlp import GatedMlp, Mlp, activation_function


def erf_gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def tanh_gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


FORMULAS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": erf_gelu,
    "gelu_tanh": tanh_gelu,
    "quick_gelu": lambda x: x / (1 + torch.exp(-1.702 * x)),
    "silu": lambda x: x / (1 + torch.exp(-x)),
}

every_activation = pytest.mark.parametrize("name", FORMULAS)


@every_activation
def test_an_activation_is_its_formula(name: Activation) -> None:
    x = torch.linspace(-6, 6, 301)

    torch.testing.assert_close(activation_function(name)(x), FORMULAS[name](x))


def test_the_kinds_of_gelu_differ_by_up_to_two_hundredths_and_not_by_more() -> None:
    x = torch.linspace(-6, 6, 3001)
    exact = activation_function("gelu")(x)

    tanh, quick = (
        (activation_function(name)(x) - exact).abs().max().item()
        for name in ("gelu_tanh", "quick_gelu")
    )

    assert 1e-4 < tanh < 1e-3
    assert 0.015 < quick < 0.025


@every_activation
def test_the_mlp_is_two_linear_maps_with_the_activation_between(name: Activation) -> None:
    mlp, x = Mlp(12, hidden_dim=24, activation=name), torch.randn(2, 5, 12)

    hidden = FORMULAS[name](x @ mlp.widen.weight.T + mlp.widen.bias)
    expected = hidden @ mlp.narrow.weight.T + mlp.narrow.bias

    torch.testing.assert_close(mlp(x), expected)


def test_the_mlp_takes_the_exact_gelu_unless_told_otherwise() -> None:
    mlp, x = Mlp(12, hidden_dim=24), torch.randn(2, 5, 12)

    torch.testing.assert_close(mlp(x), mlp.narrow(erf_gelu(mlp.widen(x))))


@every_activation
def test_the_gated_mlp_bends_its_first_half_to_gate_the_second(name: Activation) -> None:
    mlp, x = GatedMlp(12, hidden_dim=20, activation=name), torch.randn(2, 5, 12)
    gate_weight, value_weight = mlp.widen.weight[:20], mlp.widen.weight[20:]
    gate_bias, value_bias = mlp.widen.bias[:20], mlp.widen.bias[20:]

    hidden = FORMULAS[name](x @ gate_weight.T + gate_bias) * (x @ value_weight.T + value_bias)
    expected = hidden @ mlp.narrow.weight.T + mlp.narrow.bias

    assert mlp.widen.weight.shape == (40, 12)
    torch.testing.assert_close(mlp(x), expected)


@pytest.mark.parametrize("kind", [Mlp, GatedMlp])
def test_each_token_is_treated_alone(kind: type[Mlp | GatedMlp]) -> None:
    mlp, x = kind(12, hidden_dim=24, activation="gelu"), torch.randn(2, 5, 12)

    together = mlp(x)

    for n in range(5):
        torch.testing.assert_close(mlp(x[:, n : n + 1]), together[:, n : n + 1])
