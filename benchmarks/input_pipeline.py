"""Photographs of 1600 x 1200 as JPEG files into augmented batches of 224 px: three pipelines.

saccade's (threads, decoding at a fraction of the size, augmentation in batch), torchvision's usual
one (two worker processes, Pillow, random resized crop, mirror), and timm's loader as its own
training takes it (the same, and colour jitter). Each is a process of its own on two cores, in turn;
processor time counts, of worker processes too, so that a busy machine disturbs less. Augmentation
is not the same: saccade shifts, scales, turns, shears, recolours and erases; the others crop.

    python -m benchmarks input_pipeline 0 1 2 3 4       so many rounds; five when nothing is said

Needs shared/data (its 44 ImageNet photographs, enlarged) and the extra ``parity``.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import torch
from PIL import Image

from benchmarks.harness import ROOT, save, shared_data, spread, unzipped
from benchmarks.operators import declare_operators
from saccade.config.run import AugmentConfig, Preprocess
from saccade.data.augment.changes import augment
from saccade.data.loader import Loader
from saccade.data.sources import open_source

SIZE, SIDE, BATCH, CORES = (1600, 1200), 224, 32, 2
COPIES = 4
WAYS = ("saccade", "torchvision", "timm")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
AUGMENT = AugmentConfig(
    flip=0.5, translate=0.1, zoom=0.25, rotate_degrees=15, shear=0.15, colour=0.6, erase=0.25
)


def run(seeds: Sequence[int]) -> None:
    """Times all ways in turn; the number of seeds is that of the rounds."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_photographs(Path(place))
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(max(len(seeds), 5)):
            for way in WAYS:
                command = [sys.executable, "-m", "benchmarks.input_pipeline", way, str(folder)]
                done = subprocess.run(
                    command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
                )
                taken[way].append(float(done.stdout.split()[-1]))
    ours = taken["saccade"]
    rows = [
        {
            "way": way,
            "images_per_cpu_second": round(1 / statistics.median(seconds), 1),
            "times_saccade": round(
                statistics.median(b / a for a, b in zip(ours, seconds, strict=True)), 2
            ),
            "spread": {name: round(value, 5) for name, value in spread(seconds).items()},
        }
        for way, seconds in taken.items()
    ]
    save("input_pipeline", command="python -m benchmarks input_pipeline", rows=rows)


def write_photographs(folder: Path) -> Path:
    """Two classes of photographs, quality 90."""
    with unzipped(shared_data("imagenet_samples") / "imagenet_samples.zip") as unpacked:
        originals = sorted(unpacked.rglob("*.JPEG"))
        for i, original in enumerate(originals * COPIES):
            path = folder / str(i % 2) / f"{i:04d}.jpg"
            path.parent.mkdir(exist_ok=True)
            with Image.open(original) as picture:
                picture.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS).save(path, quality=90)
    return folder


def seconds_per_picture(batches: Callable[[], Iterable[int]]) -> float:
    """Processor time of this process and its workers, for each picture of a pass."""
    start = time.process_time() + _of_children()
    count = sum(batches())
    return (time.process_time() + _of_children() - start) / count


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _saccade(folder: Path) -> Iterable[int]:
    (samples,) = open_source(folder).splits.values()
    loader = Loader(
        samples,
        Preprocess(height=SIDE, width=SIDE, channels=3, fit="crop", mean=MEAN, std=STD),
        batch_size=BATCH,
        num_threads=CORES,
        cache_bytes=0,
        max_bad_fraction=0.0,
    )
    steps = loader.steps_per_epoch
    for step, (epoch, batch, _) in enumerate(loader.training_batches(0, start_step=0)):
        if step == steps:
            return
        yield len(augment(batch, AUGMENT, seed=0, epoch=epoch).images)


def _torchvision(folder: Path) -> Iterable[int]:
    declare_operators()
    from torchvision import datasets, transforms  # noqa: PLC0415 - not a dependency

    changes = [
        transforms.RandomResizedCrop(SIDE, antialias=True), transforms.RandomHorizontalFlip(),
        transforms.ToTensor(), transforms.Normalize(MEAN, STD),
    ]  # fmt: skip
    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(str(folder), transforms.Compose(changes)),
        batch_size=BATCH, shuffle=True, num_workers=CORES, drop_last=True,
    )  # fmt: skip
    for images, _ in loader:
        yield len(images)


def _timm(folder: Path) -> Iterable[int]:
    declare_operators()
    import timm.data  # noqa: PLC0415 - not a dependency

    loader = timm.data.create_loader(
        timm.data.create_dataset("", root=str(folder)),
        input_size=(3, SIDE, SIDE), batch_size=BATCH, is_training=True, num_workers=CORES,
        device=torch.device("cpu"), persistent_workers=False,
    )  # fmt: skip
    for images, _ in loader:
        yield len(images)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    way = {"saccade": _saccade, "torchvision": _torchvision, "timm": _timm}[arguments.way]
    print(seconds_per_picture(lambda: way(arguments.folder)))
