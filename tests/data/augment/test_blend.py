"""Blending is its formulas, one pixel at a time, and never reaches beyond a neighbour."""

import pytest
import torch

from saccade.config.run import AugmentConfig
from saccade.data.augment.blend import blend, interval
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.data.targets import BlendedLabels
from saccade.losses.classify import cross_entropy

HEIGHT, WIDTH = 9, 14


def config(*, mixup: float = 0.0, cutmix: float = 0.0) -> AugmentConfig:
    return AugmentConfig(
        flip=0.0, translate=0.0, zoom=0.0, rotate_degrees=0.0, shear=0.0, colour=0.0, erase=0.0,
        mixup=mixup, cutmix=cutmix,
    )  # fmt: skip


def planes_of(count: int, channels: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, HEIGHT, WIDTH, generator=generator) * 255


def plain(
    planes: torch.Tensor, draws: torch.Tensor, strengths: AugmentConfig
) -> tuple[torch.Tensor, list[float]]:
    """One pixel at a time."""
    out, shares = planes.clone(), []
    for i in range(len(planes)):
        j = i + 1 if i % 2 == 0 else i - 1
        if j >= len(planes):
            j = i
        way, share, at_x, at_y = draws[i].tolist()
        if way < strengths.mixup:
            out[i] = share * planes[i] + (1 - share) * planes[j]
        elif way < strengths.mixup + strengths.cutmix:
            tall, wide = round((1 - share) ** 0.5 * HEIGHT), round((1 - share) ** 0.5 * WIDTH)
            top, left = int(at_y * (HEIGHT - tall + 1)), int(at_x * (WIDTH - wide + 1))
            for y in range(top, top + tall):
                for x in range(left, left + wide):
                    out[i, :, y, x] = planes[j, :, y, x]
            share = 1 - tall * wide / (HEIGHT * WIDTH)
        else:
            share = 1.0
        shares.append(share)
    return out, shares


@pytest.mark.parametrize(("mixup", "cutmix"), [(1.0, 0.0), (0.0, 1.0), (0.4, 0.3), (0.0, 0.0)])
@pytest.mark.parametrize("count", [1, 2, 7, 16])
def test_pictures_and_shares_are_the_plain_ones(mixup: float, cutmix: float, count: int) -> None:
    planes, labels = planes_of(count), torch.arange(count)
    draws = torch.rand(count, 4, generator=torch.Generator().manual_seed(2)).double()
    strengths = config(mixup=mixup, cutmix=cutmix)

    found, targets = blend(planes, labels, draws, strengths)

    wanted, shares = plain(planes, draws, strengths)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)
    assert targets.share.tolist() == pytest.approx(shares, abs=1e-6)
    neighbours = [i ^ 1 if (i ^ 1) < count else i for i in range(count)]
    assert targets.others.tolist() == neighbours
    assert torch.equal(targets.labels, labels)


def test_even_shares_of_a_batch_are_what_they_are_in_the_whole() -> None:
    """So that several processes together do what one does."""
    batch = Batch(
        images=planes_of(12).to(torch.uint8),
        targets=torch.arange(12),
        ids=torch.arange(12) + 70,
    )
    strengths = config(mixup=0.5, cutmix=0.5)

    whole = augment(batch, strengths, seed=3, epoch=1)
    halves = [augment(part, strengths, seed=3, epoch=1) for part in batch.parts(6)]

    assert torch.equal(whole.images, torch.cat([half.images for half in halves]))
    assert isinstance(whole.targets, BlendedLabels)
    assert torch.equal(whole.labels, torch.cat([half.labels for half in halves]))
    assert not torch.equal(whole.images, batch.images)


def test_all_frames_of_a_clip_are_blended_alike() -> None:
    still = planes_of(4).to(torch.uint8)
    clips = Batch(
        images=still[:, None].expand(-1, 5, -1, -1, -1).contiguous(),
        targets=torch.arange(4),
        ids=torch.arange(4),
    )
    alone = Batch(images=still, targets=torch.arange(4), ids=torch.arange(4))
    strengths = config(mixup=0.5, cutmix=0.5)

    found = augment(clips, strengths, seed=0, epoch=0)

    expected = augment(alone, strengths, seed=0, epoch=0).images
    assert not torch.equal(expected, still)
    for frame in range(5):
        assert torch.equal(found.images[:, frame], expected)


def test_the_loss_of_a_blend_is_that_of_both_classes_in_their_shares() -> None:
    logits = torch.randn(3, 5)
    labels, others = torch.tensor([0, 1, 2]), torch.tensor([4, 1, 0])
    share = torch.tensor([0.25, 0.5, 1.0])
    blended = BlendedLabels(labels=labels, others=others, share=share)

    found = cross_entropy(logits, blended, label_smoothing=0.1)

    one = [
        cross_entropy(logits[i : i + 1], labels[i : i + 1], label_smoothing=0.1) for i in range(3)
    ]
    two = [
        cross_entropy(logits[i : i + 1], others[i : i + 1], label_smoothing=0.1) for i in range(3)
    ]
    wanted = sum(s * a + (1 - s) * b for s, a, b in zip(share, one, two, strict=True)) / 3
    torch.testing.assert_close(found, wanted)


def test_a_blend_is_spelt_with_both_classes_and_its_larger_one_is_its_label() -> None:
    targets = BlendedLabels(
        labels=torch.tensor([0, 0, 1]),
        others=torch.tensor([1, 1, 1]),
        share=torch.tensor([0.25, 1.0, 0.5]),
    )
    images = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    batch = Batch(images=images, targets=targets, ids=torch.arange(3))

    assert batch.spelt(("cat", "dog")) == ["cat 25%, dog 75%", "cat", "dog"]
    assert batch.labels.tolist() == [1, 0, 1]
    assert [len(part.labels) for part in batch.parts(2)] == [2, 1]


def test_an_interval_reaches_from_the_first_place_to_the_last() -> None:
    length = torch.tensor([0.0, 2.0, 2.0, 5.0]).double()
    place = torch.tensor([0.3, 0.0, 0.999, 0.7]).double()

    found = interval(length, place, size=5)

    assert found.long().tolist() == [
        [0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 0, 1, 1],
        [1, 1, 1, 1, 1],
    ]
