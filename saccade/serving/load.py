"""load: a run folder, or weights of another library -> a model that answers."""

from pathlib import Path
from typing import Any, Literal, overload

import torch

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.config.task import JobName
from saccade.errors import UsageError
from saccade.metrics.average_precision import SHOWN
from saccade.run.contract import load_contract
from saccade.run.device import choose_device, num_cores, place
from saccade.run.folder import RunFolder, read_json
from saccade.run.start import find_run, read_start, restore
from saccade.run.weights import load_weights
from saccade.serving.detect import Detector
from saccade.serving.embed import Embedder
from saccade.serving.engine import Engine
from saccade.serving.generate import Generator
from saccade.serving.known import load_known
from saccade.serving.model import Model
from saccade.serving.segment import Segmenter
from saccade.serving.translate import Translator
from saccade.serving.video import VideoModel
from saccade.tasks.build import build_task
from saccade.tasks.classify import Classify
from saccade.tasks.detect import Detect
from saccade.tasks.embed import Embed
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.translate import Translate
from saccade.tasks.pretrain.dino import PretrainDino
from saccade.tasks.pretrain.features import PretrainFeatures
from saccade.tasks.pretrain.mae import PretrainMae
from saccade.tasks.pretrain.views import Pretrain
from saccade.tasks.segment.classes import Segment
from saccade.tasks.segment.objects import SegmentMasks
from saccade.tasks.video import Video

AnyModel = Model | Detector | Embedder | Segmenter | VideoModel | Generator | Translator
"""What answers in Python, for each job."""


@overload
def load(
    source: str | Path,
    *,
    job: Literal["classify"],
    device: str | None = None,
    weights: str = "best",
) -> Model: ...


@overload
def load(
    source: str | Path, *, job: Literal["video"], device: str | None = None, weights: str = "best"
) -> VideoModel: ...


@overload
def load(
    source: str | Path, *, job: Literal["detect"], device: str | None = None, weights: str = "best"
) -> Detector: ...


@overload
def load(
    source: str | Path, *, job: Literal["segment"], device: str | None = None, weights: str = "best"
) -> Segmenter: ...


@overload
def load(
    source: str | Path,
    *,
    job: Literal["pretrain", "embed"],
    device: str | None = None,
    weights: str = "best",
) -> Embedder: ...


@overload
def load(
    source: str | Path,
    *,
    job: Literal["generate"],
    device: str | None = None,
    weights: str = "best",
) -> Generator: ...


@overload
def load(
    source: str | Path,
    *,
    job: Literal["translate"],
    device: str | None = None,
    weights: str = "best",
) -> Translator: ...


@overload
def load(
    source: str | Path, *, job: None = None, device: str | None = None, weights: str = "best"
) -> Any: ...


def load(
    source: str | Path,
    *,
    job: JobName | None = None,
    device: str | None = None,
    weights: str = "best",
) -> AnyModel:
    """Loads a trained run, or weights of another library with their own classes.

    Weights of other libraries answer in fp32, as they were evaluated; a run in its own precision.

    Args:
        source: a run folder, or anything that ``saccade.weights.read`` takes: a ``.safetensors`` or
            ``.npz`` file, a folder with ``config.json`` and ``model.safetensors``, or
            ``hf://owner/name[@revision]``.
        job: that it must have been trained for; who names it also tells a type checker what comes
            back. None: any.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        weights: of a run: ``best`` (by validation) or ``last``.

    Returns:
        What answers for the job that the model was trained for: a ``Model`` for a classifier, a
        ``Detector``, a ``Segmenter``, ...

    Raises:
        UsageError: there is no such thing, its weights are missing or damaged, or it was trained
            for another job.
        DataError: a file of another library is damaged, or not the model that it describes.
    """
    engine = load_engine(source, device=device, weights=weights)
    if job is not None and engine.job != job:
        raise UsageError(
            f"{source} was trained to {engine.job}, and is asked to {job}; load a run of "
            f"`saccade train --job {job}`"
        )
    return wrap(engine)


def wrap(engine: Engine) -> AnyModel:
    """What answers for the job of this engine."""
    match engine.task:
        case Classify():
            return Model(engine)
        case Detect():
            return Detector(engine)
        case Embed() | Pretrain() | PretrainDino() | PretrainFeatures() | PretrainMae():
            return Embedder(engine)
        case Segment() | SegmentMasks():
            return Segmenter(engine)
        case Video():
            return VideoModel(engine)
        case Generate():
            return Generator(engine)
        case Translate():
            return Translator(engine)
        case _:
            raise AssertionError(f"no answers for {engine.job}")


def load_engine(source: str | Path, *, device: str | None = None, weights: str = "best") -> Engine:
    """The same, for the verbs: not yet wrapped for one job; see ``load``."""
    if weights not in ("best", "last"):
        raise UsageError(f"weights is {weights!r}; it must be 'best' or 'last'")
    run = find_run(source)
    if run is not None:
        return _load_run(run, weights=weights, device=choose_device(device))
    if weights == "last":
        raise UsageError(f"{source} is not a run folder, so it has no other weights than its own")
    start = read_start(source)
    torch_device = choose_device(device)
    return Engine(
        task=place(restore(start), torch_device).eval(),
        job=start.job,
        preprocess=start.preprocess,
        precision="fp32",
        num_threads=num_cores(),
        device=torch_device,
        notes=start.notes,
    )


def _load_run(folder: RunFolder, *, weights: str, device: torch.device) -> Engine:
    config = from_json(RunConfig, read_json(folder.config))
    contract = load_contract(folder.contract)
    task = build_task(config, class_names=contract.class_names, preprocess=contract.preprocess)
    load_weights(folder.weights if weights == "best" else folder.last_weights, task)
    return Engine(
        task=place(task, device).eval(),
        job=config.job,
        preprocess=contract.preprocess,
        precision=config.precision,
        num_threads=config.data.num_threads,
        device=device,
        smallest_score=SHOWN if contract.smallest_score is None else contract.smallest_score,
        # Both were measured with the best weights, and say nothing about others.
        temperature=contract.temperature if weights == "best" else 1.0,
        known=load_known(folder.known) if weights == "best" else None,
        has_mirror=config.augment.flip > 0,
    )
