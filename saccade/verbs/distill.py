"""distill: pictures and a trained model -> a smaller one that learned from it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from saccade.errors import UsageError
from saccade.verbs.train import train
from saccade.verbs.trained import TrainResult


def distill(
    source: str | Path,
    out: str | Path,
    *,
    teacher: str | Path | None = None,
    method: str | None = None,
    ignore_labels: bool = False,
    model: str | None = None,
    budget: str | None = None,
    epochs: float | None = None,
    steps: int | None = None,
    settings: Mapping[str, str] | None = None,
    seed: int | None = None,
    init: str | Path | None = None,
    new_head: bool = False,
    resume: bool = False,
    on_nan: str = "stop",
    track: Sequence[str] = (),
    device: str | None = None,
    is_quiet: bool = False,
) -> TrainResult:
    """Trains a model of any family to say, or to see, what a trained one does.

    What comes out is a run like any other, which needs its teacher for nothing: of a classifier,
    or, learned by features from pictures without labels, of a backbone to start other jobs from.

    Args:
        source: pictures as for ``train``, with or without labels. Classes must be known to the
            teacher by name; they may be fewer, and in another order.
        out: the run folder to make; one that exists is refused, unless ``resume``.
        teacher: a run folder, or weights of another library; see ``load``. Left out with
            ``resume``, it is the one the run began with.
        method: ``logits`` (the default), its probabilities; ``hard``, its answers; ``features``,
            its vectors, for which it needs to know no class.
        ignore_labels: let the teacher alone teach, whatever is known of the pictures.
        model: of the student; see ``train``.
        budget, epochs, steps: how long; see ``train``.
        settings: any number of the config, such as ``{"teach.temperature": "4"}``.
        seed: of everything random; 0 when nothing is said.
        init, new_head: weights that the student starts from; see ``train``.
        resume: go on with the run in ``out`` from its newest checkpoint.
        on_nan, track: see ``train``.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: the call does not fit together; nothing was written.
        DataError: the data is bad, or has a class that the teacher does not know.
        Stopped: a signal came; everything is saved.
    """
    if teacher is None and not resume:
        raise UsageError(
            "distill needs somebody to learn from; name a run folder, or weights of another "
            "library, with --teacher"
        )
    numbers = dict(settings or {})
    said = {"teach.method": method, "teach.has_labels": "false" if ignore_labels else None}
    for name, value in said.items():
        if value is None:
            continue
        if numbers.get(name, value) != value:
            raise UsageError(
                f"{name} is said twice, as {value} and by --set {name}={numbers[name]}; leave out "
                "one"
            )
        numbers[name] = value
    return train(
        source,
        out,
        model=model,
        budget=budget,
        epochs=epochs,
        steps=steps,
        settings=numbers,
        seed=seed,
        init=init,
        new_head=new_head,
        teacher=teacher,
        resume=resume,
        on_nan=on_nan,
        track=track,
        device=device,
        is_quiet=is_quiet,
    )
