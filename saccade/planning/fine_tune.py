"""Training that starts from weights: what of the recipe changes, and what the weights decide."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from saccade.backbones.sizes import model_config, parse_name
from saccade.config.model import ModelConfig, RagConfig, VitConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.errors import UsageError
from saccade.planning.budget import Candidate, wanted_epochs
from saccade.planning.facts import Facts
from saccade.run.start import Start

LR_SHARE = 0.1
"""Of the learning rate from scratch: larger steps would undo what the weights know already."""

EPOCHS_SHARE = 0.25
"""Of the passes that are wanted from scratch before more pixels are worth their time."""

SMALLER = (1 / 2, 3 / 4)
"""Shares of the size the weights were made for, tried first where there is a budget."""

FREE = ("model.drop_path", "model.attention")
"""Numbers of a model that its weights do not depend on."""


def fine_tune(config: RunConfig, start: Start) -> RunConfig:
    """The recipe from scratch, changed for weights that are good already.

    Command: ``saccade train SOURCE --out RUN --init WEIGHTS``. A tenth of the learning rate, and
    the pictures as the weights know them. Nothing else differs: the share is a choice in the range
    of published fine-tunings with AdamW (1e-5 to 5e-4; arXiv 2012.12877, 2106.08254), not measured.

    Args:
        config: from scratch, of the model that the weights are of.
        start: the weights.
    """
    # What is to be found in a picture must not be cut off, whatever the weights were used to.
    fit = start.preprocess.fit if config.job == "classify" else config.data.fit
    return replace(
        config,
        data=replace(config.data, channels=start.preprocess.channels, fit=fit),
        optim=replace(config.optim, lr=LR_SHARE * config.optim.lr),
    )


def sizes_to_try(start: Start, *, image_size: int | None) -> Iterator[Candidate]:
    """The model of the weights at a few resolutions up to its own, from the cheapest.

    Args:
        start: the weights.
        image_size: fixed by the user, or None.
    """
    native, patch_size = native_side(start), start.model.patch_size
    smaller = {max(1, round(share * native / patch_size)) * patch_size for share in SMALLER}
    sides = sorted({side for side in smaller if side < native} | {native})
    for side in sides if image_size is None else [image_size]:
        yield Candidate(start.name, side)


def native_side(start: Start) -> int:
    """Pixels a side that the weights were made for; of an oblong picture the shorter."""
    return min(start.preprocess.height, start.preprocess.width)


def fine_tuning_epochs(num_pictures: int) -> float:
    """How often each picture should be seen before more pixels are worth their time."""
    return EPOCHS_SHARE * wanted_epochs(num_pictures)


def preprocess_like(start: Start, wanted: Preprocess) -> Preprocess:
    """The preprocessing of the weights, at the size, and in the fit, that the job wants."""
    side = min(wanted.height, wanted.width)
    return replace(
        start.preprocess,
        height=wanted.height,
        width=wanted.width,
        fit=wanted.fit,
        num_frames=wanted.num_frames,
        short_clips=wanted.short_clips,
        resize_side=round(start.preprocess.resize_side * side / native_side(start)),
    )


def require_adaptable(
    start: Start, settings: Mapping[str, str], *, reads_clips: bool = False
) -> None:
    """Refuses what the weights cannot follow, before anything is written.

    Args:
        start: the weights.
        settings: single numbers by dotted name, as the user gave them.
        reads_clips: whether the job is one for clips.

    Raises:
        UsageError: a number that decides the shape of the model, or a model that reads clips in a
            job that does not.
    """
    if isinstance(start.model, VitConfig) and start.model.tubelet_size > 1 and not reads_clips:
        raise UsageError(
            f"{start.source} is a {start.name}, which reads clips of {start.model.tubelet_size} or "
            "more frames; this job learns from pictures (clips: --job video)"
        )
    fixed = [name for name in settings if name.startswith("model.") and name not in FREE]
    if fixed:
        raise UsageError(
            f"--set {', '.join(fixed)} would change the model, whose shape comes from {start.name} "
            f"(--init {start.source}); with weights only {' and '.join(FREE)} can be set"
        )
    channels = start.preprocess.channels
    if settings.get("data.channels", str(channels)) != str(channels):
        raise UsageError(
            f"--set data.channels={settings['data.channels']} does not fit {start.name}, whose "
            f"weights read {channels}; leave it out"
        )


def require_same_model(name: str, start: Start) -> None:
    """Refuses a ``--model`` that the weights are not.

    Args:
        name: a family, a size or a full name, as the user gave it.
        start: the weights.

    Raises:
        UsageError: the two differ, or there is no such name.
    """
    found = start.model
    if not is_called(found, name):
        raise UsageError(
            f"--model is {name}, and --init {start.source} is a {start.name} ({found.family}, "
            f"{found.embed_dim} wide, patches of {found.patch_size}); leave --model out, or take "
            "other weights"
        )


def is_called(model: ModelConfig, name: str) -> bool:
    """Whether a family, a size or a full name fits a model of any origin, as far as it goes.

    Raises:
        UsageError: there is no such name.
    """
    asked = parse_name(name)
    if asked.family != model.family or asked.patch_size not in (None, model.patch_size):
        return False
    if asked.size is None:
        return True
    wanted = model_config(name)
    return (wanted.embed_dim, _depth(wanted)) == (model.embed_dim, _depth(model))


def lines(start: Start, config: RunConfig, facts: Facts) -> list[str]:
    """What the weights decide, for a person."""
    said = [f"start      {start.source}, licence {start.licence}"]
    model, side = start.model, config.data.image_size
    if side != native_side(start):
        said.append(f"native     the weights were made for {native_side(start)} pixels a side")
    if isinstance(model, VitConfig | RagConfig) and model.position == "learned":
        cells, (_, rows, columns) = -(-side // model.patch_size), model.position_grid
        if (rows, columns) != (cells, cells):
            said.append(
                f"positions  resampled from {rows} x {columns} to {cells} x {cells} patches"
            )
    channels = start.preprocess.channels
    if channels == 3 and facts.is_grey:
        said.append("colour     grey pictures are read as RGB, which the weights expect")
    if channels == 1 and not facts.is_grey:
        said.append("colour     colour pictures are read as grey, which the weights expect")
    return said


def _depth(model: ModelConfig) -> int:
    return model.depth if isinstance(model, VitConfig | RagConfig) else 0
