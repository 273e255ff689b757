"""A teacher says what it thinks of the very pictures a student learns from, and never changes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from saccade.config.run import Preprocess
from saccade.config.task import TeachConfig
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.data.targets import ToldFeatures, ToldLogits
from saccade.run.learner import Learner
from saccade.run.teacher import Teacher, as_seen_by, width_of
from saccade.tasks.classify import Classify
from tests import tiny

CPU = torch.device("cpu")
LOGITS = TeachConfig(method="logits")


def knowing() -> Classify:
    """A classifier of apple, leaf and sky, whose head says something."""
    task = tiny.task(tiny.config("vit-pico4"))
    nn.init.normal_(task.head.classify.weight)
    return task.eval()


def teacher(task: Classify, config: TeachConfig = LOGITS, **options: Any) -> Teacher:
    given: dict[str, Any] = {
        "preprocess": tiny.preprocess(),
        "precision": "fp32",
        "device": CPU,
        "class_names": () if config.method == "features" else tiny.CLASSES,
    }
    return Teacher(task, config=config, **(given | options))


def batch(count: int = 8, *, channels: int = 3, side: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, side, side)
    return Batch(
        images=torch.randint(256, shape, dtype=torch.uint8, generator=generator),
        targets=torch.arange(count) % 3,
        ids=torch.arange(count),
    )


def size(preprocess: Preprocess, **changes: Any) -> Preprocess:
    channels = changes.get("channels", preprocess.channels)
    return replace(preprocess, mean=(0.5,) * channels, std=(0.25,) * channels, **changes)


def test_it_says_its_logits_in_the_order_of_the_students_classes() -> None:
    task, pictures = knowing(), batch()

    told = teacher(task, class_names=("sky", "apple")).tell(pictures).told

    assert isinstance(told, ToldLogits)
    with torch.no_grad():
        logits = task(pictures.images).logits
    torch.testing.assert_close(told.logits, logits[:, [2, 0]])


@pytest.mark.parametrize("of", ["patches", "picture"])
def test_it_says_what_it_sees_at_unit_length(of: Any) -> None:
    task, pictures = knowing(), batch()
    config = TeachConfig(method="features", of=of)

    told = teacher(task, config).tell(pictures).told

    assert isinstance(told, ToldFeatures)
    with torch.no_grad():
        patches = task.tokens(pictures.images).patches
    expected = patches.unflatten(1, (4, 4)) if of == "patches" else patches.mean(1)[:, None, None]
    torch.testing.assert_close(told.vectors, nn.functional.normalize(expected, dim=3))
    assert told.vectors.shape[3] == width_of(task, config)


def test_what_it_says_can_be_learned_from_and_teaches_nothing_to_itself() -> None:
    told = teacher(knowing()).tell(batch()).told

    assert isinstance(told, ToldLogits)
    assert not told.logits.requires_grad
    assert not told.logits.is_inference()  # such a tensor cannot take part in a loss
    (torch.zeros(8, 3, requires_grad=True) * told.logits).sum().backward()


def test_it_is_put_into_evaluation_mode_for_good() -> None:
    task = knowing().train()

    teacher(task)

    assert not task.training
    assert not any(parameter.requires_grad for parameter in task.parameters())


class Listener(Teacher):
    """Remembers what it was shown."""

    shown: torch.Tensor | None = None

    def tell(self, batch: Batch) -> Batch:
        parts = [] if self.shown is None else [self.shown]
        self.shown = torch.cat([*parts, batch.images])
        return super().tell(batch)


@pytest.mark.parametrize("micro_batch", [0, 3])
def test_it_is_shown_the_augmented_pictures_of_each_step_and_never_learns(micro_batch: int) -> None:
    task, pictures = knowing(), batch()
    before = {name: value.clone() for name, value in task.state_dict().items()}
    config = replace(tiny.config("cnn-pico4", augment__cutmix="0.5"), teach=LOGITS)
    ear = Listener(
        task,
        preprocess=tiny.preprocess(),
        precision="fp32",
        device=CPU,
        config=LOGITS,
        class_names=tiny.CLASSES,
    )
    learner = Learner(tiny.task(config), config=config, device=CPU, teacher=ear)

    learner.step(pictures, epoch=3, step=0, planned_steps=10, progress=0.0, micro_batch=micro_batch)

    seen = augment(pictures, config.augment, seed=config.seed, epoch=3).images
    assert ear.shown is not None
    assert torch.equal(ear.shown, seen)
    assert not torch.equal(seen, pictures.images)
    assert all(torch.equal(value, before[name]) for name, value in task.state_dict().items())


def test_it_is_in_no_checkpoint_and_in_no_average() -> None:
    config = tiny.config("cnn-pico4")
    alone = Learner(tiny.task(config), config=config, device=CPU)
    taught = replace(config, teach=LOGITS)
    learner = Learner(tiny.task(taught), config=taught, device=CPU, teacher=teacher(knowing()))

    assert learner.tensors().keys() == alone.tensors().keys()


def test_pictures_of_its_own_size_and_colours_are_untouched() -> None:
    images = batch().images

    assert as_seen_by(images, tiny.preprocess()) is images


@pytest.mark.parametrize("side", [9, 24])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_other_sizes_are_resampled_as_pillow_does(side: int, interpolation: Any) -> None:
    smooth = torch.nn.functional.interpolate(batch().images.float(), scale_factor=0.5)
    images = torch.nn.functional.interpolate(smooth, scale_factor=2.0, mode="bilinear").byte()
    wanted = size(tiny.preprocess(), height=side, width=side + 2, interpolation=interpolation)

    found = as_seen_by(images, wanted)

    kind = Image.Resampling[interpolation.upper()]
    for image, mine in zip(images, found, strict=True):
        picture = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((side + 2, side), kind)
        theirs = np.asarray(picture).transpose(2, 0, 1).astype(int)
        assert np.abs(mine.numpy().astype(int) - theirs).max() <= 1


def test_colours_become_grey_as_pillow_does_and_grey_becomes_three_channels() -> None:
    images = batch().images

    grey = as_seen_by(images, size(tiny.preprocess(), channels=1))

    for image, mine in zip(images, grey, strict=True):
        theirs = np.asarray(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))
        assert np.abs(mine[0].numpy().astype(int) - theirs.astype(int)).max() <= 1
    again = as_seen_by(grey, tiny.preprocess())
    assert torch.equal(again, grey.expand(-1, 3, -1, -1))
