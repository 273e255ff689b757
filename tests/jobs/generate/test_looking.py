"""The observer sees samples and real pictures alike; what they are compared with is as said."""

import numpy as np
import pytest

from saccade.jobs.generate.job import GenerateJob
from saccade.jobs.generate.looking import (
    look,
    noise_like,
    pictures_of,
    pixel_gaussian,
    samples_of,
)
from saccade.serving.engine import Engine
from saccade.serving.load import load_engine
from tests import tiny_flow


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(tiny_flow.generator().run, device="cpu")


def test_the_same_samples_serve_every_look(engine: Engine) -> None:
    assert samples_of(engine) is samples_of(engine)
    assert len(samples_of(engine).images) == engine.task.config.num_judged


def test_the_observer_counts_what_it_recognises(engine: Engine) -> None:
    samples = GenerateJob().open(tiny_flow.generator().source).splits["all"]
    images, labels = pictures_of(engine, engine.loader(samples), 9)
    assert labels is not None

    seen = look(engine, images, labels)

    assert seen.hits is not None
    assert len(seen.features) == len(seen.hits) == 9
    assert look(engine, images, None).hits is None


def test_pictures_are_taken_from_everywhere_in_a_sorted_source(engine: Engine) -> None:
    samples = GenerateJob().open(tiny_flow.generator().source).splits["all"]

    made = pictures_of(engine, engine.loader(samples), 6)

    assert made.labels is not None
    assert set(made.labels.tolist()) == {0, 1, 2}


def test_the_gaussian_has_each_pixels_mean_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    images = np.where(np.arange(4) % 2, 200, 50) + rng.integers(-20, 20, (300, 1, 4, 4))

    drawn = pixel_gaussian(images.astype(np.uint8), 2000)

    assert np.abs(drawn.mean(axis=0) - images.mean(axis=0)).max() < 2
    between = np.corrcoef(drawn.reshape(2000, -1).T) - np.eye(16)
    assert np.abs(between).max() < 0.15


def test_noise_is_as_wide_as_what_a_generator_begins_with() -> None:
    drawn = noise_like((50, 1, 8, 8))

    assert drawn.shape == (50, 1, 8, 8)
    assert (drawn == 0).mean() == pytest.approx(0.16, abs=0.02)  # below one deviation
    assert (drawn == 255).mean() == pytest.approx(0.16, abs=0.02)
