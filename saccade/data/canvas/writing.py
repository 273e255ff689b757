"""Drawn worlds as files, each in the form in which a person would have such data."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saccade.data.canvas.clips import DIRECTIONS, ClipConfig, draw_clip
from saccade.data.canvas.handwriting import PARTS, Handwriting, Part, scikit_digits
from saccade.data.canvas.scenes import Scene, SceneConfig, draw_scene
from saccade.data.regions import encode_rle

BACKGROUND = "background"
"""The name of class 0 in the masks of semantic segmentation."""

SEVERAL_CHARACTERS = SceneConfig()
"""Scenes of one to six characters."""

ONE_CHARACTER = SceneConfig(
    height=32, width=32, min_characters=1, max_characters=1, min_size=16.0, max_size=28.0
)
"""Scenes that have one class, and so can lie in class folders."""

MOVING_CHARACTER = ClipConfig()
"""Clips of eight frames."""


class Amounts(NamedTuple):
    """How many pictures, or clips, of each part; a part of 0 is not written."""

    train: int
    val: int
    test: int


Characters = Callable[[Part], Handwriting]


def write_objects(
    folder: Path,
    amounts: Amounts,
    *,
    seed: int,
    config: SceneConfig = SEVERAL_CHARACTERS,
    characters: Characters = scikit_digits,
) -> None:
    """Pictures with boxes and masks of their objects, as COCO has them.

    ``train/000000.png``, ``annotations/instances_train.json``, and so on for the other parts. The
    files serve detection and instance segmentation alike.
    """
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for part, numbers in _parts(amounts):
        written = characters(part)
        images: list[dict[str, Any]] = []
        objects: list[dict[str, Any]] = []
        for number in numbers:
            scene = draw_scene(written, seed=seed, part=part, number=number, config=config)
            name = f"{number:06d}.png"
            _save(scene.image, folder / part / name, is_grey=config.is_grey)
            images.append(
                {"id": number, "file_name": name, "height": config.height, "width": config.width}
            )
            objects += _coco_objects(scene, picture=number, first_id=len(objects) + 1)
        categories = [{"id": k, "name": name} for k, name in enumerate(written.class_names, 1)]
        world = {"images": images, "annotations": objects, "categories": categories}
        (folder / "annotations" / f"instances_{part}.json").write_text(json.dumps(world))


def write_class_maps(
    folder: Path,
    amounts: Amounts,
    *,
    seed: int,
    config: SceneConfig = SEVERAL_CHARACTERS,
    characters: Characters = scikit_digits,
) -> None:
    """Pictures, and masks that hold the class of each pixel as a number.

    ``images/train/000000.png``, ``masks/train/000000.png`` with a palette to look at, and
    ``classes.txt``, whose first line names number 0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [BACKGROUND, *characters("train").class_names]
    (folder / "classes.txt").write_text("\n".join(names) + "\n")
    for part, numbers in _parts(amounts):
        written = characters(part)
        for number in numbers:
            scene = draw_scene(written, seed=seed, part=part, number=number, config=config)
            name = f"{part}/{number:06d}.png"
            _save(scene.image, folder / "images" / name, is_grey=config.is_grey)
            mask = Image.fromarray(scene.classes()).convert("P")
            mask.putpalette(_palette(len(names)))
            path = folder / "masks" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            mask.save(path)


def write_clips(
    folder: Path,
    amounts: Amounts,
    *,
    seed: int,
    config: ClipConfig = MOVING_CHARACTER,
    characters: Characters = scikit_digits,
) -> None:
    """Clips as folders of frames: ``train/right-up/000007/003.png``."""
    for part, numbers in _parts(amounts):
        written = characters(part)
        for number in numbers:
            clip = draw_clip(written, seed=seed, part=part, number=number, config=config)
            place = folder / part / DIRECTIONS[clip.label] / f"{number:06d}"
            for t, frame in enumerate(clip.frames):
                _save(frame, place / f"{t:03d}.png", is_grey=config.is_grey)


def write_pairs(
    folder: Path,
    amounts: Amounts,
    *,
    seed: int,
    config: SceneConfig = ONE_CHARACTER,
    characters: Characters = scikit_digits,
) -> None:
    """Pairs to translate: characters on a texture, and the same in white on black.

    ``train/input/000000.png`` and ``train/target/000000.png``.
    """
    for part, numbers in _parts(amounts):
        written = characters(part)
        for number in numbers:
            scene = draw_scene(written, seed=seed, part=part, number=number, config=config)
            clean = np.repeat(((scene.segments > 0) * 255)[:, :, None], 3, axis=2).astype(np.uint8)
            _save(scene.image, folder / part / "input" / f"{number:06d}.png", is_grey=False)
            _save(clean, folder / part / "target" / f"{number:06d}.png", is_grey=False)


def write_class_folders(
    folder: Path,
    amounts: Amounts,
    *,
    seed: int,
    config: SceneConfig = ONE_CHARACTER,
    characters: Characters = scikit_digits,
) -> None:
    """Pictures of one character each, in a folder of its class: ``train/7/000000.png``."""
    config = replace(config, min_characters=1, max_characters=1)
    for part, numbers in _parts(amounts):
        written = characters(part)
        for number in numbers:
            scene = draw_scene(written, seed=seed, part=part, number=number, config=config)
            place = folder / part / written.class_names[scene.labels[0]]
            _save(scene.image, place / f"{number:06d}.png", is_grey=config.is_grey)


def _parts(amounts: Amounts) -> Iterator[tuple[Part, range]]:
    for part, count in zip(PARTS, amounts, strict=True):
        if count:
            yield part, range(count)


def _save(image: UInt8[np.ndarray, "H W 3"], path: Path, *, is_grey: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.ascontiguousarray(image[:, :, 0]) if is_grey else image
    Image.fromarray(pixels).save(path, compress_level=1)  # noise hardly gets smaller with more


def _coco_objects(scene: Scene, *, picture: int, first_id: int) -> Iterator[dict[str, Any]]:
    """Annotations in COCO's words; its categories count from 1."""
    for k, (label, box) in enumerate(zip(scene.labels.tolist(), scene.boxes_xyxy, strict=True)):
        left, top, right, bottom = (int(edge) for edge in box)
        mask = scene.segments == k + 1
        yield {
            "id": first_id + k,
            "image_id": picture,
            "category_id": label + 1,
            "bbox": [left, top, right - left, bottom - top],
            "area": int(mask.sum()),
            "iscrowd": 0,
            "segmentation": {"size": list(mask.shape), "counts": encode_rle(mask)},
        }


def _palette(num_colours: int) -> list[int]:
    """Black, then colours that are easy to tell apart: turned by the golden angle."""
    hues = (np.arange(num_colours - 1) * 0.381966) % 1
    waves = np.abs((hues[:, None] * 6 + np.array([0, 4, 2])) % 6 - 3) - 1
    colours = np.rint(255 * (0.25 + 0.75 * waves.clip(0, 1))).astype(int)
    return [0, 0, 0, *colours.reshape(-1).tolist()]
