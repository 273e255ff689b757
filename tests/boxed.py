"""A tiny world with boxes that several test folders share: bright squares, as COCO, and a run."""

import functools
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

import saccade
from saccade.verbs.trained import TrainResult

CLASSES = ("red", "green", "blue")
HEIGHT, WIDTH, SQUARE = 32, 48, 12

SETTINGS = {
    "data.batch_size": "8",
    "data.num_threads": "1",
    "precision": "fp32",
    "optim.lr": "5e-3",
    "optim.average": "0.1",
    "augment.translate": "0",
    "augment.zoom": "0",
    "log_every": "10",
    "evaluate_every": "60",
    "save_every": "60",
}


class BoxedWorld(NamedTuple):
    """A source, the run trained on it, and what training returned."""

    source: Path
    run: Path
    result: TrainResult


def draw_squares(rng: np.random.Generator) -> tuple[Image.Image, list[tuple[int, list[int]]]]:
    """A dark noisy picture with up to two squares, and the class and box (x, y, w, h) of each."""
    image = rng.integers(0, 60, (HEIGHT, WIDTH, 3))
    objects = []
    for half in range(rng.integers(0, 3)):
        left = int(rng.integers(0, WIDTH // 2 - SQUARE)) + half * WIDTH // 2
        top, label = int(rng.integers(0, HEIGHT - SQUARE)), int(rng.integers(3))
        image[top : top + SQUARE, left : left + SQUARE, label] = 250
        objects.append((label, [left, top, SQUARE, SQUARE]))
    return Image.fromarray(image.astype(np.uint8)), objects


def write_coco(folder: Path, *, count: int = 40, seed: int = 0) -> Path:
    """Pictures in ``images/`` and one COCO file; the first one has no object."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    images, annotations = [], []
    while len(images) < count:
        image, objects = draw_squares(rng)
        number = len(images)
        if (number == 0) != (not objects):
            continue
        image.save(folder / "images" / f"{number:03d}.png")
        images.append(
            {"id": number, "file_name": f"{number:03d}.png", "height": HEIGHT, "width": WIDTH}
        )
        annotations += [
            {
                "id": len(annotations) + k,
                "image_id": number,
                "category_id": label + 1,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": 0,
            }
            for k, (label, box) in enumerate(objects)
        ]
    categories = [{"id": label + 1, "name": name} for label, name in enumerate(CLASSES)]
    known = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations" / "instances.json").write_text(json.dumps(known))
    return folder


@functools.cache
def world() -> BoxedWorld:
    """A trained run, made once per session; look at it, but change nothing in it."""
    _OPEN.append(tempfile.TemporaryDirectory(prefix="saccade-tests-"))
    base = Path(_OPEN[-1].name)
    source = write_coco(base / "squares")
    result = saccade.train(
        source,
        base / "run",
        job="detect",
        model="cnn-pico8",
        steps=90,
        settings=SETTINGS,
        device="cpu",
        is_quiet=True,
    )
    return BoxedWorld(source, base / "run", result)


_OPEN: list[tempfile.TemporaryDirectory] = []  # kept until the session ends, then removed
