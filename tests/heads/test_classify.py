"""The head pools what it says it pools, and starts without an opinion."""

from typing import Literal

import pytest
import torch

from saccade.heads.classify import ClassHead
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens

Pool = Literal["mean", "class"]


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(x=torch.randn(3, 2 + 6, 8), grid=Grid(1, 2, 3), num_prefix=2)


def opinionated(head: ClassHead) -> ClassHead:
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head


@pytest.mark.parametrize("pool", ["mean", "class"])
def test_a_fresh_head_finds_all_classes_equally_likely(
    pool: Literal["mean", "class"], tokens: Tokens
) -> None:
    head = ClassHead(8, num_classes=5, pool=pool)

    assert torch.equal(head(tokens).logits, torch.zeros(3, 5))


def test_a_fresh_head_can_learn(tokens: Tokens) -> None:
    head = ClassHead(8, num_classes=5, pool="mean")

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
