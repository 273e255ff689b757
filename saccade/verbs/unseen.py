"""Which part of a source says something about a run: pictures that training never saw."""

import numpy as np

from saccade.config.run import RunConfig
from saccade.data.fingerprint import fingerprint, picture_hashes
from saccade.data.samples import Samples, Source
from saccade.data.split import fewest_held_out
from saccade.data.split import split as divide
from saccade.run.contract import load_contract
from saccade.run.folder import RunFolder
from saccade.verbs.voice import Voice


def part_not_trained_on(
    folder: RunFolder, config: RunConfig, source: Source, voice: Voice
) -> tuple[str, Samples]:
    """The part of a source that says something about a run, and what training did not see of it."""
    if fingerprint(source) != load_contract(folder.contract).data.fingerprint:
        part, samples = best_part(source)
        return part, unseen(samples, folder, voice)
    parts = divide(
        source,
        val_fraction=config.data.val_fraction,
        test_fraction=config.data.test_fraction,
        seed=config.seed,
        fewest=fewest_held_out(config.job),
    )
    named = {"test": parts.test, "val": parts.val, "train": parts.train}
    return next((name, part) for name, part in named.items() if part)


def best_part(source: Source) -> tuple[str, Samples]:
    """The part of a source to judge on: its test split, else its val split, else all of it."""
    for part in ("test", "val", "all", "train"):
        if part in source.splits:
            return part, source.splits[part]
    raise AssertionError(f"a source without splits: {source}")


def unseen(samples: Samples, folder: RunFolder, voice: Voice) -> Samples:
    """The samples without those that training saw, whatever source they come back in."""
    if not folder.trained_on.exists():
        return samples
    trained_on = set(folder.trained_on.read_text().split())
    hashes = picture_hashes(samples)
    unseen = np.array([k for k, line in enumerate(hashes) if line not in trained_on], np.int64)
    num_seen = len(samples) - len(unseen)
    if num_seen == 0:
        return samples
    if not len(unseen):
        voice.say(
            f"every one of these {samples.noun}s was trained on: the figures say nothing about "
            "others"
        )
        return samples
    voice.say(f"{num_seen:,} of {len(samples):,} {samples.noun}s were trained on and are left out")
    return samples.take(unseen)
