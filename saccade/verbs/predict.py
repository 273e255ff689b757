"""predict: a model and pictures -> one answer per picture."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.data.sources import open_pictures
from saccade.serving.load import load
from saccade.serving.model import Model, Prediction
from saccade.verbs.table import check_table, table_writer
from saccade.verbs.voice import Voice

NUM_TOP = 5
"""How many classes a row lists, the most likely first."""


@dataclass(frozen=True, kw_only=True)
class PredictResult:
    """What was predicted.

    Attributes:
        run: the run folder, or the weights, as they were named.
        out: the table.
        n: rows, one per input picture.
        num_errors: rows without an answer, because the picture could not be read.
        labels: how often each class was predicted.
    """

    run: str
    out: Path
    n: int
    num_errors: int
    labels: dict[str, int]


def predict(
    run: str | Path,
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    device: str | None = None,
    is_quiet: bool = False,
) -> PredictResult:
    """Classifies pictures and folders of pictures into a table, in constant memory.

    The table has one row per picture, in input order: ``path``, ``label``, ``probability``,
    ``top_labels``, ``top_probabilities`` and ``error`` (empty where there is an answer).

    Args:
        run: the run folder, or weights of another library; see ``load``.
        inputs: pictures or folders.
        out: ``.parquet``, ``.csv`` or ``.jsonl``; it appears when it is complete.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model or input, or a table that exists or has an unknown ending.
    """
    voice = Voice(is_quiet=is_quiet)
    report = voice.counting("predicted")
    labels: Counter[str] = Counter()
    num_errors = done = 0
    check_table(Path(out))
    model = load(run, device=device)
    for note in model.notes:
        voice.say(note)
    samples = open_pictures([inputs] if isinstance(inputs, str | Path) else list(inputs))
    with table_writer(Path(out)) as write:
        for prediction in model.stream(samples):
            write(as_row(prediction, model))
            done += 1
            num_errors += prediction.error is not None
            labels[prediction.label or ""] += prediction.label is not None
            report(done, len(samples))
    return PredictResult(
        run=str(run), out=Path(out), n=done, num_errors=num_errors, labels=dict(+labels)
    )


def rows(
    run: str | Path,
    inputs: Sequence[str | Path],
    *,
    device: str | None = None,
    is_quiet: bool = False,
) -> Iterator[dict[str, Any]]:
    """The rows of ``predict`` one at a time, without a table."""
    model = load(run, device=device)
    for note in model.notes:
        Voice(is_quiet=is_quiet).say(note)
    for prediction in model.stream(open_pictures(inputs)):
        yield as_row(prediction, model)


def as_row(prediction: Prediction, model: Model) -> dict[str, Any]:
    """A prediction as plain data."""
    top_labels: list[str] = []
    top_probabilities: list[float] = []
    if prediction.probs is not None:
        order = (-prediction.probs).argsort(kind="stable")[:NUM_TOP]
        top_labels = [model.class_names[k] for k in order.tolist()]
        top_probabilities = prediction.probs[order].tolist()
    return {
        "path": prediction.path,
        "label": prediction.label,
        "probability": prediction.probability,
        "top_labels": top_labels,
        "top_probabilities": top_probabilities,
        "error": prediction.error,
    }
