"""Tiny folders of pictures with masks, and engines that answer for them."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from saccade.config.run import Preprocess
from saccade.data.annotated import open_masks
from saccade.data.loader import Loader
from saccade.run.device import place
from saccade.serving.engine import Engine
from saccade.tasks.build import build_task
from tests.contract.worlds import segment

CLASSES = ("background", "red", "green", "blue")
SIZES = [(16, 16), (20, 28), (16, 24), (12, 16)]


def write_masks(folder: Path, *, numbers_objects: bool) -> Path:
    """Four dark pictures of several sizes with a bright square each; masks beside them."""
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number, (height, width) in enumerate(SIZES):
        image = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
        top, left = rng.integers(0, [height - 6, width - 6])
        rows, columns = slice(top, top + 6), slice(left, left + 6)
        image[rows, columns, number % 3] = 255
        mask = np.zeros((height, width), np.uint16 if numbers_objects else np.uint8)
        mask[rows, columns] = 1 if numbers_objects else number % 3 + 1
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number}.png")
    if not numbers_objects:
        (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    return folder


def engine(*, numbers_objects: bool) -> Engine:
    """A model with random weights, whose answers mean nothing."""
    world = segment.mask_world() if numbers_objects else segment.world()
    names = ("object",) if numbers_objects else CLASSES
    preprocess = Preprocess(
        height=16, width=16, channels=3, fit="pad", mean=(0.5,) * 3, std=(0.25,) * 3
    )
    device = torch.device("cpu")
    task = build_task(world.config, class_names=names, preprocess=preprocess)
    for module in task.head.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight, std=0.3)
    return Engine(
        task=place(task, device).eval(),
        job="segment",
        preprocess=preprocess,
        precision="fp32",
        num_threads=1,
        device=device,
    )


def loader(folder: Path, of: Engine) -> Loader:
    """All pictures of a folder."""
    samples = open_masks(folder).splits["all"]
    return Loader(
        samples,
        of.preprocess,
        batch_size=4,
        num_threads=1,
        cache_bytes=0,
        max_bad_fraction=0.0,
    )
