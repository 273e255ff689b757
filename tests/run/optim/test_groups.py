"""Every parameter is moved by exactly one rule, and decay pulls on matrices and kernels alone."""

import re
from typing import Any

import pytest
from torch import nn

from saccade.run.optim.groups import ParameterGroup, group_table, parameter_groups
from saccade.tasks.build import AnyTask
from tests import tiny

MODELS: list[tuple[str, dict[str, Any]]] = [
    ("rag-pico4", {}),
    ("rag-pico4", {"model__residual": "layerscale", "model__position": "learned"}),
    (
        "vit-pico4",
        {
            "model__has_class_token": "true",
            "model__num_registers": "2",
            "model__position": "learned",
            "model__residual": "rezero",
        },
    ),
    ("attncnn-pico4", {}),
    ("attncnn-pico4", {"model__similarity": "cosine"}),
    ("cnn-pico4", {}),
]

# What a parameter with decay may be called: the weight of a linear layer or of a convolution.
MATRIX = re.compile(r".*\.weight")


def grouped(model: str, **settings: Any) -> tuple[AnyTask, list[ParameterGroup]]:
    config = tiny.config(model, **settings)
    task = tiny.task(config)
    return task, parameter_groups(task, config.optim)


def by_name(groups: list[ParameterGroup]) -> dict[str, ParameterGroup]:
    return {name: group for group in groups for name in group.parameters}


@pytest.mark.parametrize("rule", ["adamw", "sgd", "muon"])
@pytest.mark.parametrize(("model", "settings"), MODELS)
def test_every_parameter_is_in_exactly_one_group(model: str, settings: dict[str, Any], rule: str):
    task, groups = grouped(model, optim__name=rule, **settings)
    names = [name for group in groups for name in group.parameters]
    assert sorted(names) == sorted(name for name, _ in task.named_parameters())


@pytest.mark.parametrize(("model", "settings"), MODELS)
def test_only_matrices_and_kernels_decay(model: str, settings: dict[str, Any]):
    task, groups = grouped(model, optim__weight_decay="0.3", **settings)
    assert {group.weight_decay for group in groups} == {0.0, 0.3}
    decayed = {name for name, group in by_name(groups).items() if group.weight_decay}
    assert [name for name in decayed if not MATRIX.fullmatch(name)] == []
    layers = (nn.Linear, nn.Conv2d)
    assert decayed == {
        f"{place}.weight" for place, module in task.named_modules() if isinstance(module, layers)
    }


def test_frozen_parameters_are_in_no_group():
    config = tiny.config("vit-pico4")
    task = tiny.task(config)
    for parameter in task.backbone.parameters():
        parameter.requires_grad = False
    names = by_name(parameter_groups(task, config.optim))
    assert set(names) == {"head.weight", "head.bias"} or all(n.startswith("head") for n in names)


def test_muon_takes_the_maps_between_hidden_vectors_and_nothing_else():
    _, groups = grouped("vit-pico4", optim__name="muon")
    taken = {
        name: group.num_parts for name, group in by_name(groups).items() if group.rule == "muon"
    }
    assert {re.sub(r"\d+", "N", name): parts for name, parts in taken.items()} == {
        "backbone.blocks.N.attention.qkv.weight": 3,
        "backbone.blocks.N.attention.proj.weight": 1,
        "backbone.blocks.N.mlp.widen.weight": 1,
        "backbone.blocks.N.mlp.narrow.weight": 1,
    }


def test_muon_takes_kernels_of_stages_but_not_the_one_that_reads_pixels():
    _, groups = grouped("cnn-pico4", optim__name="muon")
    taken = {name for name, group in by_name(groups).items() if group.rule == "muon"}
    assert taken
    assert all("stages" in name for name in taken)
    assert not any("stem" in name or "head" in name for name in taken)


def test_without_layer_decay_all_move_at_one_rate():
    _, groups = grouped("rag-pico4")
    assert {group.lr_share for group in groups} == {1.0}


def test_layer_decay_shrinks_from_the_head_down():
    _, groups = grouped("vit-pico4", optim__layer_decay="0.5")
    share = {name: group.lr_share for name, group in by_name(groups).items()}
    num_blocks = 1 + max(int(n.split(".")[2]) for n in share if n.startswith("backbone.blocks."))
    expected = {"head.": 1.0, "backbone.norm.": 1.0, "backbone.embed.": 0.5 ** (num_blocks + 1)}
    expected |= {f"backbone.blocks.{i}.": 0.5 ** (num_blocks - i) for i in range(num_blocks)}
    for start, value in expected.items():
        found = {share[name] for name in share if name.startswith(start)}
        assert found == {value}, start


def test_stages_come_before_blocks():
    _, groups = grouped("rag-pico4", optim__layer_decay="0.5")
    share = {name: group.lr_share for name, group in by_name(groups).items()}
    stages = [value for name, value in share.items() if ".stages." in name]
    blocks = [value for name, value in share.items() if ".blocks." in name]
    assert max(stages) < min(blocks)
    assert share["backbone.raw_image.project.weight"] < min(stages)


def test_the_table_counts_every_number_once():
    task, groups = grouped("vit-pico4", optim__name="muon")
    lines = group_table(groups)
    counted = sum(int(re.findall(r"([\d,]+) numbers", line)[0].replace(",", "")) for line in lines)
    assert counted == sum(parameter.numel() for parameter in task.parameters())
    assert any("as 3 matrices" in line for line in lines)
