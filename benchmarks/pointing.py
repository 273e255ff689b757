"""Do explanations point at what was asked for?

Canvases with two different handwritten digits on a noisy ground; a classifier learns which digits
are present; then the explanation of each present digit is asked for, and its hottest patch should
lie on that digit and not on the other. Rollout cannot know the class: it is the control. The test
canvases use digits that training never saw.
"""

import time
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from benchmarks.harness import save, spread
from saccade.attribution.methods import Method, heat
from saccade.backbones.build import build_backbone
from saccade.backbones.sizes import model_config
from saccade.config.run import Preprocess
from saccade.heads.classify import ClassHead
from saccade.run.device import autocast, choose_precision, place
from saccade.tasks.classify import Classify

SIDE, DIGIT_SIDE, MODEL_NAMES = 32, 12, ("rag-pico4",)
STEPS, BATCH_SIZE, LR, NUM_TEST = 1500, 64, 2e-3, 500
METHODS: tuple[Method, ...] = ("legrad", "rollout", "gradcam")


class Canvases(NamedTuple):
    """Pictures with two digits each."""

    images: torch.Tensor  # B 1 H W, uint8
    present: torch.Tensor  # B 10, which digits are there
    digits: torch.Tensor  # B 2, the two class ids
    corners: torch.Tensor  # B 2 2, top and left of each in pixels


def run(seeds: Sequence[int]) -> None:
    """Trains a classifier per model and seed, and plays the pointing game on unseen digits."""
    rows = [_play(name, seed) for name in MODEL_NAMES for seed in seeds]
    summary = {
        name: {
            key: spread([row[key] for row in rows if row["model"] == name])
            for key in rows[0]
            if key not in ("model", "seed")
        }
        for name in MODEL_NAMES
    }
    save("pointing", command="python -m benchmarks pointing", rows=rows, summary=summary)


def draw(count: int, *, split: str, rng: np.random.Generator) -> Canvases:
    """Draws canvases from the first 1,200 digits (train) or the others (test)."""
    glyphs, labels = _digits(split)
    images = rng.normal(0, 12, (count, SIDE, SIDE)) + rng.uniform(10, 90, (count, 1, 1))
    images += _ramp(rng, count)
    digits = np.zeros((count, 2), np.int64)
    corners = np.zeros((count, 2, 2), np.int64)
    for b in range(count):
        first = rng.integers(len(labels))
        second = rng.choice(np.flatnonzero(labels != labels[first]))
        corners[b] = _apart(rng)
        for k, glyph in enumerate((first, second)):
            top, left = corners[b, k]
            window = images[b, top : top + DIGIT_SIDE, left : left + DIGIT_SIDE]
            np.maximum(window, glyphs[glyph] * rng.uniform(0.75, 1.0), out=window)
            digits[b, k] = labels[glyph]
    pictures = torch.from_numpy(images.clip(0, 255).astype(np.uint8))[:, None]
    ids = torch.from_numpy(digits)
    present = torch.zeros(count, 10).scatter_(1, ids, 1.0)
    return Canvases(pictures, present, ids, torch.from_numpy(corners))


def _play(name: str, seed: int) -> dict[str, object]:
    start = time.perf_counter()
    task = _train(name, seed)
    test = draw(NUM_TEST, split="test", rng=np.random.default_rng(10_000 + seed))
    with torch.no_grad():
        logits = task(test.images).logits
    top_two = logits.topk(2).indices.sort(dim=1).values
    both_right = (top_two == test.digits.sort(dim=1).values).all(dim=1)
    row: dict[str, object] = {
        "model": name,
        "seed": seed,
        "both_digits_right": round(both_right.float().mean().item(), 4),
    }
    for method in METHODS:
        hits = [_hits(task, test, asked, method) for asked in (0, 1)]
        for what, k in (("on_asked", 0), ("on_other", 1)):
            row[f"{method}_{what}"] = round(float(np.mean([hit[k] for hit in hits])), 4)
    area = 2 * DIGIT_SIDE**2 / SIDE**2
    row["chance"] = round(area / 2, 4)
    row["seconds"] = round(time.perf_counter() - start, 1)
    return row


def _hits(task: Classify, test: Canvases, asked: int, method: Method) -> tuple[float, float]:
    """How often the hottest patch's centre lies on the asked digit, and on the other."""
    heats = torch.cat(
        [
            heat(task, images, classes, method=method)
            for images, classes in zip(
                test.images.split(100), test.digits[:, asked].split(100), strict=True
            )
        ]
    )
    cells = heats.shape[2]
    hottest = heats.flatten(1).argmax(dim=1)
    patch = SIDE / cells
    centre = torch.stack([hottest // cells, hottest % cells], dim=1) * patch + patch / 2
    inside = [
        ((centre >= corner) & (centre < corner + DIGIT_SIDE)).all(dim=1).float().mean().item()
        for corner in (test.corners[:, asked], test.corners[:, 1 - asked])
    ]
    return inside[0], inside[1]


def _train(name: str, seed: int) -> Classify:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    config = model_config(name)
    task = Classify(
        backbone=build_backbone(config, in_channels=1, image_size=SIDE),
        head=ClassHead(config.embed_dim, num_classes=10, pool="mean"),
        class_names=tuple("0123456789"),
        preprocess=Preprocess(
            height=SIDE, width=SIDE, channels=1, fit="crop", mean=(0.3,), std=(0.25,)
        ),
        label_smoothing=0.0,
    )
    device = torch.device("cpu")
    place(task, device).train()
    precision = choose_precision(device)
    optimizer = torch.optim.AdamW(task.parameters(), lr=LR, weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=STEPS, pct_start=0.1)
    for _ in range(STEPS):
        batch = draw(BATCH_SIZE, split="train", rng=rng)
        with autocast(device, precision):
            logits = task(batch.images).logits
        loss = F.binary_cross_entropy_with_logits(logits.float(), batch.present)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return task.eval()


@cache
def _digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    digits, labels = load_digits(return_X_y=True)
    part = slice(0, 1200) if split == "train" else slice(1200, None)
    small = torch.tensor(np.asarray(digits)[part].reshape(-1, 1, 8, 8) * 255 / 16)
    size = (DIGIT_SIDE, DIGIT_SIDE)
    large = F.interpolate(small, size=size, mode="bilinear", align_corners=False)
    return large[:, 0].clamp(0, 255).numpy(), np.asarray(labels)[part]


def _apart(rng: np.random.Generator) -> np.ndarray:
    """Two corners whose digits do not overlap."""
    while True:
        corners = rng.integers(0, SIDE - DIGIT_SIDE + 1, (2, 2))
        if np.abs(corners[0] - corners[1]).max() >= DIGIT_SIDE:
            return corners


def _ramp(rng: np.random.Generator, count: int) -> np.ndarray:
    """A slope of brightness in a random direction, up to 40 of 255 across."""
    y, x = np.mgrid[-0.5 : 0.5 : SIDE * 1j, -0.5 : 0.5 : SIDE * 1j]
    slope = rng.uniform(-40, 40, (2, count, 1, 1))
    return slope[0] * y + slope[1] * x
