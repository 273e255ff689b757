"""docs/models.md knows every switch there is, and its numbers are those of the code."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE = (DOCS / "models.md").read_text(encoding="utf-8")


def six_blocks(**changes: Any) -> VitConfig:
    """The ViT that the page counts for, changed."""
    config = model_config("vit-pico4")
    assert isinstance(config, VitConfig)
    return replace(replace(config, stem="patches", depth=6), **changes)


def cost(config: ModelConfig, *, side: int) -> tuple[int, float]:
    """Parameters and FLOPs of a backbone for an RGB picture."""
    with torch.device("meta"):
        backbone = build_backbone(config, in_channels=3).eval()
        image = torch.empty(1, 3, side, side)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        backbone(image)
    return sum(p.numel() for p in backbone.parameters()), counter.get_total_flops()


def test_the_base_of_the_switches_costs_what_the_page_says() -> None:
    num_parameters, flops = cost(six_blocks(), side=32)

    assert f"{num_parameters:,}\nparameters and {flops / 1e6:.1f} MFLOPs" in PAGE


def test_every_field_of_every_family_is_explained() -> None:
    names = {
        field.name
        for family in (VitConfig, RagConfig, AttentionCnnConfig, CnnConfig)
        for field in fields(family)
    }
    cells = re.findall(r"^\| ([^|]*) \|", PAGE, re.MULTILINE)  # the first column of each table
    explained = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    assert names - explained == set()


def test_every_figure_is_there() -> None:
    figures = re.findall(r"\]\((figures/\w+\.svg)\)", PAGE)

    assert len(figures) == 5
    assert all((DOCS / name).is_file() for name in figures)


def table_of_sizes() -> list[tuple[str, int, int, float]]:
    rows = re.findall(r"^\| `(\w+-\w+)` \| (\d+) \| \d+ \| ([\d,]+) \| ([\d.]+) \|$", PAGE, re.M)
    return [(name, int(side), int(n.replace(",", "")), float(g)) for name, side, n, g in rows]


@pytest.mark.parametrize("row", table_of_sizes(), ids=lambda row: row[0])
def test_a_named_size_costs_what_the_table_says(row: tuple[str, int, int, float]) -> None:
    name, side, num_parameters, gflops = row

    found = cost(model_config(name), side=side)

    assert found[0] == num_parameters
    assert found[1] / 1e9 == pytest.approx(gflops, abs=6e-4)


def test_the_table_of_sizes_was_found() -> None:
    assert len(table_of_sizes()) == 10


def test_the_formulas_of_a_block_count_what_is_built() -> None:
    width, ratio, tokens = 96, 2, 64

    (n6, f6), (n7, f7) = cost(six_blocks(), side=32), cost(six_blocks(depth=7), side=32)

    assert n7 - n6 == (4 + 2 * ratio) * width**2 + (9 + ratio) * width
    assert f7 - f6 == tokens * (8 + 4 * ratio) * width**2 + 4 * tokens**2 * width


@pytest.mark.parametrize(
    ("changes", "parameters", "percent"),
    [
        ({"stem": "conv"}, 47_664, 10),
        ({"stem": "cnn"}, 152_088, 97),
        ({"position": "learned", "position_grid": (1, 8, 8)}, 6_144, 0),
        ({"projection": "conv"}, 6 * 30 * 96, 3.0),
        ({"similarity": "cosine"}, 6 * 3, 0),
        ({"residual": "rezero"}, 6 * 2, 0),
        ({"residual": "layerscale"}, 6 * 2 * 96, 0),
        ({"has_class_token": True}, 96, 1.8),
        ({"num_registers": 4}, 4 * 96, 7.1),
        ({"has_qk_norm": True}, 6 * 4 * 32, 0),
        ({"has_gated_mlp": True}, 111_744, 21),
    ],
    ids=str,
)
def test_a_switch_costs_what_its_row_says(
    changes: dict[str, Any], parameters: int, percent: float
) -> None:
    base, found = cost(six_blocks(), side=32), cost(six_blocks(**changes), side=32)

    assert found[0] - base[0] == parameters
    assert 100 * (found[1] / base[1] - 1) == pytest.approx(percent, abs=0.5)
