"""A loader of a few pictures in three colours, which lie in memory."""

import numpy as np

from saccade.data.loader import Loader
from saccade.data.pictures import PictureArray
from saccade.data.samples import Samples
from tests import tiny


def loader(*, num: int = 48, batch_size: int = 16, seed: int = 0) -> Loader:
    rng = np.random.default_rng(seed)
    labels = np.arange(num) % 3
    images = np.stack([np.asarray(tiny.draw(rng, label)) for label in labels.tolist()])
    samples = Samples(pictures=PictureArray(images, "train"), ids=np.arange(num), labels=labels)
    made = Loader(
        samples,
        tiny.preprocess(),
        batch_size=batch_size,
        num_threads=1,
        cache_bytes=2**20,
        max_bad_fraction=0.0,
    )
    made.prepare()
    return made
