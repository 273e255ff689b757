"""A block is two residual lines, starts as its residual rule says, and can always learn."""

import pytest
import torch
from torch import nn

from saccade.config.model import Residual
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Block, Mlp, init_linear, make_blocks
from saccade.transformer.residual import LayerScale, make_gate
from saccade.transformer.trace import Trace

RULES: tuple[Residual, ...] = ("prenorm", "rezero", "layerscale")


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(x=torch.randn(3, 1 + 6, 12), grid=Grid(1, 2, 3), num_prefix=1)


def make_block(rule: Residual, *, drop_path: float = 0.0) -> Block:
    return Block(
        attention=SelfAttention(12, num_heads=3, path="fused"),
        mlp=Mlp(12, hidden_dim=24),
        attention_gate=make_gate(rule, 12),
        mlp_gate=make_gate(rule, 12),
        embed_dim=12,
        drop_path=drop_path,
    )


def randomise(block: Block) -> Block:
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    return block


def test_the_mlp_is_two_linear_maps_with_a_gelu_between(tokens: Tokens) -> None:
    mlp = Mlp(12, hidden_dim=24)

    hidden = tokens.x @ mlp.widen.weight.T + mlp.widen.bias
    bent = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    expected = bent @ mlp.narrow.weight.T + mlp.narrow.bias

    torch.testing.assert_close(mlp(tokens.x), expected)


@pytest.mark.parametrize("rule", RULES)
def test_a_block_is_two_residual_lines(rule: Residual, tokens: Tokens) -> None:
    block = randomise(make_block(rule))
    factors = {
        "prenorm": lambda gate: 1.0,
        "rezero": lambda gate: gate.alpha,
        "layerscale": lambda gate: gate.gamma,
    }[rule]

    attended = block.attention(
        block.attention_norm(tokens.x), num_prefix=1, grid=tokens.grid, trace=None
    )
    x = tokens.x + factors(block.attention_gate) * attended
    x = x + factors(block.mlp_gate) * block.mlp(block.mlp_norm(x))

    out = block(tokens)
    torch.testing.assert_close(out.x, x)
    assert (out.grid, out.num_prefix) == (tokens.grid, tokens.num_prefix)


def test_a_rezero_block_starts_as_the_identity(tokens: Tokens) -> None:
    assert torch.equal(make_block("rezero")(tokens).x, tokens.x)


def test_a_layerscale_block_starts_close_to_the_identity(tokens: Tokens) -> None:
    moved = (make_block("layerscale")(tokens).x - tokens.x).abs().max()

    assert 0 < moved < 1e-2


def test_at_first_only_alpha_has_a_gradient_and_the_branch_follows(tokens: Tokens) -> None:
    block = make_block("rezero")
    optimizer = torch.optim.SGD(block.parameters(), lr=0.1)
    goal = torch.randn_like(tokens.x)

    with_gradient = []
    for _ in range(2):
        optimizer.zero_grad()
        (block(tokens).x - goal).square().mean().backward()
        with_gradient.append(
            {name for name, p in block.named_parameters() if p.grad is not None and p.grad.any()}
        )
        optimizer.step()

    assert with_gradient[0] == {"attention_gate.alpha", "mlp_gate.alpha"}
    assert with_gradient[1] == {name for name, _ in block.named_parameters()}


@pytest.mark.parametrize("branch", ["attention", "mlp"])
def test_a_block_that_could_never_learn_is_refused(branch: str) -> None:
    attention, mlp = SelfAttention(12, num_heads=3, path="auto"), Mlp(12, hidden_dim=24)
    nn.init.zeros_({"attention": attention.proj, "mlp": mlp.narrow}[branch].weight)

    with pytest.raises(ValueError, match=r"alpha = 0 .* zero weights"):
        Block(
            attention=attention,
            mlp=mlp,
            attention_gate=make_gate("rezero", 12),
            mlp_gate=make_gate("rezero", 12),
            embed_dim=12,
            drop_path=0.0,
        )


def test_a_zero_output_layer_is_allowed_where_alpha_is_not_zero(tokens: Tokens) -> None:
    mlp, gate = Mlp(12, hidden_dim=24), make_gate("rezero", 12)
    nn.init.zeros_(mlp.narrow.weight)
    nn.init.constant_(gate.get_parameter("alpha"), 1.0)

    block = Block(
        attention=SelfAttention(12, num_heads=3, path="auto"),
        mlp=mlp,
        attention_gate=make_gate("rezero", 12),
        mlp_gate=gate,
        embed_dim=12,
        drop_path=0.0,
    )
    block(tokens).x.square().sum().backward()

    assert mlp.narrow.weight.grad is not None
    assert mlp.narrow.weight.grad.any()


def test_pictures_skip_branches_only_in_training(tokens: Tokens) -> None:
    block = randomise(make_block("prenorm", drop_path=0.999))
    many = Tokens(x=tokens.x.repeat(20, 1, 1), grid=tokens.grid, num_prefix=1)

    skipped = (block.train()(many).x == many.x).all(dim=2).all(dim=1)

    assert skipped.float().mean() > 0.9
    torch.testing.assert_close(block.eval()(many).x, block(tokens).x.repeat(20, 1, 1))


def test_the_trace_notes_alpha_and_the_blocks_output(tokens: Tokens) -> None:
    block = make_block("rezero")
    nn.init.constant_(block.get_parameter("attention_gate.alpha"), -0.25)
    trace = Trace()

    out = block(tokens, trace)

    (layer,) = trace.layers
    assert layer.alpha == -0.25
    assert layer.tokens is out
    torch.testing.assert_close(out.x, block(tokens).x)


@pytest.mark.parametrize(("depth", "rates"), [(1, [0.0]), (3, [0.0, 0.1, 0.2]), (0, [])])
def test_drop_path_grows_with_depth(depth: int, rates: list[float]) -> None:
    blocks = make_blocks(
        embed_dim=8,
        depth=depth,
        num_heads=2,
        mlp_ratio=1.5,
        residual="layerscale",
        drop_path=0.2,
        attention="explicit",
    )

    parts = [block for block in blocks if isinstance(block, Block)]
    assert len(parts) == depth
    assert [block.drop_path.rate for block in parts] == pytest.approx(rates)
    for block in parts:
        assert block.mlp.widen.out_features == 12
        assert isinstance(block.mlp_gate, LayerScale)
        assert block.attention.path == "explicit"


@pytest.mark.parametrize("width", [24, 384])
def test_fresh_linear_maps_keep_the_variance_at_any_width(width: int) -> None:
    linear = nn.Linear(width, width)
    nn.init.ones_(linear.bias)

    linear.apply(init_linear)

    assert not linear.bias.any()
    assert linear(torch.randn(500, width)).var().item() == pytest.approx(1, abs=0.2)


def test_initialising_leaves_norms_and_gates_alone() -> None:
    block = make_block("layerscale")

    block.apply(init_linear)

    assert (block.attention_norm.weight == 1).all()
    assert (block.get_parameter("attention_gate.gamma") == 1e-4).all()
