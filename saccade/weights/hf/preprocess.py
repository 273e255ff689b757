"""preprocessor_config.json of transformers, and how saccade prepares a picture in the same way.

What a file does not say is decided there by the class that reads it, so each class's defaults are
here. A step that ``Preprocess`` cannot follow is refused; one that it follows with a difference
for some pictures is said in a note.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from saccade.config.run import Preprocess
from saccade.errors import DataError, UsageError

Interpolation = Literal["bilinear", "bicubic", "lanczos"]

_INTERPOLATIONS: dict[int, Interpolation] = {1: "lanczos", 2: "bilinear", 3: "bicubic"}  # of Pillow

_IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
_HALF = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
_CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])


class Read(NamedTuple):
    """How to prepare a picture, and what the user should hear about it."""

    preprocess: Preprocess
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Step:
    """The keys of a file, with the defaults of the class that reads it."""

    given: Mapping[str, Any]
    defaults: Mapping[str, Any]
    source: str

    def value(self, key: str) -> Any:
        return self.given.get(key, self.defaults[key])

    def wrong(self, key: str, expected: str) -> DataError:
        return DataError(
            f"{self.source}: preprocessor_config.json has {key} = {self.value(key)!r}; expected "
            f"{expected}"
        )


def read_preprocess(given: Mapping[str, Any] | None, *, model_type: str, source: str) -> Read:
    """The preprocessing of a model.

    Args:
        given: preprocessor_config.json, or None where there is none.
        model_type: of config.json; decides what the file does not say.
        source: what the user named, for messages.

    Raises:
        DataError: a step that cannot be followed.
    """
    notes = []
    if given is None:
        given = {}
        notes.append(f"no preprocessor_config.json: what {model_type} usually takes is assumed")
    step = _Step(given=given, defaults=_defaults(given, model_type), source=source)
    for key in ("do_resize", "do_rescale"):
        if step.value(key) is not True:
            raise step.wrong(key, "true; saccade always does")
    factor = step.value("rescale_factor")
    if not isinstance(factor, float) or abs(factor * 255 - 1) > 1e-6:
        raise step.wrong("rescale_factor", "1/255; pixels are scaled to [0, 1]")
    interpolation = step.value("resample")
    if type(interpolation) is not int or interpolation not in _INTERPOLATIONS:
        raise step.wrong("resample", "1 (lanczos), 2 (bilinear) or 3 (bicubic)")
    (height, width), fit, resize_side, note = _geometry(step)
    normalises = step.value("do_normalize") is True
    preprocess = Preprocess(
        height=height,
        width=width,
        channels=3,
        fit=fit,
        mean=_per_channel(step, "image_mean") if normalises else (0.0, 0.0, 0.0),
        std=_per_channel(step, "image_std") if normalises else (1.0, 1.0, 1.0),
        resize_side=resize_side,
        interpolation=_INTERPOLATIONS[interpolation],
    )
    return Read(preprocess, (*notes, *note))


def write_preprocess(preprocess: Preprocess, *, is_video: bool) -> dict[str, Any]:
    """A preprocessor_config.json that does the same.

    Args:
        preprocess: ours.
        is_video: whether the model reads clips.

    Raises:
        UsageError: no class of theirs does that.
    """
    height, width = preprocess.height, preprocess.width
    if preprocess.fit == "pad" or (preprocess.fit == "crop" and height != width):
        raise UsageError(
            f"pictures are prepared by fit = {preprocess.fit!r} to {height} x {width} pixels; "
            "transformers can squash them, or crop a square out of the middle"
        )
    is_cropped = preprocess.fit == "crop"
    plain = "BitImageProcessor" if is_cropped else "ViTImageProcessor"
    side = preprocess.resize_side or height
    numbers = {each: number for number, each in _INTERPOLATIONS.items()}
    crop = {"crop_size": {"height": height, "width": width}} if is_cropped else {}
    return {
        "image_processor_type": "VideoMAEImageProcessor" if is_video else plain,
        "do_resize": True,
        "size": {"shortest_edge": side} if is_cropped else {"height": height, "width": width},
        "resample": numbers[preprocess.interpolation],
        "do_center_crop": is_cropped,
        **crop,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(preprocess.mean),
        "image_std": list(preprocess.std),
    }


def _defaults(given: Mapping[str, Any], model_type: str) -> dict[str, Any]:
    """Of the class that the file names, else of the one that belongs to the model."""
    plain: dict[str, Any] = {
        "do_resize": True,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "resample": 2,
        "do_center_crop": False,
        "size": {"height": 224, "width": 224},
        "crop_size": {"height": 224, "width": 224},
    }
    name = str(given.get("image_processor_type") or given.get("feature_extractor_type") or "")
    if not name:
        name = {
            "deit": "DeiT",
            "dinov2": "Bit",
            "dinov2_with_registers": "Bit",
            "dinov3_vit": "DINOv3",
            "videomae": "VideoMAE",
        }.get(model_type, "ViT")
    mean, std = _HALF
    if name.startswith("DINOv3") or (model_type != "vit" and not given):
        mean, std = _IMAGENET
    elif name.startswith("Bit"):
        mean, std = _CLIP
    plain |= {"image_mean": mean, "image_std": std}
    if name.startswith("DeiT"):
        plain |= {"resample": 3, "size": {"height": 256, "width": 256}, "do_center_crop": True}
    if name.startswith("Bit"):
        side = 224 if given else 256  # what all published DINOv2 are prepared with
        plain |= {"resample": 3, "size": {"shortest_edge": side}, "do_center_crop": True}
    if name.startswith("VideoMAE"):
        plain |= {"size": {"shortest_edge": 224}, "do_center_crop": True}
    # A bare number is the short side for these, and both sides for the others.
    return plain | {"default_to_square": not name.startswith(("Bit", "VideoMAE"))}


def _geometry(
    step: _Step,
) -> tuple[tuple[int, int], Literal["crop", "squash"], int, tuple[str, ...]]:
    """The model's height and width, the fit, the side that is scaled to first, and notes."""
    short_side, scaled = _size(step)
    crop = _sides(step, "crop_size") if step.value("do_center_crop") is True else None
    if scaled is not None and (crop is None or crop == scaled):
        return scaled, "squash", 0, ()
    if scaled is not None and crop is not None:
        if scaled[0] != scaled[1] or min(scaled) < max(crop):
            raise step.wrong("size", f"a square from which {crop[0]} x {crop[1]} can be cut")
        note = (
            f"its processor squashes to {scaled[0]} x {scaled[0]} pixels before it cuts out "
            f"{crop[0]} x {crop[1]}; here the aspect is kept, as in the original, so pictures that "
            "are not square look different"
        )
        return crop, "crop", scaled[0], (note,)
    if crop is None:
        note = (
            f"its processor keeps the aspect and answers with pictures of {short_side} pixels on "
            "the short side; here the square in the middle is taken"
        )
        return (short_side, short_side), "crop", short_side, (note,)
    if short_side < max(crop):
        raise step.wrong("size", f"a short side from which {crop[0]} x {crop[1]} can be cut")
    return crop, "crop", short_side, ()


def _size(step: _Step) -> tuple[int, tuple[int, int] | None]:
    """The short side that is scaled to, or 0 and both sides."""
    size = step.value("size")
    if isinstance(size, dict) and set(size) == {"shortest_edge"}:
        size = size["shortest_edge"]
        if _is_side(size):
            return size, None
    if _is_side(size) and step.value("default_to_square") is False:
        return size, None
    return 0, _sides(step, "size")


def _sides(step: _Step, key: str) -> tuple[int, int]:
    size = step.value(key)
    if _is_side(size):
        return size, size
    if isinstance(size, dict) and set(size) == {"height", "width"}:
        height, width = size["height"], size["width"]
        if _is_side(height) and _is_side(width):
            return height, width
    if isinstance(size, (list, tuple)) and len(size) == 2 and all(map(_is_side, size)):
        return size[0], size[1]
    raise step.wrong(key, "a number of pixels, height and width, or the shortest edge")


def _is_side(value: object) -> bool:
    return type(value) is int and 1 <= value <= 65_536


def _per_channel(step: _Step, key: str) -> tuple[float, ...]:
    values = step.value(key)
    is_three = isinstance(values, (list, tuple)) and len(values) == 3
    if not is_three or not all(type(each) in (int, float) and abs(each) < 1e3 for each in values):
        raise step.wrong(key, "three numbers, one per channel")
    if key == "image_std" and min(values) <= 0:
        raise step.wrong(key, "three positive numbers")
    return tuple(float(each) for each in values)
