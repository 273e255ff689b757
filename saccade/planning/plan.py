"""From a wish and the facts to a complete config, with each derived number and its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

import torch

from saccade.backbones.sizes import parse_name
from saccade.config.check import check
from saccade.config.json import override
from saccade.config.run import Preprocess, RunConfig
from saccade.errors import UsageError
from saccade.planning.budget import Candidate, Choice, candidates, choose
from saccade.planning.classify import TEST_FRACTION, VAL_FRACTION
from saccade.planning.facts import Facts
from saccade.planning.fine_tune import (
    fine_tune,
    fine_tuning_epochs,
    preprocess_like,
    require_adaptable,
    sizes_to_try,
)
from saccade.planning.fine_tune import lines as fine_tune_lines
from saccade.planning.recipe import Recipe
from saccade.planning.speed import seconds_per_step
from saccade.planning.words import in_words, warnings
from saccade.run.device import choose_precision
from saccade.run.start import Start

DEFAULT_SIZE = "nano"
"""When there is no budget to judge by."""


class HeldOut(NamedTuple):
    """The shares of pictures that are not trained on."""

    val_fraction: float
    test_fraction: float


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asked for.

    Attributes:
        model: a family, or a name as far as the user has fixed it.
        budget_seconds: for the whole call, or None.
        epochs, steps: how long to train without a budget; at most one of the three is given.
        settings: single numbers, by dotted name.
        seed: of everything random.
    """

    model: str
    budget_seconds: float | None
    epochs: float | None
    steps: int | None
    settings: dict[str, str] = field(default_factory=dict)
    seed: int = 0

    def held_out(self) -> HeldOut:
        """The shares of pictures for validation and for test, before there is a config.

        Raises:
            UsageError: one of them is not a number from 0 to below 1.
        """
        return HeldOut(
            val_fraction=_fraction(self.settings, "data.val_fraction", VAL_FRACTION),
            test_fraction=_fraction(self.settings, "data.test_fraction", TEST_FRACTION),
        )


class Plan(NamedTuple):
    """A complete config and how it came about.

    Attributes:
        config: all numbers.
        model_name: the full name.
        preprocess: how pictures become input.
        choice: model and resolution, and what else was timed.
        epochs_wanted: before a bigger model is worth its time.
        lines: each derived number with its reason, for a person.
        notes: of them, what who reads the report should know too.
    """

    config: RunConfig
    model_name: str
    preprocess: Preprocess
    choice: Choice
    epochs_wanted: float
    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()


def plan(
    wish: Wish,
    facts: Facts,
    *,
    recipe: Recipe,
    source: str,
    training_seconds: float | None,
    device: torch.device,
    num_threads: int,
    start: Start | None = None,
) -> Plan:
    """Chooses what the user left open.

    Args:
        wish: what was asked for.
        facts: about the training pictures.
        recipe: of the job.
        source: the path, as the user gave it.
        training_seconds: what of the budget is left for training, or None without a budget.
        device: where to train; its speed is measured when there is a budget.
        num_threads: that decode.
        start: the weights to start from, which fix the model; None: from scratch.

    Raises:
        UsageError: an unknown model or setting, or one that does not fit the weights.
    """
    if start is not None:
        require_adaptable(start, wish.settings, reads_clips=recipe.reads_clips)
    precision = choose_precision(device)

    def config_for(candidate: Candidate, steps: int) -> RunConfig:
        config = recipe.config(
            facts,
            source=source,
            model=candidate.model if start is None else start.model,
            image_size=candidate.image_size,
            steps=steps,
            budget_seconds=wish.budget_seconds,
            precision=precision,
            num_threads=num_threads,
            seed=wish.seed,
        )
        if start is None:
            config = recipe.from_scratch(config, wish.settings)
        else:
            config = fine_tune(config, start)
        return check(override(config, wish.settings))

    def prepared(config: RunConfig) -> Preprocess:
        wanted = recipe.preprocess(config, facts)
        return wanted if start is None else preprocess_like(start, wanted)

    def measure(candidate: Candidate) -> float:
        config = config_for(candidate, 1000)
        preprocess = prepared(config)
        batch_size = min(config.data.batch_size, facts.num_pictures)
        return seconds_per_step(
            config,
            num_classes=facts.num_classes,
            preprocess=preprocess,
            device=device,
            targets=recipe.targets(config, preprocess, facts.num_classes, batch_size),
            batch_size=batch_size,
            teacher=recipe.teacher,
        )

    options = _options(wish, facts, start, recipe)
    epochs = _epochs_wanted(facts, start, recipe)
    if training_seconds is None:
        *_, candidate = options
        choice = Choice(candidate, None, _steps(wish, config_for(candidate, 1000), facts))
    else:
        options, cheapest = _peek(options)
        choice = choose(
            options,
            num_pictures=facts.num_pictures,
            batch_size=min(config_for(cheapest, 1000).data.batch_size, facts.num_pictures),
            epochs=epochs,
            seconds=training_seconds,
            measure=measure,
        )
    config = config_for(choice.candidate, choice.steps)
    instead = recipe.instead(config, choice, wish.settings) if start is None else None
    if instead is not None:
        other = plan(
            replace(wish, settings=wish.settings | instead.settings),
            facts,
            recipe=recipe,
            source=source,
            training_seconds=training_seconds,
            device=device,
            num_threads=num_threads,
        )
        return other._replace(lines=(*other.lines, instead.reason), notes=(instead.reason,))
    if choice.seconds_per_step is not None and not config.judging_seconds:
        choice, kept = leave_time_to_judge(choice, config, facts, recipe)
        config = replace(config_for(choice.candidate, choice.steps), judging_seconds=kept)
    preprocess = prepared(config)
    return Plan(
        config=config,
        model_name=choice.candidate.model,
        preprocess=preprocess,
        choice=choice,
        epochs_wanted=epochs,
        lines=(
            *in_words(
                config,
                preprocess,
                choice,
                facts,
                settings=wish.settings,
                training_seconds=training_seconds,
                epochs_wanted=epochs,
            ),
            *(warnings(config, facts) if start is None else fine_tune_lines(start, config, facts)),
        ),
    )


def steps_of(epochs: float, config: RunConfig, num_pictures: int) -> int:
    """How many steps so many passes over the training pictures are, at least one."""
    per_epoch = max(1, num_pictures // min(config.data.batch_size, num_pictures))
    return max(1, round(epochs * per_epoch))


def leave_time_to_judge(
    choice: Choice, config: RunConfig, facts: Facts, recipe: Recipe
) -> tuple[Choice, float]:
    """Fewer steps where the figures at the end cost much, and the seconds kept for them.

    Judging takes half of the time at the most: figures of a model that was hardly trained are of
    no use.
    """
    assert choice.seconds_per_step is not None
    batch_size = min(config.data.batch_size, facts.num_pictures)
    num_steps = min(recipe.judging(config, facts) / batch_size, choice.steps / 2)
    kept = round(num_steps * choice.seconds_per_step, 1)
    return choice._replace(steps=max(1, choice.steps - round(num_steps))), kept


def _peek(options: Iterator[Candidate]) -> tuple[Iterator[Candidate], Candidate]:
    """The same candidates, and the first of them."""
    first = next(options)
    return chain([first], options), first


def _options(wish: Wish, facts: Facts, start: Start | None, recipe: Recipe) -> Iterator[Candidate]:
    """What may be trained, from the cheapest; without a budget the last is taken."""
    pinned_side = _pinned_int(wish.settings, "data.image_size")
    if start is not None:
        return sizes_to_try(start, image_size=pinned_side)
    name = parse_name(wish.model)
    side = facts.side
    if wish.budget_seconds is None:
        name = name._replace(size=name.size or DEFAULT_SIZE)
        side = min(side, recipe.largest_unplanned_side)
    return candidates(
        name,
        side=side,
        image_size=pinned_side,
        photo_sides=recipe.photo_sides,
        patch_for=recipe.patch_for,
    )


def _epochs_wanted(facts: Facts, start: Start | None, recipe: Recipe) -> float:
    wanted = recipe.wanted_epochs if start is None else fine_tuning_epochs
    return wanted(facts.num_pictures)


def _steps(wish: Wish, config: RunConfig, facts: Facts) -> int:
    if wish.steps is not None:
        return wish.steps
    assert wish.epochs is not None
    return steps_of(wish.epochs, config, facts.num_pictures)


def _pinned_int(settings: dict[str, str], name: str) -> int | None:
    text = settings.get(name)
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"{name} is {text!r}; expected a whole number of at least 1")
    return int(text)


def _fraction(settings: dict[str, str], name: str, default: float) -> float:
    try:
        share = float(settings.get(name, default))
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise UsageError(f"{name} is {settings[name]!r}; expected a share from 0 to below 1")
    return share
