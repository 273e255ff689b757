"""Why each number of a config is what it is: the receipt that ``saccade recipes`` prints."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from saccade.config.json import flat, to_json
from saccade.config.run import RunConfig
from saccade.planning.facts import Facts
from saccade.planning.fine_tune import LR_SHARE
from saccade.planning.words import mirroring

ASKED = "as you asked"


class Reason(NamedTuple):
    """One number of a config.

    Attributes:
        name: dotted, as ``--set`` takes it.
        value: as the config's JSON has it.
        why: where it comes from.
    """

    name: str
    value: Any
    why: str


def reasons(
    config: RunConfig, facts: Facts, settings: Mapping[str, str], *, has_weights: bool
) -> list[Reason]:
    """The numbers that decide most, and whatever was asked for, in the order of the config.

    Args:
        config: planned.
        facts: what the recipe looked at.
        settings: what the user fixed.
        has_weights: whether training starts from weights.
    """
    why = dict(_WHY)
    if config.job in ("classify", "video"):  # other recipes choose theirs in other ways
        why |= _WHY_CLASSES
    if has_weights:
        why["optim.lr"] = _same(f"{LR_SHARE:g} of what it would be from scratch")
    return [
        Reason(name, value, ASKED if name in settings else why[name](config, facts))
        for name, value in flat(to_json(config)).items()
        if name in settings or name in why
    ]


def _epochs(config: RunConfig, facts: Facts) -> float:
    batch = min(config.data.batch_size, facts.num_pictures)
    return config.steps * batch / max(facts.num_pictures, 1)


def _steps(config: RunConfig, facts: Facts) -> str:
    why = f"{_epochs(config, facts):.1f} passes over {facts.num_pictures:,} {_things(config)}"
    if config.budget_seconds is None:
        return why
    return f"{why}: as many as the measured speed makes in the time; corrected on the way"


def _size(config: RunConfig, facts: Facts) -> str:
    own = f"the short side of the {_things(config)} is {facts.side}"
    return own if config.budget_seconds is None else f"{own}; as much of it as the time allows"


def _flip(config: RunConfig, facts: Facts) -> str:
    return mirroring(config, facts, is_said=False).partition("; ")[2]


def _batch(config: RunConfig, facts: Facts) -> str:
    given = f"{facts.num_pictures:,} {_things(config)}"
    if config.data.batch_size < 128:
        return f"{given} are few: small batches make more steps of them"
    return f"{given} are many: large batches keep the machine busy"


def _lr(config: RunConfig, facts: Facts) -> str:
    del facts
    return (
        f"by the square root of the batch, {config.data.batch_size}, and of the width, "
        f"{config.model.embed_dim}: wider models want smaller steps"
    )


def _rule(config: RunConfig, facts: Facts) -> str:
    del facts
    if config.optim.name == "muon":
        return "from scratch it learns in fewer steps than adamw (docs/training.md)"
    return "what moves the weights; others: muon, sgd"


def _strength(config: RunConfig, facts: Facts) -> str:
    return (
        f"nothing up to 12 passes, all of it from 60; here {_epochs(config, facts):.1f}: what is "
        "seen often must change"
    )


def _things(config: RunConfig) -> str:
    return "clips" if config.job == "video" else "pictures"


def _same(text: str) -> Callable[[RunConfig, Facts], str]:
    return lambda *_: text


_WHY: dict[str, Callable[[RunConfig, Facts], str]] = {
    "seed": _same("of everything random, the division of the pictures too"),
    "steps": _steps,
    "precision": _same("bf16 where this machine multiplies it faster than fp32, measured"),
    "data.image_size": _size,
    "data.val_fraction": _same("of the training pictures, where the source has no such part"),
    "data.test_fraction": _same("of all pictures, where the source has no such part"),
    "optim.name": _rule,
    "optim.average": _same("the weights that are kept look back over this share of the steps"),
}

_WHY_CLASSES: dict[str, Callable[[RunConfig, Facts], str]] = {
    "data.batch_size": _batch,
    "augment.flip": _flip,
    "augment.translate": _same("a pixel or two where pictures are small"),
    "augment.zoom": _strength,
    "augment.rotate_degrees": _strength,
    "augment.shear": _strength,
    "augment.colour": _strength,
    "augment.erase": _strength,
    "optim.lr": _lr,
    "optim.weight_decay": _same("of matrices and kernels; nothing else is pulled towards zero"),
    "optim.warmup": _same("share of the steps; then half a cosine down"),
    "optim.label_smoothing": _same("answers stay less certain than labels (arXiv 1512.00567)"),
}
