"""A modulated block starts as the identity, learns all its parts, refuses a second shut gate."""

import pytest
import torch
from torch import Tensor, nn

from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.mlp import Mlp
from saccade.transformer.modulate import (
    ModulatedBlock,
    ModulatedBlocks,
    Modulation,
    init_modulated,
    modulate,
)
from saccade.transformer.residual import LayerScale, Plain, ReZero

DIM = 12


def block(gate: type[Plain] | type[ReZero] = Plain) -> ModulatedBlock:
    return ModulatedBlock(
        attention=SelfAttention(DIM, num_heads=3, path="explicit", has_qk_norm=True),
        mlp=Mlp(DIM, hidden_dim=24),
        attention_gate=gate(),
        mlp_gate=Plain(),
        modulation=Modulation(DIM, num_parts=6),
        embed_dim=DIM,
        drop_path=0.0,
    )


def tokens(batch: int = 2) -> Tokens:
    return Tokens(x=torch.randn(batch, 6, DIM), grid=Grid(1, 2, 3), num_prefix=0)


def opened(made: ModulatedBlock) -> ModulatedBlock:
    """With random numbers in the modulations, as after some training."""
    for module in made.modules():
        if isinstance(module, Modulation):
            nn.init.normal_(module.project.weight, std=0.5)
    return made


def gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def written_out(made: ModulatedBlock, x: Tensor, condition: Tensor) -> Tensor:
    """The formula of the DiT paper, a picture at a time."""
    outs = []
    for one, c in zip(x, condition, strict=True):
        parts = made.modulation.project(c * torch.sigmoid(c)).reshape(6, DIM)
        grid = Grid(1, 2, 3)
        normed = nn.functional.layer_norm(one, (DIM,), eps=1e-6)
        seen = Tokens(x=(normed * (1 + parts[1]) + parts[0])[None], grid=grid, num_prefix=0)
        one = one + parts[2] * made.attention(seen)[0]
        normed = nn.functional.layer_norm(one, (DIM,), eps=1e-6)
        outs.append(one + parts[5] * made.mlp((normed * (1 + parts[4]) + parts[3])[None])[0])
    return torch.stack(outs)


def test_a_fresh_block_is_the_identity_whatever_the_condition() -> None:
    given = tokens()

    assert torch.equal(block()(given, torch.randn(2, DIM)).x, given.x)


def test_an_opened_block_is_the_papers_formula() -> None:
    made, given, condition = opened(block()), tokens(), torch.randn(2, DIM)

    found = made(given, condition).x

    torch.testing.assert_close(found, written_out(made, given.x, condition))
    assert not torch.allclose(found, given.x, atol=0.1)


def test_two_pictures_follow_their_own_conditions() -> None:
    made, given = opened(block()), tokens(1)
    both = given.with_x(given.x.expand(2, -1, -1))

    first, second = made(both, torch.randn(2, DIM)).x

    assert not torch.allclose(first, second, atol=0.1)


def test_the_gates_learn_first_and_the_branches_next() -> None:
    made, given, condition = block(), tokens(), torch.randn(2, DIM)
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1)

    made(given, condition).x.square().sum().backward()
    silent = {name for name, p in made.named_parameters() if not gradient(p).any()}
    assert {"modulation.project.weight", "attention.proj.weight"} - silent == {
        "modulation.project.weight"
    }
    optimizer.step()
    optimizer.zero_grad()
    made(given, condition).x.square().sum().backward()

    silent = {name for name, p in made.named_parameters() if not gradient(p).any()}
    assert silent == set()


def test_rezero_on_top_of_a_shut_gate_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha = 0"):
        block(gate=ReZero)


def test_layerscale_is_allowed_since_it_does_not_start_at_zero() -> None:
    ModulatedBlock(
        attention=SelfAttention(DIM, num_heads=3, path="explicit"),
        mlp=Mlp(DIM, hidden_dim=24),
        attention_gate=LayerScale(DIM, initial=1e-4),
        mlp_gate=Plain(),
        modulation=Modulation(DIM, num_parts=6),
        embed_dim=DIM,
        drop_path=0.0,
    )


def test_the_init_keeps_modulations_at_zero_and_fills_the_rest() -> None:
    made = opened(block()).apply(init_modulated)

    assert not made.modulation.project.weight.any()
    assert made.attention.qkv.weight.any()


def test_modulating_by_zeros_changes_nothing() -> None:
    x, zero = torch.randn(2, 5, DIM), torch.zeros(2, 1, DIM)

    assert torch.equal(modulate(x, shift=zero, scale=zero), x)


def test_recomputing_changes_no_bit_of_value_or_gradient() -> None:
    torch.manual_seed(0)
    made = ModulatedBlocks([opened(block()), opened(block())]).train()
    given, condition, found = tokens(), torch.randn(2, DIM), []
    for made.recompute in (False, True):
        made.zero_grad()
        out = made(given, condition).x
        out.square().sum().backward()
        found.append([out.detach(), *(gradient(p).clone() for p in made.parameters())])

    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
