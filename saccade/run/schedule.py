"""How big a step is, as a function of how much of the training is done."""

import math

from saccade.config.run import OptimConfig


def learning_rate(progress: float, config: OptimConfig) -> float:
    """Linear warm-up to the peak, then half a cosine down to ``final_lr`` of it.

    Args:
        progress: the share of the training that is done, 0 to 1. Not a step count, so that a run
            whose number of steps is corrected on the way (see ``saccade.run.pace``) bends its
            schedule instead of breaking it.
        config: peak, warm-up share, final share.
    """
    if progress < config.warmup:
        # Starts one thousandth up, since a step with lr 0 would be wasted.
        return config.lr * max(progress / config.warmup, 1e-3)
    done = (progress - config.warmup) / max(1 - config.warmup, 1e-9)
    cosine = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return config.lr * (config.final_lr + (1 - config.final_lr) * cosine)
