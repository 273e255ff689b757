"""A folder is written that the other library reads: the same numbers, nothing overwritten."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from saccade.backbones.build import build_backbone
from saccade.config.model import VitConfig
from saccade.errors import SaccadeError, UsageError
from saccade.weights.read import read
from saccade.weights.write import write
from tests.weights.hf.models import CLASSES, PREPROCESS, VIT, drawn

# Both libraries can say this one; transformers resamples its positions without antialiasing.
PLAIN = replace(VIT, norm_eps=1e-6)

libraries = pytest.mark.parametrize("library", ["timm", "transformers"])


def write_to(
    folder: Path, tensors: dict[str, Tensor], model: VitConfig, library: str
) -> tuple[str, ...]:
    assert library in ("timm", "transformers")
    chosen: Literal["timm", "transformers"] = "timm" if library == "timm" else "transformers"
    return write(tensors, model, CLASSES, PREPROCESS, library=chosen, folder=folder)


@libraries
def test_reading_what_was_written_gives_the_same_bits(library: str, tmp_path: Path) -> None:
    tensors = drawn(PLAIN, num_classes=len(CLASSES))

    write_to(tmp_path, tensors, PLAIN, library)
    found = read(tmp_path)

    assert found.library == library
    assert replace(found.model, position_antialias=False) == PLAIN
    assert (found.class_names, found.preprocess) == (CLASSES, PREPROCESS)
    assert found.tensors.keys() == tensors.keys()
    assert all(torch.equal(found.tensors[name], tensors[name]) for name in tensors)


@libraries
def test_the_folder_holds_what_the_library_looks_for(library: str, tmp_path: Path) -> None:
    write_to(tmp_path / "new" / "folder", drawn(PLAIN, num_classes=len(CLASSES)), PLAIN, library)

    names = {each.name for each in (tmp_path / "new" / "folder").iterdir()}
    more = {"preprocessor_config.json"} if library == "transformers" else set()
    assert names == {"model.safetensors", "config.json"} | more
    with safe_open(tmp_path / "new" / "folder" / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


@libraries
def test_nothing_is_overwritten(library: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("mine")

    with pytest.raises(UsageError, match=r"holds config\.json already"):
        write_to(tmp_path, drawn(PLAIN, num_classes=len(CLASSES)), PLAIN, library)

    assert [each.name for each in tmp_path.iterdir()] == ["config.json"]


@libraries
def test_what_the_library_cannot_say_leaves_no_folder(library: str, tmp_path: Path) -> None:
    model = replace(PLAIN, residual="rezero")

    with pytest.raises(UsageError):
        write_to(tmp_path / "out", drawn(model, num_classes=len(CLASSES)), model, library)

    assert not (tmp_path / "out").exists()


def test_a_formula_of_positions_is_written_as_its_table(tmp_path: Path) -> None:
    model = replace(PLAIN, position="sincos", num_prefix_positions=0, pool="mean")
    tensors = drawn(model, num_classes=len(CLASSES))

    notes = write_to(tmp_path, tensors, model, "timm")
    found = read(tmp_path)

    assert "written as the table for 3 x 3 patches" in notes[0]
    images = torch.randn(2, 3, PREPROCESS.height, PREPROCESS.width)
    torch.testing.assert_close(
        tokens(found.model, found.tensors, images), tokens(model, tensors, images)
    )


def tokens(model: VitConfig, tensors: object, images: Tensor) -> Tensor:
    assert isinstance(tensors, dict)
    backbone = build_backbone(model, in_channels=3).eval()
    backbone.load_state_dict(
        {
            name.removeprefix("backbone."): each
            for name, each in tensors.items()
            if name.startswith("backbone.")
        }
    )
    with torch.no_grad():
        return backbone(images).x


def test_another_way_to_resample_positions_is_said(tmp_path: Path) -> None:
    tensors = drawn(PLAIN, num_classes=len(CLASSES))

    assert "with antialiasing" in write_to(tmp_path / "a", tensors, PLAIN, "timm")[0]
    same = replace(PLAIN, position_antialias=True)
    assert write_to(tmp_path / "b", tensors, same, "timm") == ()


@pytest.mark.parametrize("library", ["timm", "transformers"])
def test_a_licence_goes_with_the_weights(
    tmp_path: Path, library: Literal["timm", "transformers"]
) -> None:
    write(
        drawn(PLAIN, num_classes=len(CLASSES)),
        PLAIN,
        CLASSES,
        PREPROCESS,
        library=library,
        folder=tmp_path,
        licence="cc-by-4.0",
    )

    assert read(tmp_path).licence == "cc-by-4.0"


def test_weights_on_another_device_or_in_half_precision_are_written_as_float32(
    tmp_path: Path,
) -> None:
    tensors = {name: each.to(torch.bfloat16) for name, each in drawn(PLAIN, num_classes=3).items()}

    write_to(tmp_path, tensors, PLAIN, "timm")

    assert all(each.dtype == torch.float32 for each in read(tmp_path).tensors.values())


def test_the_config_is_json_that_a_person_can_read(tmp_path: Path) -> None:
    write_to(tmp_path, drawn(PLAIN, num_classes=len(CLASSES)), PLAIN, "timm")

    text = (tmp_path / "config.json").read_text(encoding="utf-8")
    assert json.loads(text)["label_names"] == list(CLASSES)
    assert text.count("\n") > 10


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(SaccadeError, match="could not write"):
        write_to(tmp_path / "file", drawn(PLAIN, num_classes=len(CLASSES)), PLAIN, "timm")
