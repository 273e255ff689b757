"""What the loop remembers of batches that no step was made of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from saccade.config.run import RunConfig
from saccade.data.augment.draws import permutation
from saccade.data.loader import Loader
from saccade.data.pictures import PictureFiles
from saccade.data.samples import Samples
from saccade.errors import Stopped
from saccade.run.folder import RunFolder
from saccade.run.state import RunState
from saccade.run.train import train
from tests import tiny

NUM, BATCH = 12, 4


class Watching:
    """Presses Ctrl-C, as it were, after a step."""

    def __init__(self, last: int | None = None) -> None:
        self.last = last

    def step(self, state: RunState, figures: Mapping[str, float]) -> None:
        del figures
        if state.step == self.last:
            raise Stopped("as by a signal", signal_number=2)

    def record(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Nothing."""


def pictures(folder: Path, *, bad: list[int] | None = None) -> Loader:
    """Read as they come, so that what is bad is found in the middle of the training."""
    rng = np.random.default_rng(0)
    names = tuple(f"{i}.png" for i in range(NUM))
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        tiny.draw(rng, i % 3).save(folder / name)
    for i in bad or []:
        (folder / names[i]).write_bytes(b"no picture")
    ids = np.arange(NUM)
    return Loader(
        Samples(pictures=PictureFiles(folder, names), ids=ids, labels=ids % 3),
        tiny.preprocess(),
        batch_size=BATCH,
        num_threads=1,
        cache_bytes=0,
        max_bad_fraction=1.0,
    )


def run(path: Path, config: RunConfig, training: Loader, *, last: int | None = None) -> RunState:
    path.mkdir(exist_ok=True)
    return train(
        tiny.task(config),
        training,
        pictures(path.parent / "validation"),
        config=config,
        folder=RunFolder(path),
        header={},
        device=torch.device("cpu"),
        training_seconds=None,
        watcher=Watching(last),
    )


def test_a_batch_without_a_picture_is_counted_and_resuming_shifts_nothing(tmp_path: Path):
    config = tiny.config(
        "rag-pico4", steps=7, save_every="1", data__batch_size=str(BATCH), evaluate_every="7"
    )
    second = permutation(config.seed, 0, NUM)[BATCH : 2 * BATCH].tolist()
    training = pictures(tmp_path / "pictures", bad=second)

    state = run(tmp_path / "whole", config, training)
    with pytest.raises(Stopped):
        run(tmp_path / "parts", config, training, last=4)
    resumed = run(tmp_path / "parts", config, training)

    assert state.passed_over == resumed.passed_over == 1
    whole, parts = (
        safetensors.torch.load_file(tmp_path / each / "last.safetensors")
        for each in ("whole", "parts")
    )
    assert tiny.same_bits(parts, whole)
