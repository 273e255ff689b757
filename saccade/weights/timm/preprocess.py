"""timm's evaluation preprocessing, in our words and back."""

import math
from collections.abc import Mapping
from typing import Any, Literal, cast

from saccade.config.run import Preprocess
from saccade.errors import DataError
from saccade.weights.settle import part_of

_CENTRE = 0.875  # crop_pct where none is stated
_FITS: dict[str, Literal["crop", "squash", "pad"]] = {
    "center": "crop",
    "squash": "squash",
    "border": "pad",
}
_INTERPOLATIONS = ("bilinear", "bicubic", "lanczos")


def read_preprocess(
    config: Mapping[str, Any], *, native: tuple[int, int], channels: int, source: str
) -> tuple[Preprocess, list[str]]:
    """What ``pretrained_cfg`` says about pictures.

    Args:
        config: config.json, or empty.
        native: height and width in pixels of the grid that the positions are kept for; they count
            where no size is stated.
        channels: of a picture, from the tensors.
        source: what the user named, for messages.

    Returns:
        The preprocessing, and what to tell the user about it.

    Raises:
        DataError: a value that cannot be followed.
    """
    stated = part_of(config, "pretrained_cfg", source=source)
    notes: list[str] = []
    if not stated:
        notes.append("the file does not say how pictures are prepared; timm's defaults are assumed")
    match stated.get("input_size"):
        case None:
            height, width = native
        case [int(_), int(height), int(width)] if min(height, width) > 0:
            if _takes_one_size(config) and (height, width) != native:
                # timm leaves the size of the name there when a model is made for another one.
                notes.append(
                    f"made for pictures of {native[0]} x {native[1]} pixels, though the file also "
                    f"says {height} x {width}"
                )
                height, width = native
        case other:
            raise DataError(
                f"{source}: input_size is {other!r} in config.json; expected channels, height and "
                "width"
            )
    try:
        mean, std = _per_channel(stated, "mean", channels), _per_channel(stated, "std", channels)
        crop_pct = float(stated.get("crop_pct") or _CENTRE)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise DataError(
            f"{source}: mean, std or crop_pct in config.json is no number: {error}"
        ) from None
    if min(std) <= 0:
        raise DataError(f"{source}: std is {list(std)} in config.json; expected above 0")
    fit = _FITS.get(str(stated.get("crop_mode") or "center"))
    interpolation = str(stated.get("interpolation") or "bicubic")
    if fit is None or interpolation not in _INTERPOLATIONS or not 0 < crop_pct <= 1:
        raise DataError(
            f"{source}: pictures are prepared with crop_mode {stated.get('crop_mode')!r}, crop_pct "
            f"{crop_pct:g} and interpolation {interpolation!r}; known are {', '.join(_FITS)}, "
            f"above 0 to 1, and {', '.join(_INTERPOLATIONS)}"
        )
    if fit != "crop" and crop_pct < 1:
        notes.append(f"timm cuts the outer {1 - crop_pct:.1%} off each side here; it is kept")
    if fit == "pad":
        notes.append("timm's borders have the mean colour; here they are black")
    preprocess = Preprocess(
        height=height,
        width=width,
        channels=channels,
        fit=fit,
        mean=mean,
        std=std,
        resize_side=math.floor(min(height, width) / crop_pct) if fit == "crop" else 0,
        interpolation=cast(Literal["bilinear", "bicubic", "lanczos"], interpolation),
    )
    return preprocess, notes


def write_preprocess(preprocess: Preprocess) -> dict[str, object]:
    """``pretrained_cfg`` for a preprocessing of ours; ``read_preprocess`` gives it back."""
    side = min(preprocess.height, preprocess.width)
    crop_pct = 1.0
    if preprocess.fit == "crop" and preprocess.resize_side:
        crop_pct = side / preprocess.resize_side
        if math.floor(side / crop_pct) != preprocess.resize_side:
            crop_pct = math.nextafter(crop_pct, 0)
    modes = {ours: theirs for theirs, ours in _FITS.items()}
    return {
        "input_size": [preprocess.channels, preprocess.height, preprocess.width],
        "mean": list(preprocess.mean),
        "std": list(preprocess.std),
        "crop_pct": crop_pct,
        "crop_mode": modes[preprocess.fit],
        "interpolation": preprocess.interpolation,
    }


def _per_channel(stated: Mapping[str, Any], name: str, channels: int) -> tuple[float, ...]:
    values = tuple(float(value) for value in stated.get(name) or (0.5,) * channels)
    return values if len(values) == channels else (sum(values) / len(values),) * channels


def _takes_one_size(config: Mapping[str, Any]) -> bool:
    arguments = config.get("model_args") or {}
    return bool(arguments.get("img_size")) and not arguments.get("dynamic_img_size")
