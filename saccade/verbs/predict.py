"""predict: a model and pictures -> one answer per picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from saccade.data.sources import Paths
from saccade.jobs.find import find_job
from saccade.jobs.job import Row
from saccade.run.folder import refuse_taken
from saccade.serving.engine import Engine
from saccade.serving.load import load_engine
from saccade.verbs.readable import require_any_readable
from saccade.verbs.table import check_table, table_writer
from saccade.verbs.voice import Voice


@dataclass(frozen=True, kw_only=True)
class PredictResult:
    """What was predicted.

    Attributes:
        run: the run folder, or the weights, as they were named.
        job: what the model does, which decides the columns.
        out: the table.
        drawn: the folder with the drawings, if any were asked for.
        n: rows, one per input picture.
        num_errors: rows without an answer, because the picture could not be read.
        num_refused: rows whose answer is refused, where that was asked for.
        labels: how often each class was the answer for a picture; empty for jobs without one.
        listed_from, drawn_from: the score from which boxes, or masks of objects, are in the table
            and in drawings; None for jobs without scores.
    """

    run: str
    job: str
    out: Path
    drawn: Path | None
    n: int
    num_errors: int
    num_refused: int
    labels: dict[str, int]
    listed_from: float | None
    drawn_from: float | None


def predict(
    run: str | Path,
    inputs: Paths,
    out: str | Path,
    *,
    draw: str | Path | None = None,
    min_score: float | None = None,
    reject: float | None = None,
    reject_by: str = "knn",
    views: int = 1,
    device: str | None = None,
    is_quiet: bool = False,
) -> PredictResult:
    """Answers for pictures and folders of pictures in a table, in constant memory.

    The table has one row per picture, in input order: ``path``, the columns of the job (for a
    classifier ``label``, ``probability``, ``top_labels``, ``top_probabilities``, ``refused``) and
    ``error``, which is empty where there is an answer.

    Args:
        run: the run folder, or weights of another library; see ``load``.
        inputs: pictures or folders; clips for a model that watches those.
        out: ``.parquet``, ``.csv`` or ``.jsonl``; it appears when it is complete.
        draw: a folder to make, for the pictures with the answers drawn on them; None: no drawing.
        min_score: from which boxes, or masks of objects, are in the table and in drawings; None:
            in drawings what was best on the validation pictures of the training, in the table of
            boxes already from 0.05, so that it can be filtered.
        reject: refuse answers about pictures that the model knows little of: the share of known
            pictures that may be refused, above 0 and below 1. The row keeps its answer, and
            ``refused`` says why it is not to be relied on. None: every answer counts.
        reject_by: ``knn``: pictures unlike those of the training; ``probability``: unsure answers;
            ``energy``: small logits.
        views: how often a classifier looks at each picture, each time a little changed.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model or input, a table that exists or has an unknown ending, a score
            for answers that have none, or refusing or views for answers that are not classes.
        DataError: none of the pictures can be read; the table is there and says why.
    """
    voice = Voice(is_quiet=is_quiet)
    report = voice.counting("predicted")
    labels: dict[str, int] = {}
    num_errors = num_refused = done = 0
    check_table(Path(out))
    drawn = None if draw is None else Path(draw)
    if drawn is not None:
        refuse_taken(drawn, option="--draw")
    engine = _load(run, min_score=min_score, device=device, voice=voice)
    engine = _asked(engine, reject=reject, reject_by=reject_by, views=views)
    job = find_job(engine.job)
    samples = job.inputs(inputs)
    answers = job.rows(engine, samples, drawn=drawn)  # refuses here what cannot be drawn
    if drawn is not None:
        drawn.mkdir(parents=True, exist_ok=True)
    with table_writer(Path(out), job.schema) as write:
        for row in answers:
            write(row)
            done += 1
            num_errors += row["error"] is not None
            num_refused += row.get("refused") is not None
            label = row.get("label")
            if label is not None:
                labels[label] = labels.get(label, 0) + 1
            report(done, len(samples))
    require_any_readable(num_errors, done, noun=samples.noun, why=f"{out} says why for each")
    return PredictResult(
        run=str(run),
        job=engine.job,
        out=Path(out),
        drawn=drawn,
        n=done,
        num_errors=num_errors,
        num_refused=num_refused,
        labels=labels,
        listed_from=_listed_from(engine),
        drawn_from=engine.smallest_score if engine.has_scores else None,
    )


def rows(
    run: str | Path,
    inputs: Paths,
    *,
    min_score: float | None = None,
    reject: float | None = None,
    reject_by: str = "knn",
    views: int = 1,
    device: str | None = None,
    is_quiet: bool = False,
) -> Iterator[Row]:
    """The rows of ``predict`` one at a time, without a table.

    Raises:
        DataError: after the last row, when none of the pictures could be read.
    """
    engine = _load(run, min_score=min_score, device=device, voice=Voice(is_quiet=is_quiet))
    engine = _asked(engine, reject=reject, reject_by=reject_by, views=views)
    job = find_job(engine.job)
    samples = job.inputs(inputs)
    errors: list[str] = []
    for row in job.rows(engine, samples, drawn=None):
        if row["error"] is not None:
            errors.append(row["error"])
        yield row
    first = "".join(errors[:1])
    require_any_readable(len(errors), len(samples), noun=samples.noun, why=f"the first: {first}")


def _asked(engine: Engine, *, reject: float | None, reject_by: str, views: int) -> Engine:
    """The model as it is to look and to refuse."""
    if views != 1:
        engine = engine.seeing(views)
    return engine if reject is None else engine.refusing(reject, by=reject_by)


def _load(run: str | Path, *, min_score: float | None, device: str | None, voice: Voice) -> Engine:
    engine = load_engine(run, device=device)
    for note in engine.notes:
        voice.say(note)
    if min_score is not None:
        return engine.scoring_from(min_score)
    if engine.has_scores:
        voice.say(
            f"listed from a score of {_listed_from(engine):.3f}, drawn from "
            f"{engine.smallest_score:.3f}, the best on validation pictures; --min-score chooses one"
        )
    return engine


def _listed_from(engine: Engine) -> float | None:
    """The score from which a table holds what was found; masks compete, so theirs is one."""
    if not engine.has_scores:
        return None
    lowest = engine.lowest_listed if engine.job == "detect" else engine.smallest_score
    return min(lowest, engine.smallest_score)
