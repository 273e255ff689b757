"""From which score on the answers of a model are worth showing."""

import torch

from saccade.data.loader import Loader
from saccade.run.device import autocast
from saccade.serving.engine import Engine


def best_score(engine: Engine, validation: Loader) -> float | None:
    """The score from which detections, or masks, are shown: where their F1 is highest.

    No fixed score would do: after a short training nothing may score above one half, and what is
    found would still be right.

    Args:
        engine: the model.
        validation: pictures whose truth is known, and that the weights were not trained on.

    Returns:
        In [0, 1]; None where the answers of the job have no score to choose by.
    """
    if not engine.has_scores:
        return None
    measure = engine.task.metrics()
    for batch in validation.batches():
        with torch.inference_mode(), autocast(engine.device, engine.precision):
            measure.update(batch.to(engine.device))
    return measure.best_score()
