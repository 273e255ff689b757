"""An attentive probe: a few learned queries over frozen tokens, trained for a moment."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from saccade.heads.attentive import AttentiveProbe

BATCH_SIZE = 256
LR = 1e-3
EPOCHS = 20
FEWEST_STEPS = 200
"""Where there are few pictures."""


def fit_attentive(
    tokens: Float[Tensor, "n N D"], labels: Int64[Tensor, " n"], *, num_classes: int, seed: int
) -> AttentiveProbe:
    """Trains a probe with AdamW and a cosine; no weight decay (arXiv 2506.10178 uses none).

    Args:
        tokens: of the frozen model, in half precision.
        labels: class ids.
        num_classes: K.
        seed: of its first weights and of the order.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        probe = AttentiveProbe(tokens.shape[2], num_classes=num_classes)
    probe = probe.to(tokens.device).train()
    optimizer = torch.optim.AdamW(probe.parameters(), lr=LR, weight_decay=0.0)
    size = min(BATCH_SIZE, len(tokens))
    steps = max(FEWEST_STEPS, EPOCHS * len(tokens) // size)
    order = torch.randperm(0)
    for step in range(steps):
        if len(order) < size:
            order = torch.randperm(len(tokens), generator=generator)
        some, order = order[:size], order[size:]
        for group in optimizer.param_groups:
            group["lr"] = LR * (1 + math.cos(math.pi * step / steps)) / 2
        loss = F.cross_entropy(probe(tokens[some].float()), labels[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return probe.eval()


@torch.no_grad()
def attentive_logits(probe: AttentiveProbe, tokens: Float[Tensor, "n N D"]) -> Float[Tensor, "n K"]:
    """What a probe says, some pictures at a time."""
    return torch.cat([probe(some.float()) for some in tokens.split(BATCH_SIZE)])
