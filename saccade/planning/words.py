"""A plan in words: each derived number with its reason."""

from collections.abc import Mapping

from saccade.config.run import Preprocess, RunConfig
from saccade.config.task import GenerateConfig, SegmentConfig, TranslateConfig
from saccade.planning.budget import Choice
from saccade.planning.facts import Facts
from saccade.planning.mirror import SAFE_RATIO
from saccade.planning.objects_from_scratch import FEWEST_OBJECT_STEPS

FEWEST_UNLABELLED = 500
"""Pictures, below which hardly anything is learned without labels."""


def in_words(
    config: RunConfig,
    preprocess: Preprocess,
    choice: Choice,
    facts: Facts,
    *,
    settings: Mapping[str, str],
    training_seconds: float | None,
    epochs_wanted: float,
) -> list[str]:
    """The lines, for a person.

    Args:
        config, preprocess, choice, facts: what was planned, and from what.
        settings: what the user fixed.
        training_seconds: what of the budget is left for training, or None without a budget.
        epochs_wanted: before a bigger model is worth its time.
    """
    batch = min(config.data.batch_size, facts.num_pictures)
    epochs = config.steps * batch / facts.num_pictures
    things = "clips" if config.job == "video" else "pictures"
    is_asked = config.data.image_size in (preprocess.width, preprocess.height)
    rounded = "" if is_asked else f" ({config.data.image_size} in whole patches)"
    lines = [
        f"model      {choice.candidate.model}",
        f"size       {preprocess.width} x {preprocess.height} pixels{rounded}, "
        + ("grey" if config.data.channels == 1 else "RGB")
        + f"; the {things}' short side is {facts.side}",
        f"batch      {batch} {things}",
        f"steps      {config.steps:,}, or {epochs:.1f} epochs of {facts.num_pictures:,} {things}",
        f"precision  {config.precision}",
        f"lr         {config.optim.lr:.2g} at its peak",
        f"mirroring  {mirroring(config, facts, is_said='augment.flip' in settings)}",
    ]
    kept = f"; {config.judging_seconds:.0f} s of the budget" if config.judging_seconds else ""
    if isinstance(config.task, GenerateConfig):
        lines.append(
            f"judging    {config.task.num_judged:,} samples, and up to {config.task.num_real:,} "
            f"real pictures of each part{kept}"
        )
    if isinstance(config.task, TranslateConfig):
        lines.append(f"judging    up to {config.task.num_judged:,} pairs of each part{kept}")
    if training_seconds is not None and choice.seconds_per_step is not None:
        rate = batch / choice.seconds_per_step
        lines.insert(
            1,
            f"speed      {rate:,.0f} {things}/s measured; {training_seconds:.0f} s for training; "
            f"{epochs_wanted:.0f} epochs wanted before more is worth its time",
        )
    return lines


def mirroring(config: RunConfig, facts: Facts, *, is_said: bool) -> str:
    """Whether pictures are mirrored, and why.

    Args:
        config, facts: what was planned, and from what.
        is_said: whether the user fixed it.
    """
    is_on = "on" if config.augment.flip > 0 else "off"
    if is_said:
        return f"{is_on}, as was asked"
    if facts.mirror_ratio is None and config.job == "video":
        return f"{is_on}; these clips cannot tell whether mirrors keep their class"
    if facts.mirror_ratio is None:
        kind = "grey" if facts.is_grey else "colour"
        return (
            f"{is_on}; these pictures cannot tell whether mirrors keep their class, and are {kind}"
        )
    reason = "keep" if facts.mirror_ratio >= SAFE_RATIO else "lose"
    return (
        f"{is_on}; mirror images {reason} their class "
        f"(nearest neighbours: {max(facts.mirror_ratio, 0):.0%} of the accuracy remains)"
    )


def warnings(config: RunConfig, facts: Facts) -> list[str]:
    """What a training from scratch will not come to."""
    lines = []
    if (
        isinstance(config.task, SegmentConfig)
        and config.task.method == "eomt"
        and config.steps < FEWEST_OBJECT_STEPS
    ):
        lines.append(
            "objects    masks of objects take thousands of steps from scratch, so expect little; "
            "--set task.method=upsample learns which pixels are of objects far sooner"
        )
    if config.job == "pretrain" and facts.num_pictures < FEWEST_UNLABELLED:
        lines.append(
            f"few        {facts.num_pictures:,} pictures teach little without labels; some "
            "thousands are wanted, and `saccade probe --control` says what was learned"
        )
    return lines
