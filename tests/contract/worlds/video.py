"""Eight clips of a square that goes to the right or to the left."""

from dataclasses import replace

import torch

from saccade.config.task import VideoConfig
from saccade.data.batch import Batch
from tests.contract.worlds.world import VIT, World, noise, tiny_config, tiny_preprocess

NUM_FRAMES = 4


def world() -> World:
    """The direction is the class: the frames of both are the same, in the opposite order."""
    model = replace(VIT, tubelet_size=2, position_grid=(2, 4, 4))
    return World(
        config=tiny_config(VideoConfig(num_frames=NUM_FRAMES), model=model),
        class_names=("right", "left"),
        preprocess=tiny_preprocess(num_frames=NUM_FRAMES),
        examples=examples,
        needs_fall=0.9,  # the model of single frames cannot learn it, and half of the loss is its
    )


def examples(height: int, width: int) -> Batch:
    """A square of 6 x 6 pixels that goes one step a frame, on a dark noisy ground."""
    clips = noise(8, NUM_FRAMES, 3, height, width) // 4
    labels = torch.arange(8) % 2
    for k, label in enumerate(labels.tolist()):
        for t in range(NUM_FRAMES):
            step = NUM_FRAMES - 1 - t if label else t
            left, top = step * (width - 6) // (NUM_FRAMES - 1), k * (height - 6) // 7
            clips[k, t, :, top : top + 6, left : left + 6] = 255
    return Batch(images=clips, targets=labels, ids=torch.arange(8))
