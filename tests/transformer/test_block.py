"""A block is two residual lines, can always learn, and may be computed twice to save memory."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from saccade.config.model import Projection, Residual
from saccade.shapes import Grid
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Block, Blocks, init_linear
from saccade.transformer.mlp import GatedMlp, Mlp
from saccade.transformer.residual import make_gate
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


@pytest.mark.parametrize("rule", RULES)
def test_a_block_is_two_residual_lines(rule: Residual, tokens: Tokens) -> None:
    block = randomise(make_block(rule))
    factors = {
        "prenorm": lambda gate: 1.0,
        "rezero": lambda gate: gate.alpha,
        "layerscale": lambda gate: gate.gamma,
    }[rule]

    attended = block.attention(tokens.with_x(block.attention_norm(tokens.x)))
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


@pytest.mark.parametrize("branch", ["attention", "conv attention", "mlp", "gated mlp"])
def test_a_block_that_could_never_learn_is_refused(branch: str) -> None:
    projection: Projection = "conv" if branch == "conv attention" else "linear"
    attention = SelfAttention(12, num_heads=3, path="auto", projection=projection)
    kind = GatedMlp if branch == "gated mlp" else Mlp
    mlp = kind(12, hidden_dim=24, activation="gelu")
    nn.init.zeros_(attention.proj.weight if "attention" in branch else mlp.narrow.weight)

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


def test_norm_eps_reaches_both_norms() -> None:
    block = Block(
        attention=SelfAttention(12, num_heads=3, path="auto"),
        mlp=Mlp(12, hidden_dim=24),
        attention_gate=make_gate("prenorm", 12),
        mlp_gate=make_gate("prenorm", 12),
        embed_dim=12,
        drop_path=0.0,
        norm_eps=1e-3,
    )

    assert (block.attention_norm.eps, block.mlp_norm.eps) == (1e-3, 1e-3)
    assert make_block("prenorm").mlp_norm.eps == 1e-6


def make_blocks(*, drop_path: float = 0.0) -> Blocks:
    return Blocks(make_block("prenorm", drop_path=drop_path) for _ in range(3))


def test_blocks_are_applied_one_after_the_other(tokens: Tokens) -> None:
    blocks, trace = make_blocks(), Trace()

    expected = tokens
    for block in blocks:
        expected = block(expected)

    out = blocks(tokens, trace)
    assert torch.equal(out.x, expected.x)
    assert len(trace.layers) == 3
    assert trace.layers[-1].tokens is out
    assert torch.equal(Blocks()(tokens).x, tokens.x)


class Calls:
    """Counts how often each block runs forward."""

    def __init__(self, blocks: Blocks) -> None:
        self.counts = [0] * len(blocks)
        for index, block in enumerate(blocks):
            block.register_forward_pre_hook(lambda *_, index=index: self._count(index))

    def _count(self, index: int) -> None:
        self.counts[index] += 1


def loss_and_gradients(blocks: Blocks, tokens: Tokens) -> list[torch.Tensor]:
    """Of one training step with a fixed seed, the gradient of the input among them."""
    x = tokens.x.clone().requires_grad_()
    torch.manual_seed(5)
    loss = blocks(tokens.with_x(x)).x.square().mean()
    torch.rand(3)  # whatever else draws numbers before the backward pass
    return [loss, *torch.autograd.grad(loss, [x, *blocks.parameters()])]


@pytest.mark.parametrize("drop_path", [0.0, 0.5])
def test_recomputing_gives_the_same_bits_and_runs_each_block_again(
    drop_path: float, tokens: Tokens
) -> None:
    blocks = make_blocks(drop_path=drop_path).train()
    kept = loss_and_gradients(blocks, tokens)
    calls = Calls(blocks)
    blocks.recompute = True

    recomputed = loss_and_gradients(blocks, tokens)

    assert calls.counts == [2, 2, 2]
    assert len(kept) == 2 + len(list(blocks.parameters()))
    for one, other in zip(kept, recomputed, strict=True):
        assert torch.equal(one, other)


def test_the_seed_of_the_test_above_matters() -> None:
    """Else equal bits under drop_path would prove nothing."""
    blocks = make_blocks(drop_path=0.5).train()
    tokens = Tokens(x=torch.randn(8, 7, 12), grid=Grid(1, 2, 3), num_prefix=1)

    assert not torch.equal(blocks(tokens).x, blocks(tokens).x)


def test_recomputing_keeps_less_for_the_backward_pass(tokens: Tokens) -> None:
    def kept_bytes(blocks: Blocks) -> int:
        sizes: dict[int, int] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            out = blocks(tokens.with_x(tokens.x.clone().requires_grad_())).x
        assert out.requires_grad
        return sum(sizes.values())

    blocks = make_blocks().train()
    everything = kept_bytes(blocks)
    blocks.recompute = True

    assert kept_bytes(blocks) < 0.25 * everything


def test_nothing_is_recomputed_in_evaluation_or_under_a_trace(tokens: Tokens) -> None:
    blocks = make_blocks()
    blocks.recompute = True
    for is_training, trace in ((False, None), (True, Trace())):
        calls = Calls(blocks.train(is_training))
        blocks(tokens.with_x(tokens.x.clone().requires_grad_()), trace).x.sum().backward()
        assert calls.counts == [1, 1, 1]


def test_recomputing_keeps_what_the_tokens_know(tokens: Tokens) -> None:
    """The rotation and the mask go into every block, also the second time."""
    mask = torch.eye(7, dtype=torch.bool)[None, None]
    rotary = RotaryPosition(4, base=100.0)(replace(tokens, attention_mask=mask))
    blocks = make_blocks().train()
    kept = loss_and_gradients(blocks, rotary)
    blocks.recompute = True

    assert all(
        torch.equal(*pair) for pair in zip(kept, loss_and_gradients(blocks, rotary), strict=True)
    )
    assert blocks(rotary).rotation is rotary.rotation
    assert not torch.equal(kept[0], loss_and_gradients(blocks, tokens)[0])


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
