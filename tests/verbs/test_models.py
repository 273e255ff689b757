"""Every family in every size is listed, dearer from size to size, with figures that are true."""

import functools
import json
from dataclasses import asdict
from itertools import pairwise

import pytest
import torch

from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import FAMILIES, SIZES, TRANSFORMERS, model_config, model_names
from saccade.config.json import from_json
from saccade.errors import UsageError
from saccade.verbs import models as module
from saccade.verbs.models import ModelInfo, models

SIDE = 32


@functools.cache
def listed() -> dict[str, ModelInfo]:
    return {info.name: info for info in models(image_size=SIDE)}


def of_family(family: str) -> list[ModelInfo]:
    return [info for name, info in listed().items() if name.startswith(f"{family}-")]


def test_every_family_is_listed_in_every_size():
    assert list(listed()) == model_names()
    assert {family: len(of_family(family)) for family in FAMILIES} == {
        family: len(sizes) for family, sizes in SIZES.items()
    }
    assert {"vit-l16", "vit-h16"} <= set(listed())
    for info in listed().values():
        assert info.image_size == SIDE
        assert info.source


@pytest.mark.parametrize("family", FAMILIES)
def test_each_size_costs_more_than_the_one_before(family: str):
    for smaller, larger in pairwise(of_family(family)):
        assert larger.num_parameters > smaller.num_parameters > 0
        assert larger.gflops > smaller.gflops > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_are_counted_as_the_built_model_has_them(family: str):
    name = f"{family}-pico16"
    built = build_backbone(model_config(name), in_channels=3)
    info = listed()[name]
    assert info.num_parameters == sum(p.numel() for p in built.parameters())
    assert sum(info.parts.values()) == info.num_parameters
    assert {key.partition(".")[0] for key, _ in built.named_parameters()} <= set(info.parts)
    for part, count in info.parts.items():
        of_part = [p for key, p in built.named_parameters() if f"{key}.".startswith(f"{part}.")]
        assert count == sum(p.numel() for p in of_part)
    assert info.weight_bytes["fp32"] == sum(p.nbytes for p in built.parameters())
    assert info.weight_bytes["bf16"] == sum(p.nbytes for p in built.bfloat16().parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_and_config_are_those_of_the_built_model(family: str):
    (info,) = models(f"{family}-pico4", image_size=18)
    config = model_config(f"{family}-pico4")
    tokens = build_backbone(config, in_channels=3).eval()(torch.zeros(1, 3, 18, 18))
    assert info.num_tokens == tokens.x.shape[1] == 25
    assert from_json(type(config), json.loads(json.dumps(asdict(info)))["config"]) == config


# Counted in timm 1.0.31 and torchvision 0.29.2, with a head of 1,000 classes.
COUNTS = {
    "ti16": 5_717_416,
    "s16": 22_050_664,
    "s32": 22_878_952,
    "b8": 86_576_872,
    "b16": 86_567_656,
    "b32": 88_224_232,
    "l16": 304_326_632,
    "l32": 306_535_400,
    "h14": 632_045_800,
}


@pytest.mark.parametrize("size", COUNTS)
def test_a_published_size_has_the_published_count(size: str):
    (info,) = models(f"vit-{size}", image_size=SIDE)
    assert info.num_parameters_published == COUNTS[size]


def test_sizes_that_nobody_published_have_no_published_count():
    for name in ("vit-pico16", "vit-h16", "rag-s16", "cnn-b16"):
        assert listed()[name].num_parameters_published is None
    (info,) = models("vit-s8", image_size=SIDE)
    assert info.num_parameters_published is None


def test_a_name_gives_one_model_and_a_family_all_its_sizes():
    assert models("vit-ti", image_size=SIDE) == [listed()["vit-ti16"]]
    assert models("rag", image_size=SIDE) == of_family("rag")
    (small,) = models("cnn-nano4", image_size=SIDE)
    assert (small.name, small.config["patch_size"]) == ("cnn-nano4", 4)


def test_papers_are_those_of_the_parts():
    assert listed()["vit-nano16"].papers.keys() == {"vit", "size", "stem", "position"}
    assert listed()["vit-s16"].papers["size"] == "arXiv 2012.12877"
    assert "ours" in listed()["vit-nano16"].papers["size"]
    assert listed()["cnn-s16"].papers == {"cnn": "the baseline"}


def test_what_cannot_be_built_is_refused():
    with pytest.raises(UsageError, match="no model is called 'vti-s16'; did you mean 'vit-s16'"):
        models("vti-s16")
    with pytest.raises(UsageError, match="image_size is 0; expected"):
        models(image_size=0)


def test_the_parameters_of_vit_are_those_of_its_paper():
    # Table 1 of arXiv 2012.12877, in millions, with a head of 1,000 classes that is not counted
    # here (and a class token and learned positions, 0.2 M at most).
    for size, published, head in (("ti", 5.7, 0.2), ("s", 22.1, 0.4), ("b", 86.6, 0.8)):
        found = listed()[f"vit-{size}16"].num_parameters / 1e6
        assert found == pytest.approx(published - head, abs=0.25)


def conv_stem_cost(embed_dim: int) -> int:
    """Multiply-adds of four halvings to 16-pixel cells, and the 1 x 1 projection."""
    cost, channels, side = 0, 3, SIDE
    for step in range(4):
        wider, side = max(embed_dim >> (3 - step), 16), side // 2
        cost += side * side * wider * channels * 9
        channels = wider
    return cost + side * side * channels * embed_dim


@pytest.mark.parametrize("size", TRANSFORMERS)
def test_the_cost_of_vit_is_the_one_counted_by_hand(size: str):
    shape, num_tokens = TRANSFORMERS[size], (SIDE // 16) ** 2
    d, n = shape.embed_dim, num_tokens
    patches = conv_stem_cost(d) if size in ("pico", "nano") else n * d * 3 * 16 * 16
    layers = n * d * (3 * d) + n * d * d + 2 * n * d * int(shape.mlp_ratio * d)
    maps = 2 * n * n * d
    multiply_adds = patches + shape.depth * (layers + maps)
    assert listed()[f"vit-{size}16"].gflops * 1e9 == pytest.approx(2 * multiply_adds)


def test_a_larger_picture_costs_more_and_has_no_more_parameters(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "model_names", lambda: ["rag-pico16"])
    (small,), (large,) = (models(image_size=side) for side in (32, 64))
    assert large.gflops > 3.5 * small.gflops
    assert large.num_parameters == small.num_parameters
    assert large.image_size == 64
