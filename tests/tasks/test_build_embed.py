"""An embedder's weights are a function of the seed, and its shape of its numbers."""

import torch

from saccade.config.task import EmbedConfig
from saccade.tasks.build_embed import build_embedder
from saccade.tasks.embed import Embed
from tests import tiny
from tests.contract.worlds.world import VIT


def build(*, seed: int = 0, out_dim: int = 6, class_names: tuple[str, ...] = ("a", "b")) -> Embed:
    return build_embedder(
        VIT,
        EmbedConfig(out_dim=out_dim),
        class_names=class_names,
        preprocess=tiny.preprocess(),
        seed=seed,
    )


def test_the_seed_alone_decides_the_weights() -> None:
    torch.manual_seed(5)
    first = build().state_dict()
    state = torch.get_rng_state()

    assert tiny.same_bits(first, build().state_dict())
    assert not tiny.same_bits(first, build(seed=1).state_dict())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_head_has_the_numbers_and_the_classes_that_were_asked_for() -> None:
    head = build(out_dim=9, class_names=("a", "b", "c")).head

    assert head.project.out_features == 9
    assert head.class_vectors.shape == (3, 9)
