"""A clip becomes frames of one size, in their order."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from saccade.config.run import AugmentConfig, Preprocess
from saccade.data.augment import augment
from saccade.data.batch import Batch
from saccade.data.clips import Clips, read_clip
from saccade.data.decode import PictureHeader, UnreadablePicture
from saccade.data.loader import Loader
from saccade.data.samples import Samples

CLIP = Preprocess(
    height=8, width=8, channels=1, fit="squash", mean=(0.5,), std=(0.25,), num_frames=3
)


@dataclass(frozen=True)
class Ramps:
    """Clips of ten frames; frame t of clip i is 20 i + t everywhere, and t pixels taller."""

    count: int

    def __len__(self) -> int:
        return self.count

    def name(self, i: int) -> str:
        return f"clip-{i}"

    def num_bytes(self, i: int) -> int:
        return 640

    def stamp(self, i: int) -> str:
        return str(i)

    def content_hash(self, i: int) -> str:
        return str(i)

    def header(self, i: int) -> PictureHeader:
        return PictureHeader(8, 8, is_grey=True)

    def load(self, i: int, *, channels: int, min_side: int | None) -> np.ndarray:
        return self.frames(
            i, num_frames=1, short_clips="refuse", channels=channels, min_side=min_side
        )[0]

    def stack(self, *, height: int, width: int, channels: int) -> None:
        return None

    def frames(
        self, i: int, *, num_frames: int, short_clips: str, channels: int, min_side: int | None
    ) -> list[np.ndarray]:
        if i == 2:
            raise UnreadablePicture("it has no frames")
        times = (np.arange(num_frames) * 10) // num_frames
        return [np.full((8 + t, 8, channels), 20 * i + t, np.uint8) for t in times.tolist()]


def test_frames_of_any_size_become_one_clip():
    clips = Ramps(2)
    assert isinstance(clips, Clips)
    clip = read_clip(clips, 1, CLIP)
    assert clip.shape == (3, 1, 8, 8)
    assert clip[:, 0, 0, 0].tolist() == [20, 23, 26]


@pytest.mark.parametrize("cache_bytes", [0, 10**6], ids=["on demand", "in memory"])
def test_a_loader_gives_clips_and_leaves_broken_ones_out(cache_bytes: int):
    samples = Samples(pictures=Ramps(4), ids=np.arange(4), labels=np.array([0, 1, 0, 1]))
    loader = Loader(
        samples, CLIP, batch_size=4, num_threads=1, cache_bytes=cache_bytes, max_bad_fraction=1.0
    )
    loader.prepare()
    (batch,) = loader.batches()
    assert batch.images.shape == (3, 3, 1, 8, 8)
    assert batch.labels.tolist() == [0, 1, 1]
    assert batch.images[:, :, 0, 0, 0].tolist() == [[0, 3, 6], [20, 23, 26], [60, 63, 66]]
    assert loader.bad == {"clip-2": "it has no frames"}


def test_all_frames_of_a_clip_are_changed_alike():
    """A clip of one repeated picture stays one, whatever is drawn."""
    rng = np.random.default_rng(0)
    frame = torch.from_numpy(rng.integers(0, 256, (2, 1, 3, 12, 12)).astype(np.uint8))
    batch = Batch(images=frame.repeat(1, 4, 1, 1, 1), targets=torch.arange(2), ids=torch.arange(2))
    config = AugmentConfig(
        flip=0.5, translate=0.2, zoom=0.3, rotate_degrees=30.0, shear=0.1, colour=0.5, erase=1.0
    )
    found = augment(batch, config, seed=0, epoch=0)
    assert found.images.shape == batch.images.shape
    for t in range(1, 4):
        assert torch.equal(found.images[:, t], found.images[:, 0])
    assert not torch.equal(found.images, batch.images)
    assert found.labels.tolist() == [0, 1]
