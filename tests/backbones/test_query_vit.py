"""Queries join the last blocks as prefix tokens; without a mask these are plain blocks."""

from dataclasses import replace

import pytest
import torch

from saccade.backbones.build import build_backbone
from saccade.backbones.query_vit import QueryVit, looking_only_at, with_queries, without_queries
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.config.model import Position
from saccade.shapes import Grid
from saccade.tokens.tokens import Tokens
from saccade.transformer.trace import Trace
from tests.contract.worlds.world import RAG, VIT

Q = 3
DEEP = replace(VIT, depth=3, has_class_token=True, num_registers=2)


def backbone(*, position: Position = "sincos") -> Vit:
    made = build_backbone(replace(DEEP, position=position), in_channels=3)
    assert isinstance(made, Vit)
    return made.eval()


def view(of: Vit | Rag, *, num_query_blocks: int = 2) -> QueryVit:
    queries = torch.randn(1, Q, of.embed_dim)
    return QueryVit(backbone=of, query_tokens=queries, num_query_blocks=num_query_blocks)


@pytest.mark.parametrize("position", ["sincos", "rotary"])
def test_without_a_mask_the_last_blocks_are_plain_blocks_on_queries_and_tokens(
    position: Position,
) -> None:
    of, images = backbone(position=position), torch.randn(2, 3, 12, 16)
    queries = view(of)

    found = queries(images)

    x = of.begin(images)
    x = of.blocks[0](x)
    joined = replace(
        x,
        x=torch.cat([queries.query_tokens.expand(2, -1, -1), x.x], dim=1),
        num_prefix=x.num_prefix + Q,
    )
    for block in of.blocks[1:]:
        joined = block(joined)
    assert torch.equal(found.x, of.norm(joined.x))


def test_patches_stay_where_num_prefix_says_they_are() -> None:
    of, images = backbone(), torch.randn(1, 3, 8, 8)

    found = view(of)(images)

    assert found.num_prefix == Q + 3
    assert found.patches.shape == (1, 4, of.embed_dim)
    assert found.as_map().shape == (1, of.embed_dim, 2, 2)


def test_queries_are_taken_out_as_they_were_put_in() -> None:
    tokens = Tokens(x=torch.randn(2, 7, 4), grid=Grid(1, 2, 3), num_prefix=1)

    there_and_back = without_queries(with_queries(tokens, torch.randn(1, Q, 4)), Q)

    assert torch.equal(there_and_back.x, tokens.x)
    assert there_and_back.num_prefix == 1


def test_a_query_with_a_mask_equals_one_in_a_picture_of_those_patches_alone() -> None:
    """What it may not look at could as well not be there; the others see everything as before."""
    of = backbone()
    block = of.blocks[1]
    tokens = with_queries(of.begin(torch.randn(1, 3, 4, 16)), torch.randn(1, Q, of.embed_dim))
    region = torch.ones(1, Q, 4, dtype=torch.bool)
    region[0, 0] = torch.tensor([True, False, True, False])

    masked = block(looking_only_at(tokens, region)).x[0]

    prefix = tokens.num_prefix
    kept = torch.cat([tokens.x[:, :prefix], tokens.x[:, [prefix, prefix + 2]]], dim=1)
    alone = block(Tokens(x=kept, grid=Grid(1, 1, 2), num_prefix=prefix)).x[0]
    plain = block(tokens).x[0]
    torch.testing.assert_close(masked[0], alone[0])
    torch.testing.assert_close(masked[1:], plain[1:])
    assert not torch.allclose(masked[0], plain[0])


def test_a_query_whose_mask_is_empty_still_looks_at_something() -> None:
    of = backbone()
    tokens = with_queries(of.begin(torch.randn(1, 3, 8, 8)), torch.randn(1, Q, of.embed_dim))

    mask = looking_only_at(tokens, torch.zeros(1, Q, 4, dtype=torch.bool)).attention_mask

    assert mask is not None
    assert mask.any(dim=-1).all()
    assert mask[0, 0, :Q, : Q + 3].all()
    assert not mask[0, 0, :Q, Q + 3 :].any()


def test_rag_takes_queries_too_and_its_prefix_is_theirs_alone() -> None:
    of = build_backbone(replace(RAG, depth=2), in_channels=3)
    assert isinstance(of, Rag)

    found = view(of.eval(), num_query_blocks=1)(torch.randn(2, 3, 8, 8))

    assert found.num_prefix == Q


def test_a_trace_holds_the_blocks_with_queries() -> None:
    trace = Trace()

    view(backbone())(torch.randn(1, 3, 8, 8), trace)

    assert [layer.num_prefix for layer in trace.layers] == [Q + 3] * 2


@pytest.mark.parametrize("num_query_blocks", [0, 4])
def test_a_number_of_blocks_that_there_is_not_is_refused(num_query_blocks: int) -> None:
    with pytest.raises(ValueError, match=rf"{num_query_blocks} blocks .* from 1 to 3"):
        view(backbone(), num_query_blocks=num_query_blocks)
