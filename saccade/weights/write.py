"""Our weights as a folder that another library loads by itself."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from torch import Tensor

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.errors import SaccadeError, UsageError
from saccade.shapes import Grid
from saccade.tokens.positions import sincos
from saccade.weights.files import LICENCE_NOT_STATED
from saccade.weights.hf.convert import to_transformers
from saccade.weights.timm.write import to_timm


def write(
    task_tensors: Mapping[str, Tensor],
    config: VitConfig,
    class_names: tuple[str, ...],
    preprocess: Preprocess,
    *,
    library: Literal["timm", "transformers"],
    folder: str | Path,
    licence: str = LICENCE_NOT_STATED,
) -> tuple[str, ...]:
    """Writes model.safetensors, config.json and what else the library reads.

    ``timm.create_model("local-dir:FOLDER", pretrained=True)`` or the ``from_pretrained(FOLDER)`` of
    the class that config.json names then gives the same model. Positions that are a formula are
    written as the table of their grid.

    Args:
        task_tensors: by the names of our task.
        config: the shape.
        class_names: in the order of the logits; empty for a model without a head.
        preprocess: how its pictures are prepared.
        library: who is to load it.
        folder: where to; made if need be. Nothing that exists is overwritten.
        licence: of the weights, as their source states it.

    Returns:
        What a user should hear.

    Raises:
        UsageError: the library has no such model (with the reason), or files are there already.
        SaccadeError: the disk is full, or the like.
    """
    tensors = {
        name: value.detach().to("cpu", torch.float32) for name, value in task_tensors.items()
    }
    config, tensors, notes = _with_table(config, tensors, preprocess)
    documents: dict[str, Any]
    match library:
        case "timm":
            theirs, described = to_timm(
                tensors, config, class_names=class_names, preprocess=preprocess, licence=licence
            )
            documents = {"config.json": described}
            if config.position == "learned" and not config.position_antialias:
                notes = (*notes, _OTHER_KERNEL)
        case "transformers":
            written = to_transformers(
                tensors, config, class_names=class_names, preprocess=preprocess
            )
            theirs, notes = written.tensors, (*notes, *written.notes)
            documents = {
                "config.json": written.config,
                "preprocessor_config.json": written.preprocessor,
            }
            if licence != LICENCE_NOT_STATED:  # where that library's models state theirs
                documents["README.md"] = f"---\nlicense: {licence}\n---\n"
    _save(Path(folder), theirs, documents)
    return notes


def _with_table(
    config: VitConfig, tensors: dict[str, Tensor], preprocess: Preprocess
) -> tuple[VitConfig, dict[str, Tensor], tuple[str, ...]]:
    """The same model with its sin-cos positions, if it has such, as a table."""
    if config.position != "sincos" or config.tubelet_size > 1:
        return config, tensors, ()
    side = config.patch_size
    grid = Grid(1, -(-preprocess.height // side), -(-preprocess.width // side))
    table = sincos(grid, config.embed_dim, num_axes=2, device=torch.device("cpu"))[None]
    note = (
        f"its positions are a formula, and were written as the table for {grid.h} x {grid.w} "
        "patches; for other sizes the library resamples that table"
    )
    config = replace(config, position="learned", position_grid=tuple(grid), num_prefix_positions=0)
    return config, tensors | {"backbone.position.table": table}, (note,)


def _save(folder: Path, tensors: dict[str, Tensor], documents: Mapping[str, Any]) -> None:
    names = ["model.safetensors", *documents]
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise UsageError(
            f"{folder} holds {', '.join(there)} already, and nothing is overwritten. Name another "
            "folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Both libraries look for this entry, which says how the tensors were laid out.
        safetensors.torch.save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        for name, document in documents.items():
            if not isinstance(document, str):
                document = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
            (folder / name).write_text(document, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise SaccadeError(f"could not write {folder}: {reason}") from error


_OTHER_KERNEL = (
    "for pictures of another size than the positions were learned on, timm resamples them with "
    "antialiasing, as this model does not; at that size the answers are the same"
)
