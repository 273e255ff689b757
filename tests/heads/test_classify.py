"""The head pools what it says it pools, and starts without an opinion."""

import pytest
import torch
from torch import Tensor

from saccade.config.model import Pool
from saccade.heads.classify import ClassHead, pooled
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens

POOLS: tuple[Pool, ...] = ("mean", "class", "class_and_mean", "distilled")
every_pool = pytest.mark.parametrize("pool", POOLS)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(x=torch.randn(3, 2 + 6, 8), grid=Grid(1, 2, 3), num_prefix=2)


def opinionated(head: ClassHead) -> ClassHead:
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head


@every_pool
def test_a_fresh_head_finds_all_classes_equally_likely(pool: Pool, tokens: Tokens) -> None:
    head = ClassHead(8, num_classes=5, pool=pool)

    assert torch.equal(head(tokens).logits, torch.zeros(3, 5))


@every_pool
def test_a_fresh_head_can_learn(pool: Pool, tokens: Tokens) -> None:
    head = ClassHead(8, num_classes=5, pool=pool)

    head(tokens).logits.log_softmax(dim=1)[:, 0].sum().backward()

    for parameter in head.parameters():
        assert parameter.grad is not None
        assert parameter.grad.any()


def test_mean_pooling_reads_the_patches_alone(tokens: Tokens) -> None:
    head = opinionated(ClassHead(8, num_classes=5, pool="mean"))

    mean = torch.stack([tokens.x[:, n] for n in range(2, 8)]).sum(dim=0) / 6
    expected = mean @ head.classify.weight.T + head.classify.bias

    torch.testing.assert_close(head(tokens).logits, expected)


def test_class_pooling_reads_the_first_token_alone(tokens: Tokens) -> None:
    head = opinionated(ClassHead(8, num_classes=5, pool="class"))

    expected = tokens.x[:, 0] @ head.classify.weight.T + head.classify.bias

    torch.testing.assert_close(head(tokens).logits, expected)


def test_mean_pooling_does_not_mind_the_order_of_the_patches(tokens: Tokens) -> None:
    head = opinionated(ClassHead(8, num_classes=5, pool="mean"))
    shuffled = torch.cat([tokens.prefix, tokens.patches.flip(1)], dim=1)

    torch.testing.assert_close(head(tokens.with_x(shuffled)).logits, head(tokens).logits)


def mean_of_patches(tokens: Tokens) -> Tensor:
    return torch.stack([tokens.x[:, n] for n in range(2, 8)]).sum(dim=0) / 6


def test_both_may_be_read_the_class_token_first(tokens: Tokens) -> None:
    head = opinionated(ClassHead(8, num_classes=5, pool="class_and_mean"))

    weight = head.classify.weight
    expected = tokens.x[:, 0] @ weight[:, :8].T + mean_of_patches(tokens) @ weight[:, 8:].T

    assert weight.shape == (5, 16)
    torch.testing.assert_close(head(tokens).logits, expected + head.classify.bias)


def test_a_distilled_head_averages_the_opinions_of_the_first_two_tokens(tokens: Tokens) -> None:
    head = opinionated(ClassHead(8, num_classes=5, pool="distilled"))
    other = head.classify_distilled
    assert other is not None

    first = tokens.x[:, 0] @ head.classify.weight.T + head.classify.bias
    second = tokens.x[:, 1] @ other.weight.T + other.bias

    torch.testing.assert_close(head(tokens).logits, (first + second) / 2)


def test_only_a_distilled_head_has_a_second_matrix() -> None:
    assert [
        pool
        for pool in POOLS
        if ClassHead(8, num_classes=5, pool=pool).classify_distilled is not None
    ] == ["distilled"]


@every_pool
def test_what_is_pooled_is_one_vector_for_each_picture(pool: Pool, tokens: Tokens) -> None:
    width = 16 if pool == "class_and_mean" else 8

    assert pooled(tokens, pool).shape == (3, width)
    for b in range(3):
        alone = pooled(tokens.with_x(tokens.x[b : b + 1]), pool)
        torch.testing.assert_close(alone[0], pooled(tokens, pool)[b])


@every_pool
def test_a_norm_after_pooling_makes_the_logits_blind_to_the_scale_of_the_tokens(
    pool: Pool, tokens: Tokens
) -> None:
    without = opinionated(ClassHead(8, num_classes=5, pool=pool))
    head = ClassHead(8, num_classes=5, pool=pool, norm_eps=1e-6)
    head.load_state_dict(without.state_dict(), strict=False)
    louder = tokens.with_x(tokens.x * 7 + 2)

    torch.testing.assert_close(head(louder).logits, head(tokens).logits, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(without(louder).logits, without(tokens).logits)


def test_the_norm_after_pooling_is_its_formula(tokens: Tokens) -> None:
    head = opinionated(ClassHead(8, num_classes=5, pool="mean", norm_eps=0.5))

    mean = mean_of_patches(tokens)
    centred = mean - mean.mean(dim=1, keepdim=True)
    normed = centred / (centred.square().mean(dim=1, keepdim=True) + 0.5).sqrt()
    normed = normed * head.get_parameter("norm.weight") + head.get_parameter("norm.bias")

    expected = normed @ head.classify.weight.T + head.classify.bias
    torch.testing.assert_close(head(tokens).logits, expected)
