"""Weights from elsewhere, in our names: whole and proven, or refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from saccade.errors import UsageError
from saccade.weights.files import WeightFile, open_weights
from saccade.weights.google import is_google, read_google
from saccade.weights.hf.convert import from_transformers
from saccade.weights.pretrained import Pretrained
from saccade.weights.prove import listed
from saccade.weights.rename import without
from saccade.weights.timm.read import is_timm, read_timm
from saccade.weights.torchvision import is_torchvision, read_torchvision


def read(source: str | Path, *, leave_out: Sequence[str] = ()) -> Pretrained:
    """Reads the weights of another library.

    Every tensor of the file is used exactly once, every tensor of our model is filled, and all
    shapes agree; otherwise nothing is loaded and the message lists both sides.

    Args:
        source: a ``.safetensors`` file or a folder (timm, transformers, torchvision), one of
            Google's ``.npz`` files, or ``hf://owner/name[@revision]``.
        leave_out: patterns of *their* names for tensors that may be dropped, such as
            ``"decoder.*"``. Without its head a model has no classes and gives features.

    Raises:
        UsageError: nothing is there, it is a pickle, it is of no known family, or a pattern of
            ``leave_out`` matches nothing.
        DataError: the file is damaged, or is not the model that it describes.
    """
    file = open_weights(source)
    kept = without(file.tensors, leave_out, source=file.source)
    dropped = [name for name in file.tensors if name not in kept]
    found = _of_its_family(replace(file, tensors=kept), dropped)
    if not dropped:
        return found
    return replace(found, notes=(f"left out as asked: {listed(dropped)}", *found.notes))


def _of_its_family(file: WeightFile, dropped: Sequence[str]) -> Pretrained:
    if "model_type" in file.config:
        return from_transformers(
            file.config,
            file.tensors,
            file.preprocessor,
            source=file.source,
            licence=file.licence,
            left_out=dropped,
        )
    if is_google(file):
        return read_google(file)
    if is_torchvision(file):
        return read_torchvision(file)
    if is_timm(file):
        return read_timm(file)
    raise UsageError(_unknown(file))


def _unknown(file: WeightFile) -> str:
    if any(name.startswith("backbone.") for name in file.tensors):
        return (
            f"{file.source} holds weights of saccade's own. Name the run folder that they belong "
            "to where a model is asked for."
        )
    if any(".encoder.layer." in f".{name}" for name in file.tensors):
        return (
            f"{file.source} looks like weights of transformers, and these can be read only with "
            "their config.json beside them. Give the folder that save_pretrained wrote, or the "
            "name on the hub."
        )
    return (
        f"{file.source} is of no known family. It holds {len(file.tensors)} tensors: "
        f"{listed(file.tensors, limit=6)}. Known are vision transformers of timm, transformers and "
        "torchvision as safetensors, and Google's .npz."
    )
