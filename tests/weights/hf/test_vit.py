"""ViT and DeiT of transformers: published names, and what each of them holds."""

from dataclasses import replace

import torch

from saccade.config.model import VitConfig
from saccade.weights.hf.config import Description
from saccade.weights.hf.vit import DEFAULTS, read_deit, read_vit, vit_config
from saccade.weights.rename import write_tensors
from tests.weights.hf.models import DEIT, VIT, drawn

BLOCK = {
    f"{layer}.{part}"
    for layer in (
        "layernorm_before",
        "attention.attention.query",
        "attention.attention.key",
        "attention.attention.value",
        "attention.output.dense",
        "layernorm_after",
        "intermediate.dense",
        "output.dense",
    )
    for part in ("weight", "bias")
}
EMBEDDINGS = {
    "embeddings.cls_token",
    "embeddings.position_embeddings",
    "embeddings.patch_embeddings.projection.weight",
    "embeddings.patch_embeddings.projection.bias",
    "layernorm.weight",
    "layernorm.bias",
}


def described(model: VitConfig, *, has_head: bool) -> Description:
    config = vit_config(model, has_head=has_head)
    return Description(
        given=config,
        defaults=DEFAULTS,
        tensors={f"{config['model_type']}.": torch.empty(0)} if has_head else {},
        left_out=frozenset(),
        source="F",
    )


def test_a_vit_has_the_names_of_published_files() -> None:
    model = replace(VIT, depth=1)
    layout = read_vit(described(model, has_head=True))

    tensors = write_tensors(drawn(model, num_classes=2), rules=layout.rules)

    block = {f"encoder.layer.0.{name}" for name in BLOCK}
    inside = {f"vit.{name}" for name in EMBEDDINGS | block}
    assert set(tensors) == inside | {"classifier.weight", "classifier.bias"}


def test_a_deit_with_a_teacher_has_one_token_and_one_head_more() -> None:
    model = replace(DEIT, depth=1)
    layout = read_deit(described(model, has_head=True))

    tensors = write_tensors(drawn(model, num_classes=2), rules=layout.rules)

    block = {f"encoder.layer.0.{name}" for name in BLOCK}
    inside = EMBEDDINGS | block | {"embeddings.distillation_token"}
    heads = {
        f"{head}_classifier.{part}"
        for head in ("cls", "distillation")
        for part in ("weight", "bias")
    }
    assert set(tensors) == {f"deit.{name}" for name in inside} | heads


def test_the_shapes_are_read_as_they_were_described() -> None:
    assert read_vit(described(VIT, has_head=True)).model == VIT
    assert read_vit(described(VIT, has_head=False)).model == VIT
    assert read_deit(described(DEIT, has_head=True)).model == DEIT
    assert read_deit(described(DEIT, has_head=False)).model == replace(DEIT, pool="class")
    without = replace(VIT, has_qkv_bias=False)
    assert read_vit(described(without, has_head=False)).model == without


def test_queries_keys_values_and_tokens_stand_where_their_names_say() -> None:
    ours = drawn(DEIT, num_classes=2)
    layout = read_deit(described(DEIT, has_head=True))

    theirs = write_tensors(ours, rules=layout.rules)

    qkv = ours["backbone.blocks.1.attention.qkv.weight"]
    attention = "deit.encoder.layer.1.attention.attention"
    assert torch.equal(theirs[f"{attention}.query.weight"], qkv[:16])
    assert torch.equal(theirs[f"{attention}.key.weight"], qkv[16:32])
    assert torch.equal(theirs[f"{attention}.value.weight"], qkv[32:])
    prefix = ours["backbone.prefix"]
    assert torch.equal(theirs["deit.embeddings.cls_token"], prefix[:, :1])
    assert torch.equal(theirs["deit.embeddings.distillation_token"], prefix[:, 1:])
    positions = theirs["deit.embeddings.position_embeddings"]
    assert torch.equal(positions[:, :2], ours["backbone.position.prefix"])
    assert torch.equal(positions[:, 2:], ours["backbone.position.table"])
    classify = ours["head.classify_distilled.weight"]
    assert torch.equal(theirs["distillation_classifier.weight"], classify)
