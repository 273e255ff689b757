"""How well a classifier tells that it does not know something."""

from pathlib import Path
from typing import Any

import numpy as np

from saccade.data.bare import open_bare
from saccade.data.samples import Samples, count
from saccade.errors import UsageError
from saccade.jobs.classify.judge import ClassJudgement
from saccade.jobs.job import Judgement
from saccade.metrics.outliers import auroc, false_positives
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.evidence import evidence, familiarity
from saccade.verbs.unseen import best_part, unseen
from saccade.verbs.voice import Voice


def open_unknown(source: str | Path, engine: Engine) -> Samples:
    """Pictures of other things: the test split of a source, its val split, or all of it.

    Args:
        source: of any job, labelled or not.
        engine: that is to be asked about them.

    Raises:
        UsageError: nothing is there, or the model does not answer with classes of pictures.
        DataError: it holds no pictures.
    """
    if engine.job != "classify":
        raise UsageError(
            f"--unknown is {source}, and this model was trained to {engine.job}; how well unknown "
            "pictures are told is known of classify only"
        )
    return best_part(open_bare(source))[1]


def against_unknown(
    engine: Engine,
    judgement: Judgement,
    samples: Samples,
    folder: RunFolder | None,
    voice: Voice,
) -> list[dict[str, Any]]:
    """How well each score tells known pictures from unknown ones.

    Args:
        engine: the model.
        judgement: of the known pictures.
        samples: the unknown ones.
        folder: of the run, whose own training pictures are left out; None for weights of others.
        voice: to say what is done.

    Returns:
        A row for each score, with ``auroc`` and ``fpr95`` as values with their intervals.

    Raises:
        UsageError: none of the unknown pictures can be read.
    """
    assert isinstance(judgement, ClassJudgement)
    if folder is not None:
        samples = unseen(samples, folder, voice)
    voice.say(f"and on {count(len(samples), samples.noun)} of other things")
    if engine.known is None:
        voice.say("without the score knn: this model does not say what it knows its pictures by")
    loader = engine.loader(samples)
    batches = [familiarity(engine, evidence(engine, batch)) for batch in loader.batches()]
    if not batches:
        raise UsageError("none of the pictures given with --unknown can be read; give others")
    rows = []
    for name, known in judgement.scores.items():
        found = np.concatenate([batch[name].numpy() for batch in batches]).astype(np.float64)
        of = known.astype(np.float64), found
        rows.append(
            {
                "score": name,
                "n": len(found),
                "auroc": auroc(*of).to_json(),
                "fpr95": false_positives(*of).to_json(),
            }
        )
    return rows
