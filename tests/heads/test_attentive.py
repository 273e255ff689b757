"""The attentive probe is its plain version, query by query."""

import pytest
import torch

from saccade.heads.attentive import AttentiveProbe


def test_it_is_its_plain_version() -> None:
    probe = AttentiveProbe(64, num_classes=5)
    with torch.no_grad():
        probe.query_tokens.normal_()
    probe(torch.randn(40, 7, 64))  # so that the norm has something to remember
    probe.eval()
    tokens = torch.randn(3, 7, 64)

    values, width = probe.value(tokens), 64 // probe.num_queries
    pooled = torch.zeros(3, 64)
    for b in range(3):
        for q in range(probe.num_queries):
            weights = (tokens[b] @ probe.query_tokens[q] / 8).softmax(dim=0)
            part = slice(q * width, (q + 1) * width)
            pooled[b, part] = weights @ values[b, :, part]
    expected = probe.classify(probe.norm(pooled))

    torch.testing.assert_close(probe(tokens), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("width", "queries"), [(128, 32), (96, 32), (100, 25), (7, 7), (37, 1)])
def test_there_are_as_many_queries_as_divide_the_width(width: int, queries: int) -> None:
    assert AttentiveProbe(width, num_classes=2).num_queries == queries


def test_the_order_of_the_tokens_does_not_matter() -> None:
    probe = AttentiveProbe(32, num_classes=5).eval()
    tokens = torch.randn(3, 7, 32)

    torch.testing.assert_close(probe(tokens), probe(tokens[:, torch.randperm(7)]))


def test_it_can_read_what_the_mean_hides() -> None:
    """Two tokens, +v and -v, for one class, two zeros for the other: their means are equal."""
    torch.manual_seed(1)
    direction = torch.randn(32)
    labels = torch.arange(200) % 2
    signs = torch.tensor([1.0, -1.0])
    tokens = labels[:, None, None] * signs[:, None] * direction + 0.1 * torch.randn(200, 2, 32)
    tokens = tokens - tokens.mean(dim=1, keepdim=True)
    probe = AttentiveProbe(32, num_classes=2)
    optimizer = torch.optim.AdamW(probe.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(probe(tokens), labels).backward()
        optimizer.step()

    right = (probe.eval()(tokens).argmax(dim=1) == labels).float().mean()
    assert right > 0.95
