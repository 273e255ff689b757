"""convert: weights of any origin -> a run folder, or a folder that another library loads."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast, get_args

import torch

from saccade.config.json import to_json
from saccade.config.model import VitConfig
from saccade.config.run import AugmentConfig, DataConfig, OptimConfig, RunConfig
from saccade.config.task import ClassifyConfig, VideoConfig
from saccade.errors import DataError, UsageError, nearest
from saccade.planning.classify import MAX_BAD_FRACTION
from saccade.reporting.card import write_card
from saccade.run.contract import Contract, DataRecord, load_contract
from saccade.run.device import num_cores
from saccade.run.environment import attention_path, describe, versions
from saccade.run.folder import RunFolder, refuse_taken, write_atomic
from saccade.run.start import Start, find_run, read_start, restore
from saccade.run.weights import save_weights
from saccade.shapes import Grid
from saccade.tokens.flexi import resize_patches
from saccade.tokens.positions import resample
from saccade.verbs.prepare import pictures_seen
from saccade.verbs.voice import Voice
from saccade.version import __version__
from saccade.weights.write import write

Library = Literal["saccade", "timm", "transformers"]

_PATCHES = "backbone.embed.project.weight"
_POSITIONS = "backbone.position.table"


@dataclass(frozen=True, kw_only=True)
class ConvertResult:
    """What was converted.

    Attributes:
        weights: what was read, as it was named.
        out: the folder that was made.
        to: who loads it.
        model: the model, and whose it was.
        num_classes: K; 0 for weights without a head.
        licence: of the weights, as their source states it.
        notes: what a user should hear.
    """

    weights: str
    out: Path
    to: str
    model: str
    num_classes: int
    licence: str
    notes: tuple[str, ...]


def convert(
    weights: str | Path,
    out: str | Path,
    *,
    to: str = "saccade",
    leave_out: Sequence[str] = (),
    class_names: str | Path | None = None,
    patch_size: int | None = None,
    is_quiet: bool = False,
) -> ConvertResult:
    """Turns weights into a run folder that every verb takes, or into one of another library.

    Args:
        weights: a run folder, or weights of another library; see ``load``.
        out: the folder to make.
        to: ``saccade``, ``timm`` or ``transformers``.
        leave_out: patterns of *their* names for tensors that may be dropped, as ``"decoder.*"``.
        class_names: a text file with a name per line, in the order of the logits; None: the names
            that the weights bring.
        patch_size: resize the patch embedding to patches of so many pixels a side.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: nothing can be read there, ``out`` exists, the names do not fit, or the library
            has no such model.
        DataError: a file is damaged, or is not the model that it describes.
    """
    voice = Voice(is_quiet=is_quiet)
    if to not in get_args(Library):
        raise UsageError(f"--to is {to!r}; {nearest(to, get_args(Library))}")
    folder = RunFolder(out)
    refuse_taken(folder.path)
    start = read_start(weights, leave_out=leave_out)
    if class_names is not None:
        start = replace(start, class_names=_read_names(Path(class_names), start))
    if patch_size is not None:
        start = _with_patches(start, patch_size)
    voice.head(f"{start.name}, {_num_parameters(start):,} parameters, licence {start.licence}")
    notes = start.notes
    if to == "saccade":
        _write_run(folder, start)
    else:
        notes += _write_for(cast(Literal["timm", "transformers"], to), folder.path, start)
        if _temperature(start) != 1:
            notes += (
                f"the run divides its logits by {_temperature(start):.4f} before it says how sure "
                f"it is; {to} does not know that",
            )
    for note in notes:
        voice.say(f"  {note}")
    voice.say(f"  written to {out}")
    return ConvertResult(
        weights=str(weights),
        out=folder.path,
        to=to,
        model=start.name,
        num_classes=len(start.class_names),
        licence=start.licence,
        notes=notes,
    )


def _read_names(path: Path, start: Start) -> tuple[str, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors leave a mark
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--class-names {path} cannot be read: {error}") from None
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    expected = len(start.class_names)
    if not expected:
        raise UsageError(f"{start.source} has no head, so there are no classes to name")
    if len(names) != expected:
        raise DataError(
            f"--class-names {path} has {len(names)} names, and {start.source} tells {expected} "
            "classes apart; give one name per line, in the order of the logits"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"--class-names {path} names {', '.join(twice[:5])} more than once")
    return names


def _with_patches(start: Start, patch_size: int) -> Start:
    """The same weights for patches of another size, and positions for the grid that they make."""
    model = start.model
    if not isinstance(model, VitConfig) or model.stem != "patches":
        raise UsageError(
            f"--patch-size is for vision transformers that read plain patches; {start.name} reads "
            "its pictures through convolutions, which fix the size of a cell"
        )
    if patch_size < 1:
        raise UsageError(f"--patch-size is {patch_size}; a patch has at least 1 pixel a side")
    tensors = dict(start.tensors)
    tensors[_PATCHES] = resize_patches(tensors[_PATCHES], patch_size=patch_size)
    said = f"patches resized from {model.patch_size} to {patch_size} pixels a side"
    model = replace(model, patch_size=patch_size)
    if model.position == "learned":
        old, given = Grid(*model.position_grid), start.preprocess
        new = Grid(old.t, -(-given.height // patch_size), -(-given.width // patch_size))
        tensors[_POSITIONS] = resample(
            tensors[_POSITIONS], old, new, antialias=model.position_antialias
        )
        model = replace(model, position_grid=tuple(new))
        said += f", positions from {old.h} x {old.w} to {new.h} x {new.w} patches"
    return replace(start, model=model, tensors=tensors, notes=(*start.notes, said))


def _write_for(
    library: Literal["timm", "transformers"], folder: Path, start: Start
) -> tuple[str, ...]:
    if not isinstance(start.model, VitConfig):
        raise UsageError(
            f"{library} has no model like {start.name}: only vision transformers (vit) are written "
            "for it. --to saccade takes every model"
        )
    return write(
        start.tensors,
        start.model,
        start.class_names,
        start.preprocess,
        library=library,
        folder=folder,
        licence=start.licence,
    )


def _temperature(start: Start) -> float:
    """By which a run divides its logits."""
    run = find_run(start.source)
    return 1.0 if run is None else load_contract(run.contract).temperature


def _write_run(folder: RunFolder, start: Start) -> None:
    config, task = _config(start), restore(start)
    contract = Contract(
        saccade=__version__,
        versions=versions(),
        job=config.job,
        model_name=start.name,
        class_names=start.class_names,
        preprocess=start.preprocess,
        data=DataRecord(
            source="",
            kind="unknown",
            fingerprint="",
            splits={},
            class_counts={},
            notes=list(start.notes),
            ignored=[],
            bad={},
        ),
        temperature=_temperature(start),
        num_parameters=_num_parameters(start),
        seed=config.seed,
        licence=start.licence,
        origin=start.origin(has_new_head=False),
    )
    cpu = torch.device("cpu")
    attention = attention_path(
        config.model,
        image_size=config.data.image_size,
        device=cpu,
        precision=config.precision,
    )
    folder.create(
        {
            folder.config: to_json(config),
            folder.contract: contract.to_json(),
            folder.environment: describe(cpu, precision=config.precision, attention=attention),
        }
    )
    try:
        save_weights(folder.weights, task, header=contract.header())
        seen = pictures_seen(start.source)
        if seen:
            write_atomic(folder.trained_on, "\n".join(sorted(seen)).encode())
        write_card(folder.path)
    except BaseException:  # a full disk, or Ctrl-C: half a run is no run
        shutil.rmtree(folder.path)
        raise


def _config(start: Start) -> RunConfig:
    """The config of a run that made no step; only model, pictures and precision are used."""
    preprocess = start.preprocess
    return RunConfig(
        job=start.job,
        seed=0,
        steps=0,
        budget_seconds=None,
        log_every=1,
        evaluate_every=1,
        save_every=1,
        precision="fp32",  # as weights of other libraries were evaluated
        model=start.model,
        data=DataConfig(
            source="",
            image_size=min(preprocess.height, preprocess.width),
            channels=preprocess.channels,
            fit=preprocess.fit,
            batch_size=1,
            val_fraction=0.0,
            test_fraction=0.0,
            max_bad_fraction=MAX_BAD_FRACTION,
            cache_gib=0.0,
            num_threads=num_cores(),
        ),
        augment=AugmentConfig(
            flip=0.0, translate=0.0, zoom=0.0, rotate_degrees=0.0, shear=0.0, colour=0.0, erase=0.0
        ),
        optim=OptimConfig(
            lr=0.0,
            weight_decay=0.0,
            beta1=0.9,
            beta2=0.999,
            warmup=0.0,
            final_lr=1.0,
            clip_norm=1.0,
            label_smoothing=0.0,
            average=0.0,
        ),
        task=VideoConfig(num_frames=preprocess.num_frames, baseline="none")
        if start.job == "video"
        else ClassifyConfig(),
    )


def _num_parameters(start: Start) -> int:
    return sum(tensor.numel() for tensor in start.tensors.values())
