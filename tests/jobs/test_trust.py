"""What is learned at the end of a training is what held-out pictures say, and nothing else."""

from dataclasses import replace

import numpy as np
import torch

from saccade.data.sources import open_source
from saccade.jobs.trust import FEWEST, learn_trust
from saccade.metrics.temperature import fit_temperature
from saccade.serving.evidence import evidence, familiarity
from saccade.serving.load import load_engine
from tests import tiny, trusted


def test_the_temperature_is_that_of_the_held_out_pictures():
    world = trusted.world()
    engine = load_engine(tiny.world().run, device="cpu")
    assert engine.temperature == 1
    logits, labels = [], []
    for batch in engine.loader(open_source(world.held_out).splits["all"]).batches():
        logits.append(evidence(engine, batch).logits)
        labels.append(batch.labels)
    expected = fit_temperature(torch.cat(logits).numpy(), torch.cat(labels).numpy())
    assert world.trust.temperature == expected != 1


def test_training_pictures_are_nearer_than_held_out_ones_and_others_are_far():
    world = trusted.world()
    engine = load_engine(world.run, device="cpu")

    def scores(source: object) -> np.ndarray:
        samples = open_source(str(source)).splits["all"]
        batches = engine.loader(samples).batches()
        found = [familiarity(engine, evidence(engine, batch))["knn"] for batch in batches]
        return torch.cat(found).numpy()

    seen, others = scores(world.source), scores(world.others)
    held_out = world.trust.known.held_out["knn"].numpy()
    assert np.median(seen) > np.median(held_out) > others.max()
    np.testing.assert_allclose(np.sort(scores(world.held_out)), held_out, rtol=1e-3, atol=1e-3)


def test_nothing_is_learned_where_nothing_or_too_little_was_held_out():
    engine = load_engine(tiny.world().run, device="cpu")
    training = engine.loader(open_source(tiny.world().source).splits["all"])
    assert learn_trust(engine, training, training) is None
    few = open_source(trusted.world().held_out).splits["all"].take(np.arange(FEWEST - 1))
    assert learn_trust(engine, training, engine.loader(few)) is None


def test_what_was_learned_is_bounded_and_the_same_every_time():
    world = trusted.world()
    engine = replace(load_engine(world.run, device="cpu"), temperature=1.0, known=None)
    loaders = [
        engine.loader(open_source(of).splits["all"]) for of in (world.source, world.held_out)
    ]
    again = learn_trust(engine, *loaders)
    assert again is not None
    assert again.temperature == world.trust.temperature
    assert torch.equal(again.known.vectors, world.trust.known.vectors)
    assert len(again.known.vectors) == 72
