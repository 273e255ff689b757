"""Masks are learned at every block, look at themselves at first, and end as plain blocks."""

from dataclasses import replace

import pytest
import torch

from saccade.config.task import SegmentConfig
from saccade.data.targets import SegmentTargets
from saccade.losses.masks import mask_losses
from saccade.losses.segment import pixel_cross_entropy, soft_dice
from saccade.tasks.segment.build import build_segmenter
from saccade.tasks.segment.class_maps import class_maps
from saccade.tasks.segment.masks import Masks
from saccade.tasks.segment.objects import SegmentMasks, mask_shares
from tests.contract.worlds import segment
from tests.contract.worlds.world import SIDE, VIT, tiny_preprocess

NAMES = ("red", "green", "blue")
CONFIG = SegmentConfig(method="eomt", truth="segments", num_queries=5, num_query_blocks=2)


def task(config: SegmentConfig = CONFIG) -> SegmentMasks:
    made = build_segmenter(
        VIT,
        config,
        class_names=NAMES,
        preprocess=tiny_preprocess(),
        seed=0,
        label_smoothing=0.0,
    )
    assert isinstance(made, SegmentMasks)
    return made.eval()


def test_the_shares_fall_from_one_to_zero_block_by_block() -> None:
    at = {progress: mask_shares(progress, num_blocks=2) for progress in (0.0, 0.25, 0.5, 0.75, 1.0)}

    assert at[0.0] == at[0.25] == [1.0, 1.0]
    assert at[0.5] == [0.0, 1.0]
    assert at[0.75] == at[1.0] == [0.0, 0.0]
    assert mask_shares(0.375, num_blocks=2) == [pytest.approx(0.5**0.9), 1.0]


def test_at_the_end_of_training_the_last_answer_is_that_of_plain_blocks() -> None:
    made, batch = task(), segment.segments(SIDE, SIDE)
    assert isinstance(batch.targets, SegmentTargets)

    losses = made.loss(batch, progress=0.99)

    found = made(batch.images)
    plain = mask_losses(
        found.class_logits, found.mask_logits, batch.targets, cell_size=found.cell_size
    )
    torch.testing.assert_close(losses["class_loss"], plain.classes.detach())
    torch.testing.assert_close(losses["mask_loss"], plain.bce.detach())
    torch.testing.assert_close(losses["dice_loss"], plain.dice.detach())


def test_at_first_attention_is_masked_and_that_can_be_switched_off() -> None:
    batch = segment.segments(SIDE, SIDE)

    masked = task().loss(batch, progress=0.0)
    plain = task(replace(CONFIG, has_mask_attention=False)).loss(batch, progress=0.0)

    end = task().loss(batch, progress=0.99)
    assert masked["dice_loss"] != plain["dice_loss"]
    torch.testing.assert_close(plain["loss"], end["loss"])


def test_every_block_of_the_queries_is_taught_and_the_loss_is_the_mean() -> None:
    made, batch = task(), segment.segments(SIDE, SIDE)
    assert isinstance(batch.targets, SegmentTargets)
    queries, images = made.with_queries(), made.normalise(batch.images)
    tokens, totals = queries.begin(images), []
    for block in (None, *queries.blocks):
        tokens = tokens if block is None else block(tokens)
        found = made.head(queries.readout(tokens), images)
        parts = mask_losses(
            found.class_logits, found.mask_logits, batch.targets, cell_size=found.cell_size
        )
        totals.append(parts.classes + parts.bce + parts.dice)

    losses = made.loss(batch, progress=0.99)
    of_queries = losses["loss"] - losses["patch_loss"]
    torch.testing.assert_close(of_queries, torch.stack(totals).mean())


def test_blocks_that_are_computed_twice_learn_the_same() -> None:
    batch, gradients = segment.segments(SIDE, SIDE), []
    for recompute in (False, True):
        made = task().train()
        made.backbone.blocks.recompute = recompute
        torch.manual_seed(0)  # decides whose attention is masked
        made.loss(batch, progress=0.3)["loss"].backward()
        gradients.append([parameter.grad for parameter in made.parameters()])

    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_the_patches_are_taught_the_classes_of_pixels_beside() -> None:
    made, batch = task(), segment.segments(SIDE, SIDE)
    assert isinstance(batch.targets, SegmentTargets)
    torch.nn.init.normal_(made.head.patches.classify.weight)

    losses = made.loss(batch, progress=0.99)

    images = made.normalise(batch.images)
    logits = made.head.on_patches(made.with_queries()(images), images).logits
    classes = class_maps(batch.targets, has_background=True)
    expected = pixel_cross_entropy(logits, classes, balance=0.5, label_smoothing=0.0)
    torch.testing.assert_close(losses["patch_loss"], (expected + soft_dice(logits, classes)))
    without = task(replace(CONFIG, patch_weight=0.0))
    without.load_state_dict(made.state_dict())
    alone = without.eval().loss(batch, progress=0.99)["loss"]
    torch.testing.assert_close(losses["loss"], alone + losses["patch_loss"])


def test_predictions_come_from_the_highest_score_down() -> None:
    made, batch = task(), segment.segments(SIDE, SIDE + 3)

    found = made.predict(batch)

    logits = made(batch.images)
    assert found.scores.shape == found.labels.shape == (8, 5)
    assert (found.scores.diff(dim=1) <= 0).all()
    assert found.probs(0).shape == (5, SIDE, SIDE + 3)
    for b in range(8):
        for q in range(5):
            place = int((logits.mask_logits[b] == found.mask_logits[b, q]).all(2).all(1).nonzero())
            probs = logits.class_logits[b, place].softmax(dim=0)[:3]
            inside = logits.mask_logits[b, place].sigmoid()
            quality = inside[inside > 0.5].mean() if (inside > 0.5).any() else torch.tensor(0.0)
            assert found.labels[b, q] == probs.argmax()
            torch.testing.assert_close(found.scores[b, q], probs.max() * quality)


def test_figures_are_perfect_when_the_masks_are(monkeypatch: pytest.MonkeyPatch) -> None:
    made, batch = task(), segment.segments(SIDE, SIDE)
    assert isinstance(batch.targets, SegmentTargets)
    perfect = Masks(
        scores=torch.tensor([[0.9, 0.1]]).repeat(8, 1),
        labels=batch.targets.labels.repeat(1, 2),
        mask_logits=torch.stack([batch.targets.segments.float() * 20 - 10] * 2, dim=1),
        cell_size=1,
        height=SIDE,
        width=SIDE,
    )
    monkeypatch.setattr(SegmentMasks, "predict", lambda *_: perfect)

    measure = made.metrics()
    measure.update(batch)

    figures = measure.figures()
    assert figures["ap50"] == pytest.approx(1.0)
    assert figures["pq"] == pytest.approx(1.0)


def test_explanations_ask_the_surest_query_of_a_class() -> None:
    made, images = task(), segment.segments(SIDE, SIDE).images
    explained = made.explained()

    tokens = explained.backbone(explained.normalise(images))
    scores = explained.score(tokens, torch.arange(8) % 3)

    logits = made(images).class_logits
    expected = torch.stack([logits[b, :, b % 3].max() for b in range(8)])
    torch.testing.assert_close(scores, expected)
    assert explained.reads == "class"
