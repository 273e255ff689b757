"""pretrain: pictures without labels -> a run folder that every other job can start from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from saccade.errors import UsageError
from saccade.verbs.train import train
from saccade.verbs.trained import TrainResult


def pretrain(
    source: str | Path,
    out: str | Path,
    *,
    method: str | None = None,
    model: str | None = None,
    budget: str | None = None,
    epochs: float | None = None,
    steps: int | None = None,
    settings: Mapping[str, str] | None = None,
    seed: int | None = None,
    init: str | Path | None = None,
    resume: bool = False,
    on_nan: str = "stop",
    track: Sequence[str] = (),
    device: str | None = None,
    is_quiet: bool = False,
) -> TrainResult:
    """Learns what pictures of this kind look like, from the pictures alone.

    ``train(source, out, job="pretrain")`` under the name that people look for. What comes out is a
    backbone: ``train(..., init=out)`` takes it into any job, ``probe(out, source)`` says what it is
    worth.

    Args:
        source: any pictures: a folder of them, with or without classes, boxes or masks; a film's
            middle frame. Classes, where there are some, only judge neighbours in the report.
        out: the run folder to make; one that exists is refused, unless ``resume``.
        method: ``visreg`` (the default), ``lejepa``, ``dino``: views of a picture agree; ``mae``:
            hidden patches are drawn, for pictures that cropping and recolouring would spoil.
        model: see ``train``; ``vit`` when nothing is said, and for ``mae`` always one.
        budget, epochs, steps: how long; see ``train``.
        settings: any number of the config, such as ``{"task.local_size": "24"}``.
        seed: of everything random; 0 when nothing is said.
        init: weights to go on from: a run of any job, or those of another library.
        resume: go on with the run in ``out`` from its newest checkpoint.
        on_nan, track: see ``train``.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: the call does not fit together; nothing was written.
        DataError: the data is bad.
        Stopped: a signal came; everything is saved.
    """
    numbers = dict(settings or {})
    if method is not None:
        if numbers.get("task.method", method) != method:
            raise UsageError(
                f"--method {method} and --set task.method={numbers['task.method']} were given; "
                "name one method"
            )
        numbers["task.method"] = method
    return train(
        source,
        out,
        job="pretrain",
        model=model,
        budget=budget,
        epochs=epochs,
        steps=steps,
        settings=numbers,
        seed=seed,
        init=init,
        resume=resume,
        on_nan=on_nan,
        track=track,
        device=device,
        is_quiet=is_quiet,
    )
