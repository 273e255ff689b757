"""Everything that decides a training run, as frozen data."""

from dataclasses import dataclass
from typing import Literal

from saccade.config.model import ModelConfig
from saccade.config.task import (
    ClassifyConfig,
    JobName,
    ShortClips,
    TaskConfig,
    TeachConfig,
)

CLASSIFY = ClassifyConfig()
UNTAUGHT = TeachConfig()


@dataclass(frozen=True, kw_only=True)
class Preprocess:
    """How a decoded picture becomes the model's input; the same in training and everywhere after.

    Attributes:
        height, width: the model's picture in pixels.
        channels: 1 (grey) or 3 (RGB).
        fit: how a picture of another aspect gets that size: ``crop`` (scale the short side, keep
            the centre), ``squash`` (scale both sides), ``pad`` (scale the long side, black bars).
        mean, std: per channel, of pixels scaled to [0, 1].
        resize_side: with ``crop``, pixels that the short side is scaled to before the centre is cut
            out; 0: the largest centre there is, cut first and scaled once.
        interpolation: how it is scaled, always over all pixels that a new one covers.
        num_frames: 1 for pictures; more: clips of so many frames, evenly spread over a video.
        short_clips: what becomes of a clip with fewer frames; see ``VideoConfig``.
    """

    height: int
    width: int
    channels: int
    fit: Literal["crop", "squash", "pad"]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize_side: int = 0
    interpolation: Literal["bilinear", "bicubic", "lanczos"] = "bilinear"
    num_frames: int = 1
    short_clips: ShortClips = "refuse"


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which pictures, in what size, how many at a time."""

    source: str  # the path as the user gave it
    image_size: int  # pixels a side
    channels: int
    fit: Literal["crop", "squash", "pad"]
    batch_size: int  # pictures per optimiser step
    val_fraction: float  # of the training pictures, held out to choose the best weights
    test_fraction: float  # of all pictures, held out for the final figures
    max_bad_fraction: float  # unreadable pictures above this share stop the run
    cache_gib: float  # decoded pictures kept in memory up to this size, else decoded every time
    num_threads: int  # that decode
    micro_batch: int = 0  # pictures computed at a time, gradients added up; 0: the whole batch


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Random changes of each training picture, made in batch on the device."""

    flip: float  # probability of a mirror image
    translate: float  # largest shift, as a share of the side
    zoom: float  # sides grow or shrink by up to this factor minus 1 (0.2: from 1/1.2 to 1.2)
    rotate_degrees: float  # largest turn
    shear: float  # largest shear
    colour: float  # strength of brightness, contrast and saturation changes, 0 to 1
    erase: float  # probability of a grey rectangle (random erasing, arXiv 1708.04896)
    mixup: float = 0.0  # probability of the whole of another picture on top (arXiv 1710.09412)
    cutmix: float = 0.0  # probability of a rectangle of another picture (arXiv 1905.04899)


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """What moves the weights, and how fast; see saccade.run.schedule for the formulas."""

    lr: float  # the peak
    weight_decay: float
    beta1: float
    beta2: float
    warmup: float  # share of all steps
    final_lr: float  # share of the peak left at the end
    clip_norm: float
    label_smoothing: float
    average: float  # share of all steps that the weight average looks back over
    name: Literal["adamw", "sgd", "muon"] = "adamw"  # muon: for the matrices of blocks and stages
    momentum: float = 0.95  # of sgd and muon
    layer_decay: float = 1.0  # factor on the learning rate for each layer below the head
    freeze: tuple[str, ...] = ()  # patterns of parameters left as they are: backbone.blocks.[0-5].*


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """One training run; ``config.json`` in the run folder holds it."""

    job: JobName
    seed: int
    steps: int
    budget_seconds: (
        float | None
    )  # wall clock promised for the whole command; None: only steps count
    log_every: int  # steps
    evaluate_every: int  # steps
    save_every: int  # steps
    precision: Literal["bf16", "fp32"]
    model: ModelConfig
    data: DataConfig
    augment: AugmentConfig
    optim: OptimConfig
    task: TaskConfig = CLASSIFY  # the numbers of this job alone
    judging_seconds: float = 0.0  # of the budget, kept for figures that take long
    gradient_checkpointing: bool = False  # blocks are computed twice to keep less in memory
    shard: bool = False  # of several processes each holds a part of the weights (FSDP2)
    compile: bool = False  # the backbone by torch.compile: a minute at the start, quicker steps
    teach: TeachConfig = UNTAUGHT  # what a teacher says besides
