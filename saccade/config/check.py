"""Numbers that no run could use, refused by name before anything starts."""

from typing import NamedTuple

from saccade.config.json import flat, to_json
from saccade.config.model import AttentionCnnConfig, CnnConfig
from saccade.config.run import RunConfig
from saccade.config.task import GenerateConfig, PretrainConfig
from saccade.errors import UsageError


class Range(NamedTuple):
    """What a number may be.

    Attributes:
        low: the smallest value.
        high: values stay below it, or reach it when ``has_high``; None: no limit.
        has_high: whether ``high`` itself is allowed.
    """

    low: int | float
    high: int | float | None = None
    has_high: bool = True

    def holds(self, value: int | float) -> bool:
        """Whether a value is in the range."""
        if self.high is None:
            return value >= self.low
        return self.low <= value and (value <= self.high if self.has_high else value < self.high)

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.low:g} or more"
        return f"{self.low:g} to {'' if self.has_high else 'below '}{self.high:g}"


AT_LEAST_ONE, NOT_NEGATIVE, SHARE = Range(1), Range(0), Range(0, 1)
SHARE_BELOW_ONE = Range(0, 1, has_high=False)

CAN_BLEND = ("classify", "video")
"""Jobs whose pictures may be two in one."""

RANGES = {
    "seed": NOT_NEGATIVE,
    "steps": AT_LEAST_ONE,
    "log_every": AT_LEAST_ONE,
    "evaluate_every": AT_LEAST_ONE,
    "save_every": AT_LEAST_ONE,
    "model.embed_dim": AT_LEAST_ONE,
    "model.depth": Range(1, 1000),
    "model.num_heads": AT_LEAST_ONE,
    "model.mlp_ratio": Range(0.01),
    "model.patch_size": AT_LEAST_ONE,
    "model.num_registers": NOT_NEGATIVE,
    "model.window_size": NOT_NEGATIVE,
    "model.num_global_blocks": NOT_NEGATIVE,
    "model.tubelet_size": AT_LEAST_ONE,
    "model.num_prefix_positions": NOT_NEGATIVE,
    "model.rotary_base": Range(1.0),
    "model.norm_eps": Range(0, 1, has_high=False),
    "model.pooled_norm_eps": Range(0, 1, has_high=False),
    "model.conv_depth": NOT_NEGATIVE,
    "model.num_attentions": NOT_NEGATIVE,
    "model.drop_path": SHARE_BELOW_ONE,
    "data.image_size": Range(1, 10_000),  # squared, about the largest picture that is read
    "data.batch_size": AT_LEAST_ONE,
    "data.micro_batch": NOT_NEGATIVE,
    "data.val_fraction": SHARE_BELOW_ONE,
    "data.test_fraction": SHARE_BELOW_ONE,
    "data.max_bad_fraction": SHARE,
    "data.cache_gib": NOT_NEGATIVE,
    "data.num_threads": Range(1, 1024),
    "augment.flip": SHARE,
    "augment.translate": SHARE,
    "augment.zoom": NOT_NEGATIVE,
    "augment.rotate_degrees": Range(0, 180),
    "augment.shear": NOT_NEGATIVE,
    "augment.colour": SHARE,
    "augment.erase": SHARE,
    "augment.mixup": SHARE,
    "augment.cutmix": SHARE,
    "optim.lr": NOT_NEGATIVE,
    "optim.weight_decay": NOT_NEGATIVE,
    "optim.beta1": SHARE_BELOW_ONE,
    "optim.beta2": SHARE_BELOW_ONE,
    "optim.momentum": SHARE_BELOW_ONE,
    "optim.layer_decay": SHARE,
    "optim.warmup": SHARE,
    "optim.final_lr": SHARE,
    "optim.clip_norm": Range(1e-6),
    "optim.label_smoothing": SHARE_BELOW_ONE,
    "optim.average": SHARE,
    "task.out_dim": AT_LEAST_ONE,
    "task.temperature": Range(1e-3),
    "task.repeats": AT_LEAST_ONE,
    "task.one_to_one_from": SHARE,
    "task.object_width": Range(0.001, 0.999),
    "task.object_height": Range(0.001, 0.999),
    "task.max_detections": AT_LEAST_ONE,
    "task.spread_weight": NOT_NEGATIVE,
    "task.num_frames": Range(2),
    "task.balance": SHARE,
    "task.dice_weight": NOT_NEGATIVE,
    "task.coarse_weight": NOT_NEGATIVE,
    "task.patch_weight": NOT_NEGATIVE,
    "task.num_queries": AT_LEAST_ONE,
    "task.num_query_blocks": AT_LEAST_ONE,
    "task.spares": AT_LEAST_ONE,
    "task.num_global_views": AT_LEAST_ONE,
    "task.num_local_views": NOT_NEGATIVE,
    "task.smallest_global": Range(0.01, 1),
    "task.smallest_local": Range(0.01, 1),
    "task.largest_local": Range(0.01, 1),
    "task.local_size": AT_LEAST_ONE,
    "task.flip": SHARE,
    "task.colour": SHARE,
    "task.blur": SHARE,
    "task.projector_hidden": AT_LEAST_ONE,
    "task.projector_dim": Range(2),
    "task.regulariser": SHARE,
    "task.num_slices": AT_LEAST_ONE,
    "task.num_prototypes": Range(2),
    "task.teacher_decay": SHARE,
    "task.teacher_temperature": Range(1e-3),
    "task.student_temperature": Range(1e-3),
    "task.hidden": Range(0.01, 1, has_high=False),
    "task.decoder_dim": Range(4),
    "task.decoder_depth": AT_LEAST_ONE,
    "task.decoder_heads": AT_LEAST_ONE,
    "task.flow.time_mean": Range(-10, 10),
    "task.flow.time_std": Range(1e-3),
    "task.flow.smallest_gap": Range(1e-3, 0.5),
    "task.flow.noise_scale": Range(1e-3),
    "task.flow.num_steps": AT_LEAST_ONE,
    "task.label_drop": SHARE,
    "task.guidance": NOT_NEGATIVE,
    "task.guidance_from": SHARE,
    "task.guidance_to": SHARE,
    "judging_seconds": NOT_NEGATIVE,
    "task.num_judged": Range(2),
    "task.num_real": Range(2),
    "task.edit.noise": Range(0, 1),
    "task.edit.factor": Range(2),
    "teach.weight": SHARE,
    "teach.temperature": Range(1e-2, 1e3),
}


def check(config: RunConfig) -> RunConfig:
    """Returns the config when every number is one that a run can use.

    Raises:
        UsageError: one is not; the message names it, its value and its range.
    """
    for name, value in flat(to_json(config)).items():
        if name in RANGES and not RANGES[name].holds(value):
            raise UsageError(f"{name} is {value:g}; expected {RANGES[name]}")
    if config.data.channels not in (1, 3):
        raise UsageError(f"data.channels is {config.data.channels}; expected 1 (grey) or 3 (RGB)")
    if config.gradient_checkpointing and isinstance(config.model, CnnConfig | AttentionCnnConfig):
        raise UsageError(
            f"gradient_checkpointing is on, and {config.model.family} has no transformer blocks to "
            "compute again; leave it off, or choose vit or rag"
        )
    _check_blending(config)
    match config.task:
        case PretrainConfig() as task:
            _check_pretraining(task)
        case GenerateConfig(guidance_from=start, guidance_to=end) if start > end:
            raise UsageError(
                f"task.guidance_from is {start:g} and task.guidance_to {end:g}; guidance lasts "
                "from the first time to the second, so expected the first to be no larger"
            )
    return config


def _check_blending(config: RunConfig) -> None:
    """Two pictures in one: for labels that can be shared between them, and one way at a time."""
    mixup, cutmix = config.augment.mixup, config.augment.cutmix
    if (mixup or cutmix) and config.job not in CAN_BLEND:
        raise UsageError(
            f"augment.mixup is {mixup:g} and augment.cutmix {cutmix:g}; two pictures in one can be "
            f"learned by {' and '.join(CAN_BLEND)}, so expected 0 for {config.job}"
        )
    if mixup + cutmix > 1:
        raise UsageError(
            f"augment.mixup is {mixup:g} and augment.cutmix {cutmix:g}; a picture is blended one "
            "way or the other, so expected a sum of at most 1"
        )


def _check_pretraining(task: PretrainConfig) -> None:
    """Numbers that are in their ranges, and do not go with each other or with the method."""
    if task.method == "mae":
        if task.decoder_dim % task.decoder_heads:
            raise UsageError(
                f"task.decoder_dim is {task.decoder_dim} and task.decoder_heads "
                f"{task.decoder_heads}; expected heads that divide the width"
            )
        return
    if task.smallest_local > task.largest_local:
        raise UsageError(
            f"task.smallest_local is {task.smallest_local:g} and task.largest_local "
            f"{task.largest_local:g}; expected the first to be no larger than the second"
        )
    # DINO chooses its best weights by whether one global view finds the other.
    views = task.num_global_views + (0 if task.method == "dino" else task.num_local_views)
    if views < 2:
        raise UsageError(
            f"task.num_global_views is {task.num_global_views} and task.num_local_views "
            f"{task.num_local_views}; {task.method} compares views of one picture, so expected two "
            f"or more{' global ones' if task.method == 'dino' else ''}"
        )
