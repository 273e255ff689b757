"""torchvision's vision transformer gives the same tokens and logits here as there."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.parity_torchvision import REFERENCES, Reference, errors
from saccade.config.model import VitConfig
from saccade.weights.read import read
from saccade.weights.rename import write_tensors
from saccade.weights.settle import HEADS_OF_WIDTH
from saccade.weights.torchvision import published_as, torchvision_rules

torchvision = pytest.importorskip(
    "torchvision.models", reason="needs torchvision: pip install saccade[parity]"
)

LIMIT = 1e-5

CONFIG = VitConfig(
    embed_dim=768,
    depth=1,
    num_heads=12,
    mlp_ratio=4.0,
    patch_size=16,
    stem="patches",
    position="learned",
    residual="prenorm",
    num_registers=0,
    has_class_token=True,
    drop_path=0.0,
)

references = pytest.mark.parametrize("reference", REFERENCES, ids=lambda each: each.name)


@references
def test_every_block_and_the_logits_agree(reference: Reference) -> None:
    found = errors(reference, seed=0)

    assert max(found.values()) <= LIMIT, found


@references
def test_the_names_lead_back_to_the_same_tensors(reference: Reference, tmp_path: Path) -> None:
    model = reference.build(seed=0)
    reference.save(model, tmp_path)
    found = read(tmp_path)

    rules = torchvision_rules(found.model, num_classes=len(found.class_names))
    back = write_tensors(found.tensors, rules=rules)

    theirs = model.state_dict()
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("name", ["vit_b_16", "vit_b_32", "vit_l_16", "vit_l_32", "vit_h_14"])
def test_the_heads_assumed_for_a_published_width_are_torchvisions(name: str) -> None:
    with torch.device("meta"):
        model = getattr(torchvision, name)()

    heads = model.encoder.layers[0].self_attention.num_heads

    assert HEADS_OF_WIDTH[model.hidden_dim] == heads


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("vit_b_16", "IMAGENET1K_V1"),
        ("vit_b_32", "IMAGENET1K_V1"),
        ("vit_l_16", "IMAGENET1K_V1"),
        ("vit_l_32", "IMAGENET1K_V1"),
        ("vit_b_16", "IMAGENET1K_SWAG_E2E_V1"),
        ("vit_h_14", "IMAGENET1K_SWAG_E2E_V1"),
    ],
)
def test_the_preprocessing_assumed_is_that_of_the_published_weights(
    name: str, weights: str
) -> None:
    published = torchvision.get_model_weights(name)[weights].transforms()
    with torch.device("meta"):
        model = getattr(torchvision, name)(image_size=published.crop_size[0])
    config = replace(
        CONFIG,
        embed_dim=model.hidden_dim,
        patch_size=model.patch_size,
        position_grid=(1, *[published.crop_size[0] // model.patch_size] * 2),
    )

    found_name, found, _ = published_as(config)

    assert found_name == name
    assert [found.resize_side] == published.resize_size
    assert [found.height] == published.crop_size
    assert found.interpolation == published.interpolation.value
    assert (found.mean, found.std) == (tuple(published.mean), tuple(published.std))
