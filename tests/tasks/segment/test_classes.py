"""Semantic segmentation learns from class maps, and from objects by way of them."""

import pytest
import torch

from saccade.config.task import SegmentConfig, SegmentMethod, SegmentTruth
from saccade.data.batch import Batch
from saccade.data.targets import MapTargets
from saccade.losses.segment import pixel_cross_entropy, soft_dice
from saccade.tasks.segment.build import build_segmenter
from saccade.tasks.segment.classes import Segment, pixel_names
from tests.contract.worlds import segment
from tests.contract.worlds.world import SIDE, VIT, tiny_preprocess

NAMES = ("background", "red", "green", "blue")


def task(*, method: SegmentMethod = "upsample", truth: SegmentTruth = "classes") -> Segment:
    config = SegmentConfig(method=method, truth=truth)
    made = build_segmenter(
        VIT,
        config,
        class_names=NAMES if truth == "classes" else NAMES[1:],
        preprocess=tiny_preprocess(),
        seed=0,
        label_smoothing=0.1,
    )
    assert isinstance(made, Segment)
    for module in made.head.modules():  # away from the zeros that every head starts with
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight, std=0.1)
    return made.eval()


@pytest.mark.parametrize(("progress", "balance"), [(0.0, 0.5), (0.6, 0.2), (1.0, 0.0)])
def test_the_loss_is_that_of_the_pixels_and_a_share_of_that_of_the_tokens(
    progress: float, balance: float
) -> None:
    """Rare classes count more at first, and at the end as much as they are there."""
    made, batch = task(), segment.class_maps(SIDE, SIDE)
    assert isinstance(batch.targets, MapTargets)

    losses = made.loss(batch, progress=progress)

    found, classes = made(batch.images), batch.targets.classes
    fine, coarse = (
        pixel_cross_entropy(logits, classes, balance=balance, label_smoothing=0.1)
        + soft_dice(logits, classes)
        for logits in (found.logits, found.coarse)
    )
    torch.testing.assert_close(losses["loss"], fine + 0.4 * coarse)
    known = classes != 255
    right = (found.logits.argmax(dim=1) == classes)[known].float().mean()
    torch.testing.assert_close(losses["pixel_accuracy"], right)


def test_the_linear_head_is_taught_once() -> None:
    made, batch = task(method="linear"), segment.class_maps(SIDE, SIDE)

    losses = made.loss(batch, progress=0.0)

    torch.testing.assert_close(losses["loss"], losses["cross_entropy"] + losses["dice_loss"])


def test_with_objects_the_background_is_a_class_of_its_own() -> None:
    made, batch = task(truth="segments"), segment.segments(SIDE, SIDE)

    assert made.pixel_names == NAMES
    assert made.class_names == NAMES[1:]
    assert made(batch.images).logits.shape[1] == 4
    maps = segment.class_maps(SIDE, SIDE).targets
    assert isinstance(maps, MapTargets)
    assert torch.equal(made.truth(batch)[:, 1:], maps.classes[:, 1:])  # its row 0 is unknown
    assert pixel_names(NAMES, SegmentConfig()) == NAMES


def test_predictions_are_probabilities_of_each_pixel() -> None:
    made, batch = task(), segment.class_maps(SIDE, SIDE + 3)

    found = made.predict(batch)

    assert found.probs.shape == (8, 4, SIDE, SIDE + 3)
    torch.testing.assert_close(found.probs.sum(dim=1), torch.ones(8, SIDE, SIDE + 3))
    assert torch.equal(found.classes, made(batch.images).logits.argmax(dim=1).to(torch.uint8))


def test_the_score_of_a_class_is_its_mean_logit_over_the_patches() -> None:
    for truth, offset in (("classes", 0), ("segments", 1)):
        made = task(truth=truth)
        images = segment.class_maps(SIDE, SIDE).images
        tokens = made.tokens(images)

        scores = made.score(tokens, torch.arange(8) % 3)

        logits = made.head.on_tokens(tokens).mean(dim=(2, 3))
        expected = torch.stack([logits[b, b % 3 + offset] for b in range(8)])
        torch.testing.assert_close(scores, expected)


def test_the_figures_are_those_of_the_predictions() -> None:
    made, batch = task(), segment.class_maps(SIDE, SIDE)
    measure = made.metrics()
    for part in (slice(0, 3), slice(3, 8)):
        assert isinstance(batch.targets, MapTargets)
        measure.update(
            Batch(
                images=batch.images[part],
                targets=MapTargets(classes=batch.targets.classes[part]),
                ids=batch.ids[part],
            )
        )

    classes = made.truth(batch)
    known = classes != 255
    right = (made.predict(batch).classes == classes)[known].float().mean()
    assert measure.figures()["pixel_accuracy"] == pytest.approx(right.item())
    assert set(measure.figures()) == {"miou", "dice", "pixel_accuracy"}
