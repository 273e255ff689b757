"""What the verbs need to know of a job; there is nothing to inherit."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from saccade.attribution.methods import Method
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.data.loader import Loader
from saccade.data.samples import Samples, Source
from saccade.data.sources import Paths
from saccade.metrics.intervals import Estimate
from saccade.planning.recipe import Recipe
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.explanation import Explanation

Row = dict[str, Any]
"""One line of a table, by column."""


@runtime_checkable
class Judgement(Protocol):
    """What a model said about pictures whose truth is known, and what that amounts to.

    Attributes:
        n: how many pictures were judged.
        metrics: figures by name, as fractions, with their 95 % intervals.
        headline: the name of the figure that people look at first.
    """

    @property
    def n(self) -> int:
        """See above."""
        ...

    @property
    def metrics(self) -> dict[str, Estimate]:
        """See above."""
        ...

    @property
    def headline(self) -> str:
        """See above."""
        ...

    def to_json(self) -> dict[str, Any]:
        """What the report is made from; reporting/outcome.py says what may be in it."""
        ...

    def write_table(self, path: Path) -> None:
        """One row per picture, as Parquet."""
        ...


@runtime_checkable
class Job(Protocol):
    """One kind of thing to learn: its source, its recipe, its judge and its answers.

    Attributes:
        name: as in ``config.json``.
        schema: the columns of ``rows``.
    """

    name: JobName
    schema: pa.Schema

    def open(self, path: str | Path) -> Source:
        """Recognises a source and makes sure that this job can be learned or judged on it.

        Raises:
            UsageError: there is nothing at the path.
            DataError: it lacks what the job needs; the message says what to do.
        """
        ...

    def inputs(self, paths: Paths) -> Samples:
        """What a user wants answers for, in the order given; a folder stands for all it holds.

        Raises:
            UsageError: no path was given, or nothing is there.
            DataError: the folders hold nothing that this job reads.
        """
        ...

    def recipe(self, settings: Mapping[str, str]) -> Recipe:
        """How a training is planned, given what ``--set`` says."""
        ...

    def judge(self, engine: Engine, loader: Loader) -> Judgement:
        """Asks a model about pictures whose truth is known."""
        ...

    def write_gallery(
        self,
        folder: RunFolder,
        engine: Engine,
        training: Loader,
        judged_on: Loader,
        judgement: Judgement,
        *,
        config: RunConfig,
    ) -> None:
        """Writes ``pictures/`` and its ``index.json`` of a run, replacing what was there."""
        ...

    def rows(self, engine: Engine, samples: Samples, *, drawn: Path | None) -> Iterator[Row]:
        """One row per picture, in order, in constant memory; ``error`` says why one has no answer.

        Args:
            engine: the model.
            samples: which pictures.
            drawn: a folder for pictures with the answer drawn on them, which exists before the
                first row is asked for; None: no drawing.

        Raises:
            UsageError: at once, where answers cannot be drawn.
        """
        ...

    def explain(
        self, engine: Engine, samples: Samples, *, methods: Sequence[Method], label: str | None
    ) -> Iterator[Explanation]:
        """Where the model looked in each picture; those that cannot be read are left out.

        Raises:
            UsageError: the job, or the model, cannot be explained this way.
        """
        ...
