"""Translation: a complete config from a few facts about the pictures."""

from dataclasses import replace
from typing import Literal, get_args, get_type_hints

import numpy as np
import torch

from saccade.config.model import ModelConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import EditConfig, TranslateConfig
from saccade.data.annotated import guess_job, open_pairs
from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.samples import Source
from saccade.data.sources import open_source
from saccade.data.targets import PictureTargets, Targets
from saccade.errors import DataError, UsageError, nearest
from saccade.planning.facts import Facts
from saccade.planning.generate import CALLS_OF_TRAINING, calls_of, generate, label_targets
from saccade.planning.recipe import ConfigMaker

Edit = Literal["none", "colourise", "denoise", "enlarge"]

EDITS = tuple(name for name in get_args(get_type_hints(EditConfig)["kind"]) if name != "none")
"""What can be taken from plain pictures, to be learned."""

FEWEST_PAIRS = 64
"""Of each part that are judged, however short a training was."""

_NUM_DRAWN = 54  # answers in the report's pictures
_CALLS_BESIDE = 5  # of the network for a pair: its losses, and the regression

NUM_LOOKED_AT = 10
"""Pictures of the answers' side that are looked at for colour."""


def open_pairs_or_pictures(path: str) -> Source:
    """Pairs of pictures where there are such, else plain pictures, with or without classes.

    Raises:
        UsageError: there is nothing at the path.
        DataError: pairs of which a picture has no partner, or no pictures at all.
    """
    if guess_job(path) == "translate":
        return open_pairs(path)
    try:
        return open_pairs(path)  # pictures twice as wide as high
    except (DataError, UsageError):  # a file of arrays is no folder of pairs
        return open_source(path)


def has_pairs(source: Source) -> bool:
    """Whether the source itself says what each picture is to become."""
    return any(samples.annotations is not None for samples in source.splits.values())


def translate_with(kind: str) -> ConfigMaker:
    """The recipe for one edit, or for pairs; ``kind`` is what ``--set task.edit.kind`` says.

    Raises:
        UsageError: there is no such edit.
    """
    if kind not in ("none", *EDITS):
        raise UsageError(f"task.edit.kind is {kind!r}; {nearest(kind, ('none', *EDITS))}")

    def translate(
        facts: Facts,
        *,
        source: str,
        model: str | ModelConfig,
        image_size: int,
        steps: int,
        budget_seconds: float | None,
        precision: str,
        num_threads: int,
        seed: int,
    ) -> RunConfig:
        """A flow with the condition beside the noise, and the one-step regression as its baseline.

        Command: ``saccade train SOURCE --out RUN --steps 5000``, with ``--job translate --set
        task.edit.kind=colourise`` where the source has no pairs. Figures are in benchmarks/
        (translate). The numbers are those of ``generate``.

        Raises:
            UsageError: a source without pairs and no edit, pairs and an edit, or grey pictures to
                be colourised.
        """
        found = open_pairs_or_pictures(source)
        _require_something_to_learn(found, kind)
        config = generate(
            facts,
            source=source,
            model=model,
            image_size=image_size,
            steps=steps,
            budget_seconds=budget_seconds,
            precision=precision,
            num_threads=num_threads,
            seed=seed,
        )
        if kind == "colourise" and facts.is_grey:
            raise UsageError(
                f"task.edit.kind is colourise, and the pictures of {source} are grey; give ones "
                "in colour, or choose denoise or enlarge"
            )
        is_grey = facts.is_grey and (kind != "none" or _answers_are_grey(found))
        # A pair costs as much as 18 pictures of training, and there are two parts of them: so
        # judging takes up to about a third of the time, except after the shortest trainings.
        num_trained = steps * min(config.data.batch_size, facts.num_pictures)
        num_judged = max(FEWEST_PAIRS, num_trained // 100)
        edit = EditConfig(kind=kind)  # pyrefly: ignore[bad-argument-type] - checked above
        return replace(
            config,
            job="translate",
            # Nothing is cut off: an answer is put back over the whole of what was given.
            data=replace(config.data, channels=1 if is_grey else 3, fit="squash"),
            task=TranslateConfig(edit=edit, num_judged=num_judged),
        )

    return translate


def judging_cost(config: RunConfig, facts: Facts) -> float:
    """What the figures and the pictures at the end cost, in pictures of training."""
    task = config.task
    assert isinstance(task, TranslateConfig)
    pairs = sum(min(task.num_judged, num) for num in facts.num_held_out)
    return (pairs + _NUM_DRAWN) * (calls_of(task.flow) + _CALLS_BESIDE) / CALLS_OF_TRAINING


def pair_targets(
    config: RunConfig, preprocess: Preprocess, num_classes: int, batch_size: int
) -> Targets | None:
    """Made-up partners to time a step with; labels, or nothing, where an edit makes the pairs."""
    task = config.task
    assert isinstance(task, TranslateConfig)
    if task.edit.kind != "none":
        return label_targets(config, preprocess, num_classes, batch_size)
    shape = (batch_size, preprocess.channels, preprocess.height, preprocess.width)
    return PictureTargets(images=torch.full(shape, 127, dtype=torch.uint8))


def _require_something_to_learn(source: Source, kind: str) -> None:
    if kind == "none" and not has_pairs(source):
        raise UsageError(
            f"{source.path} holds no pairs of pictures, and no edit makes them of plain ones. Say "
            f"--set task.edit.kind=K, K one of {', '.join(EDITS)}; or give two folders, input and "
            "target, with pictures of the same names"
        )
    if kind != "none" and has_pairs(source):
        raise UsageError(
            f"task.edit.kind is {kind}, and {source.path} holds pairs of pictures; leave the edit "
            "out to learn these, or give one folder of them"
        )


def _answers_are_grey(source: Source) -> bool:
    """Whether the pictures to be made store no colour, as far as a few of them tell."""
    (samples, *_) = source.splits.values()
    annotations = samples.annotations
    assert annotations is not None
    channels = set()
    for position in np.linspace(0, len(samples) - 1, min(NUM_LOOKED_AT, len(samples))).astype(int):
        try:
            partner = annotations.load(int(samples.ids[position]))
        except UnreadablePicture:
            continue  # the loader counts and names it
        channels.add(partner.image.shape[2])  # pyrefly: ignore[missing-attribute] - pairs alone
    return channels <= {1}
