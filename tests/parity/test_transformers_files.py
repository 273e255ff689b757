"""Files of transformers, old and new, and ours that it loads by itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.compare import error, ours
from benchmarks.parity_transformers import REFERENCES, Reference
from saccade.data.preprocess import fit_picture
from saccade.errors import DataError
from saccade.weights.hf import dinov2, dinov3, videomae, vit
from saccade.weights.hf.preprocess import read_preprocess
from saccade.weights.pretrained import Pretrained
from saccade.weights.read import read
from saccade.weights.write import write

transformers = pytest.importorskip(
    "transformers", reason="compares with transformers: pip install saccade[parity]"
)

WITH_DECODER = [each for each in REFERENCES if each.leave_out]
WHOLE = [each for each in REFERENCES if not each.leave_out]
BESIDE_THE_MODEL = ("mask_token", "pooler.dense.weight", "pooler.dense.bias")


def save(reference: Reference, folder: Path, **how: bool) -> dict[str, Tensor]:
    """Saved by them; returns what stands in the file."""
    reference.build(seed=3).save_pretrained(folder, **how)
    return load_file(folder / "model.safetensors")


def write_back(weights: Pretrained, folder: Path) -> dict[str, Tensor]:
    write(
        weights.tensors,
        weights.model,
        weights.class_names,
        weights.preprocess,
        library="transformers",
        folder=folder,
    )
    return load_file(folder / "model.safetensors")


def of_the_model(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: each for name, each in tensors.items() if not name.endswith(BESIDE_THE_MODEL)}


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []


@pytest.mark.parametrize("reference", WHOLE, ids=lambda each: each.name)
def test_what_transformers_saved_is_written_back_bit_by_bit(
    reference: Reference, tmp_path: Path
) -> None:
    theirs = save(reference, tmp_path / "theirs")
    weights = read(tmp_path / "theirs")

    back = write_back(weights, tmp_path / "back")

    assert_equal(of_the_model(back), of_the_model(theirs))
    again = read(tmp_path / "back")
    assert again.model == weights.model
    assert again.class_names == weights.class_names
    assert_equal(dict(again.tensors), dict(weights.tensors))


@pytest.mark.parametrize("reference", WHOLE, ids=lambda each: each.name)
def test_transformers_loads_what_was_written_and_answers_the_same(
    reference: Reference, tmp_path: Path
) -> None:
    save(reference, tmp_path / "theirs")
    weights = read(tmp_path / "theirs")
    write_back(weights, tmp_path / "back")
    described = json.loads((tmp_path / "back" / "config.json").read_text())

    loaded, report = getattr(transformers, described["architectures"][0]).from_pretrained(
        tmp_path / "back", output_loading_info=True, attn_implementation="eager"
    )

    missing = {name for name in report["missing_keys"] if not name.startswith("pooler.")}
    assert (missing, set(report["unexpected_keys"])) == (set(), set())
    images = reference.images("native", seed=4)
    if reference.model == "ViTMAEModel":  # written as the ViT that its encoder is
        reference = next(each for each in WHOLE if each.model == "ViTModel")
    assert error(ours(weights, images), reference.run(loaded, images)) <= 1e-5


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda each: each.name)
def test_both_spellings_of_the_names_are_the_same_weights(
    reference: Reference, tmp_path: Path
) -> None:
    old = save(reference, tmp_path / "old")
    new = save(reference, tmp_path / "new", save_original_format=False)

    assert_equal(
        dict(read(tmp_path / "new", leave_out=reference.leave_out).tensors),
        dict(read(tmp_path / "old", leave_out=reference.leave_out).tensors),
    )
    assert old.keys() != new.keys()


@pytest.mark.parametrize("reference", WITH_DECODER, ids=lambda each: each.name)
def test_a_decoder_is_refused_until_it_is_left_out(reference: Reference, tmp_path: Path) -> None:
    save(reference, tmp_path)

    with pytest.raises(Exception, match=r"not in the model: decoder\..*Nothing was loaded"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("config", "defaults"),
    [
        ("ViTConfig", vit.DEFAULTS),
        ("DeiTConfig", vit.DEFAULTS),
        ("ViTMAEConfig", vit.DEFAULTS),
        ("Dinov2Config", dinov2.DEFAULTS),
        ("Dinov2WithRegistersConfig", dinov2.REGISTER_DEFAULTS),
        ("DINOv3ViTConfig", dinov3.DEFAULTS),
        ("VideoMAEConfig", videomae.DEFAULTS),
    ],
)
def test_what_a_config_file_does_not_say_is_what_its_class_takes(
    config: str, defaults: dict[str, Any]
) -> None:
    theirs = getattr(transformers, config)()

    assert {key: getattr(theirs, key) for key in defaults} == defaults


def test_a_model_in_parts_is_read_whole_or_refused(tmp_path: Path) -> None:
    model = REFERENCES[0].build(seed=3)
    model.save_pretrained(tmp_path / "one")
    model.save_pretrained(tmp_path / "parts", max_shard_size="40KB")
    parts = sorted((tmp_path / "parts").glob("*.safetensors"))

    assert len(parts) > 2
    whole = dict(read(tmp_path / "one").tensors)
    assert_equal(dict(read(tmp_path / "parts").tensors), whole)
    parts[1].unlink()
    with pytest.raises(DataError, match=f"missing: {parts[1].name}"):
        read(tmp_path / "parts")


def test_the_processor_that_was_written_is_loaded_by_its_class(tmp_path: Path) -> None:
    save(REFERENCES[0], tmp_path / "theirs")
    weights = read(tmp_path / "theirs")
    cropped = replace(weights.preprocess, fit="crop", resize_side=256, interpolation="bicubic")

    for number, preprocess in enumerate([weights.preprocess, cropped]):
        folder = tmp_path / str(number)
        write_back(replace(weights, preprocess=preprocess), folder)
        theirs = transformers.AutoImageProcessor.from_pretrained(folder)
        side = theirs.size.shortest_edge or 0
        assert (bool(theirs.do_center_crop), side) == (number == 1, preprocess.resize_side)
        assert tuple(theirs.image_mean) == preprocess.mean


def test_half_precision_is_read_as_the_same_numbers(tmp_path: Path) -> None:
    theirs = save(REFERENCES[0], tmp_path)
    save_file({name: each.half() for name, each in theirs.items()}, tmp_path / "model.safetensors")

    weights = read(tmp_path)

    assert_equal(
        of_the_model(write_back(weights, tmp_path / "back")),
        {name: each.half().float() for name, each in of_the_model(theirs).items()},
    )
    assert any("float16" in note for note in weights.notes)


@pytest.mark.parametrize(
    ("given", "model_type"),
    [
        ({"image_processor_type": "ViTImageProcessor"}, "vit"),
        ({"feature_extractor_type": "ViTFeatureExtractor", "size": 48}, "vit_mae"),
        ({"feature_extractor_type": "DeiTFeatureExtractor", "size": 40, "crop_size": 32}, "deit"),
        ({"image_processor_type": "DeiTImageProcessor"}, "deit"),
        ({"image_processor_type": "BitImageProcessor"}, "dinov2"),
        ({"image_processor_type": "BitImageProcessor", "size": 40, "crop_size": 32}, "dinov2"),
        ({"image_processor_type": "VideoMAEImageProcessor"}, "videomae"),
        ({"image_processor_type": "VideoMAEImageProcessor", "size": 240}, "videomae"),
        ({"image_processor_type": "DINOv3ViTImageProcessorFast"}, "dinov3_vit"),
        ({"image_processor_type": "ViTImageProcessor", "size": [40, 30]}, "vit"),
        (
            {"image_processor_type": "ViTImageProcessor", "crop_size": None, "do_resize": True},
            "vit",
        ),
        (
            {"image_processor_type": "BitImageProcessor", "size": 250, "default_to_square": True},
            "dinov2",
        ),
    ],
    ids=str,
)
def test_what_a_processor_file_does_not_say_is_what_its_class_takes(
    given: dict[str, Any], model_type: str, tmp_path: Path
) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(given))
    theirs = transformers.AutoImageProcessor.from_pretrained(tmp_path)

    found = read_preprocess(given, model_type=model_type, source="a file").preprocess

    assert found.mean == tuple(theirs.image_mean)
    assert found.std == tuple(theirs.image_std)
    assert {"lanczos": 1, "bilinear": 2, "bicubic": 3}[found.interpolation] == theirs.resample
    size, crop = theirs.size, theirs.crop_size if theirs.do_center_crop else theirs.size
    assert (found.height, found.width) == (crop.height, crop.width)
    assert found.resize_side == (size.shortest_edge or size.height if found.fit == "crop" else 0)
    assert (found.fit == "crop") == bool(theirs.do_center_crop)


@pytest.mark.parametrize(
    "given",
    [
        {
            "image_processor_type": "BitImageProcessor",
            "size": {"shortest_edge": 40},
            "crop_size": 32,
        },
        {"image_processor_type": "ViTImageProcessor", "size": {"height": 24, "width": 40}},
        {"image_processor_type": "ViTImageProcessor", "size": 32, "resample": 1},
        {"image_processor_type": "VideoMAEImageProcessor", "size": 38, "crop_size": 32},
    ],
    ids=str,
)
def test_a_picture_is_prepared_to_the_same_numbers(given: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(given))
    theirs = transformers.AutoImageProcessor.from_pretrained(tmp_path, backend="pil")
    ours = read_preprocess(given, model_type="vit", source="a file").preprocess
    # Wide enough for a margin that both libraries share evenly.
    picture = np.random.default_rng(0).integers(0, 256, (60, 96, 3), dtype=np.uint8)

    expected = theirs([Image.fromarray(picture)], return_tensors="pt")["pixel_values"]

    found = torch.from_numpy(fit_picture(picture, ours)) / 255
    mean, std = (torch.tensor(each)[:, None, None] for each in (ours.mean, ours.std))
    torch.testing.assert_close((found - mean) / std, expected.flatten(0, -4)[0], rtol=0, atol=1e-5)
