"""README.md of a run: the model card that travels with the weights."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from saccade.reporting.headline import headline
from saccade.reporting.making import making
from saccade.reporting.records import Json, RunRecords, read_records
from saccade.reporting.wording import count, figure_name, number, percent
from saccade.run.folder import write_atomic

MAX_NAMED_CLASSES = 200

_FRACTIONS = {
    "top1": "top-1 accuracy",
    "frame_average_top1": figure_name("frame_average_top1"),
    "shuffled_top1": figure_name("shuffled_top1"),
    "top5": "top-5 accuracy",
}
_NUMBERS = {
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss (nats)",
    "brier": "Brier score (0 to 2)",
    "ece": "calibration error (ECE, 15 bins of equal width)",
    "ece_equal_mass": "calibration error (ECE, 15 bins of equal mass)",
    "aurc": "area under risk over coverage (AURC)",
}


_ASKING = {
    "video": 'model.predict("clip.mp4")',
    "embed": 'model.embed("pictures/")',
    "pretrain": 'model.embed("pictures/")',
    "generate": "model.sample(4)",
    "translate": 'model.translate("picture.jpg")',
}


class _Verbatim(str):
    """Text for a code block, where Markdown has no special characters."""

    __slots__ = ()


class _Figure(NamedTuple):
    name: str
    split: str
    value: str
    interval: str


def write_card(run: Path) -> Path:
    """Writes ``README.md`` into a run folder, replacing the one that is there.

    Args:
        run: the run folder, at any stage.

    Returns:
        The card.

    Raises:
        UsageError: there is no such folder.
    """
    run = Path(run)
    records = read_records(run)
    data = records.contract.get("data", {})
    made = making(records)
    card = (
        _templates()
        .get_template("card.md.j2")
        .render(
            top=headline(records),
            figures=_figures(records),
            class_names=records.class_names[:MAX_NAMED_CLASSES],
            num_classes=len(records.class_names),
            data=data,
            splits=", ".join(
                f"{count(n)} {name}" for name, n in data.get("splits", {}).items() if n
            ),
            preprocess=_preprocess(records.contract.get("preprocess", {})),
            facts=made.facts[0].rows if made.facts else [],
            licence=records.contract.get("licence") or "not stated",
            job=records.job,
            things=records.things,
            ask=_Verbatim(_ASKING.get(records.job, 'model.predict("picture.jpg")')),
            load=_Verbatim(_code(f"model = saccade.load({str(run.resolve())!r})")),
            commands=[(step.what, _Verbatim(_code(step.command))) for step in made.steps[:3]],
        )
    )
    path = run / "README.md"
    write_atomic(path, card.encode())
    return path


def _figures(records: RunRecords) -> list[_Figure]:
    rows = []
    for split in ("test", "val", "train"):
        result = records.results.get(split, {})
        where = {
            "test": "test",
            "val": "validation",
            "train": f"training (says nothing about new {records.things})",
        }[split]
        metrics: dict[str, Json] = result.get("metrics", {})
        named = _FRACTIONS | _NUMBERS
        for name in [*(each for each in named if each in metrics), *sorted(metrics.keys() - named)]:
            words, estimate = named.get(name) or figure_name(name), metrics[name]
            shown = percent if name in _FRACTIONS else number
            rows.append(
                _Figure(
                    words,
                    f"{where}, {count(result['n'])} {records.things}",
                    shown(estimate["value"]),
                    f"{shown(estimate['low'])} to {shown(estimate['high'])}",
                )
            )
    return rows


def _preprocess(preprocess: Json) -> str:
    """The preprocessing in a sentence; empty when unknown."""
    if not preprocess:
        return ""
    side = preprocess.get("resize_side")
    to_side = f" to {side} pixels" if side else ""
    fits = {
        "crop": f"scaled on its shorter side{to_side} and cut to its centre",
        "squash": "scaled on both sides, whatever its aspect",
        "pad": "scaled on its longer side, with black bars",
    }
    colour = "grey" if preprocess["channels"] == 1 else "RGB"
    mean = ", ".join(f"{m:.4g}" for m in preprocess["mean"])
    std = ", ".join(f"{s:.4g}" for s in preprocess["std"])
    return (
        f"Each picture is turned upright by its EXIF tag, made {colour}, "
        f"{fits.get(preprocess['fit'], preprocess['fit'])} to {preprocess['width']} x "
        f"{preprocess['height']} pixels (width x height; "
        f"{preprocess.get('interpolation', 'bilinear')}), divided by 255, less the mean ({mean}), "
        f"over the standard deviation ({std})."
    )


def _code(text: str) -> str:
    """One line that cannot end the code block around it."""
    return " ".join(text.splitlines()).replace("```", "` ` `")


def _escaped(value: object) -> object:
    """A value with everything escaped that Markdown, or HTML inside it, would act on."""
    if isinstance(value, _Verbatim) or not isinstance(value, str):
        return value
    flat = " ".join(value.splitlines())
    return re.sub(r"([\\`*_\[\]<>|#&$~])", r"\\\1", flat)


@cache
def _templates() -> Environment:
    """Markdown has no autoescape; ``finalize`` sees every value that a template prints."""
    return Environment(
        loader=PackageLoader("saccade.reporting"),
        autoescape=False,
        finalize=_escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
