"""timm's models give the same tokens after every block, and the same logits, here as there."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from benchmarks.compare import error, ours
from benchmarks.parity_timm import REFERENCES, SIZES, Reference, errors, pictures, run
from saccade.errors import DataError
from saccade.weights.read import read
from saccade.weights.timm.names import facts, require_plain
from saccade.weights.write import write

timm = pytest.importorskip("timm", reason="needs timm: pip install saccade[parity]")

LIMIT = 1e-5
"""Relative; fp32 sums in another order differ by some 1e-7."""

references = pytest.mark.parametrize("reference", REFERENCES, ids=lambda each: each.name)


@references
def test_every_block_and_the_logits_agree(reference: Reference) -> None:
    found = errors(reference, seed=0)

    assert found.keys() == SIZES.keys()
    assert max(found.values()) <= LIMIT, found


@references
def test_what_was_read_and_written_is_theirs_to_the_bit(
    reference: Reference, tmp_path: Path
) -> None:
    model = reference.build(seed=0)
    reference.save(model, tmp_path / "theirs")
    found = read(tmp_path / "theirs")

    write(
        found.tensors,
        found.model,
        found.class_names,
        found.preprocess,
        library="timm",
        folder=tmp_path / "written",
    )

    before = load_file(tmp_path / "theirs" / "model.safetensors")
    after = load_file(tmp_path / "written" / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    again = read(tmp_path / "written")
    assert (again.model, again.preprocess) == (found.model, found.preprocess)
    assert all(torch.equal(again.tensors[name], found.tensors[name]) for name in found.tensors)


@references
def test_timm_loads_what_was_written_by_itself(reference: Reference, tmp_path: Path) -> None:
    model = reference.build(seed=0).eval()
    reference.save(model, tmp_path / "theirs")
    found = read(tmp_path / "theirs")
    write(
        found.tensors,
        found.model,
        found.class_names,
        found.preprocess,
        library="timm",
        folder=tmp_path / "written",
    )

    loaded = timm.create_model(f"local-dir:{tmp_path / 'written'}", pretrained=True).eval()

    images = pictures("native", seed=1)
    with torch.no_grad():
        assert torch.equal(loaded(images), model(images))
    prepared = timm.data.resolve_model_data_config(loaded)
    assert tuple(prepared["mean"]) == found.preprocess.mean
    assert tuple(prepared["input_size"]) == (3, found.preprocess.height, found.preprocess.width)


def test_timm_resamples_as_we_do_what_was_written_for_other_pictures(tmp_path: Path) -> None:
    reference = REFERENCES[0]
    reference.save(reference.build(seed=0), tmp_path / "theirs")
    found = read(tmp_path / "theirs")
    preprocess = replace(found.preprocess, height=44, width=64)  # 44 is no multiple of the patch
    write(
        found.tensors,
        found.model,
        found.class_names,
        preprocess,
        library="timm",
        folder=tmp_path / "written",
    )

    loaded = timm.create_model(f"local-dir:{tmp_path / 'written'}", pretrained=True)

    images = torch.randn(2, 3, 44, 64)
    assert error(ours(read(tmp_path / "written"), images), run(loaded, images)) <= LIMIT
    assert read(tmp_path / "written").preprocess == preprocess


def plain_names() -> list[str]:
    """Every architecture of timm whose name we say we can read."""
    found = []
    for name in timm.list_models():
        try:
            require_plain(name, source="a test")
        except DataError:
            continue
        found.append(name)
    return found


@pytest.mark.slow
def test_what_a_name_settles_is_what_timm_builds() -> None:
    names = plain_names()
    assert len(names) > 100

    wrong: list[object] = []
    for name in names:
        with torch.device("meta"):
            model = timm.create_model(name, depth=2)
        if model.attn_pool is not None:  # refused by its tensors
            continue
        block = model.blocks[0]
        found = facts(
            {"architecture": name},
            embed_dim=model.embed_dim,
            is_gated=type(block.mlp).__name__ == "GluMlp",
            is_clip=not isinstance(model.norm_pre, nn.Identity),
            source=name,
        )
        built = (block.attn.num_heads, activation(block.mlp.act), block.norm1.eps)
        if (found.num_heads, found.activation, found.norm_eps) != built:
            wrong.append((name, found, built))
        if type(block) is not timm.models.vision_transformer.Block:
            wrong.append((name, type(block)))
    assert wrong == []


def activation(module: nn.Module) -> str:
    names = {"GELUTanh": "gelu_tanh", "QuickGELU": "quick_gelu", "SiLU": "silu", "GELU": "gelu"}
    return names[type(module).__name__]
