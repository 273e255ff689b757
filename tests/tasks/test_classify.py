"""Classification turns bytes into probabilities, and its loss and figures follow from them."""

import pytest
import torch
from torch import nn

from saccade.backbones.build import build_backbone
from saccade.config.model import CnnConfig
from saccade.config.run import Preprocess
from saccade.data.batch import Batch
from saccade.heads.classify import ClassHead
from saccade.losses.classify import cross_entropy
from saccade.tasks.classify import Classify

MEAN, STD = (0.5, 0.25, 0.1), (0.5, 0.25, 0.2)


@pytest.fixture
def task() -> Classify:
    config = CnnConfig(embed_dim=16, conv_depth=1, patch_size=4)
    head = ClassHead(16, num_classes=3, pool="mean")
    nn.init.normal_(head.classify.weight)
    return Classify(
        backbone=build_backbone(config, in_channels=3),
        head=head,
        class_names=("ant", "bee", "cat"),
        preprocess=Preprocess(height=8, width=8, channels=3, fit="crop", mean=MEAN, std=STD),
        label_smoothing=0.1,
    ).eval()


@pytest.fixture
def batch() -> Batch:
    images = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8)
    return Batch(images=images, targets=torch.tensor([0, 2, 1, 1, 0]), ids=torch.arange(5))


def test_bytes_become_numbers_around_zero_channel_by_channel(task: Classify) -> None:
    images = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)

    normalised = task.normalise(images)

    assert normalised.dtype == torch.float32
    for c in range(3):
        expected = (images[:, c].double() / 255 - MEAN[c]) / STD[c]
        torch.testing.assert_close(normalised[:, c], expected.float())


def test_the_forward_pass_is_normalise_backbone_head(task: Classify, batch: Batch) -> None:
    tokens = task.backbone(task.normalise(batch.images))

    torch.testing.assert_close(task(batch.images).logits, task.head(tokens).logits)
    torch.testing.assert_close(task.tokens(batch.images).x, tokens.x)


def test_the_loss_is_cross_entropy_and_top1_the_share_that_is_right(
    task: Classify, batch: Batch
) -> None:
    losses = task.loss(batch, progress=0.0)

    logits = task(batch.images).logits
    assert batch.labels is not None
    expected = cross_entropy(logits, batch.labels, label_smoothing=0.1)
    right = [int(row.argmax()) == int(y) for row, y in zip(logits, batch.labels, strict=True)]
    assert set(losses) == {"loss", "top1"}
    torch.testing.assert_close(losses["loss"], expected)
    assert losses["top1"].item() == pytest.approx(sum(right) / 5)
    assert losses["loss"].requires_grad
    assert not losses["top1"].requires_grad


def test_predictions_are_probabilities_without_gradient(task: Classify, batch: Batch) -> None:
    probs = task.predict(batch)

    assert probs.shape == (5, 3)
    assert probs.dtype == torch.float32
    assert not probs.requires_grad
    assert probs.min() >= 0
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(5))
    torch.testing.assert_close(probs, task(batch.images).logits.detach().softmax(dim=1))


def test_predictions_sum_to_one_under_autocast_too(task: Classify, batch: Batch) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        probs = task.predict(batch)

    assert probs.dtype == torch.float32
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(5))


def test_pictures_without_labels_can_be_predicted_but_not_learned(
    task: Classify, batch: Batch
) -> None:
    unlabelled = Batch(images=batch.images, targets=None, ids=batch.ids)

    assert torch.equal(task.predict(unlabelled), task.predict(batch))
    with pytest.raises(AssertionError):
        task.loss(unlabelled, progress=0.0)


def test_the_figures_are_those_of_the_predictions_batch_by_batch(
    task: Classify, batch: Batch
) -> None:
    assert batch.labels is not None
    measure = task.metrics()
    for part in (slice(0, 2), slice(2, 5)):
        measure.update(
            Batch(images=batch.images[part], targets=batch.labels[part], ids=batch.ids[part])
        )

    probs = task.predict(batch)
    log_loss = -probs.gather(1, batch.labels[:, None]).log().mean()
    figures = measure.figures()
    assert figures["top1"] == pytest.approx(
        (probs.argmax(dim=1) == batch.labels).float().mean().item()
    )
    assert figures["log_loss"] == pytest.approx(log_loss.item(), rel=1e-4)
    assert figures[task.best_figure] == figures["log_loss"]
    assert task.best_is_low


def test_two_collectors_do_not_share_what_they_saw(task: Classify, batch: Batch) -> None:
    first, second = task.metrics(), task.metrics()
    first.update(batch)
    one = Batch(images=batch.images[:1], targets=torch.tensor([0]), ids=batch.ids[:1])
    for _ in range(3):
        second.update(one)

    assert first.figures()["top1"] == pytest.approx(task.loss(batch, progress=0.0)["top1"].item())
    assert second.figures()["top1"] in (0.0, 1.0)


def test_mean_and_deviation_are_no_weights(task: Classify) -> None:
    """They belong to the preprocessing in config.json; a copy in the weights could disagree."""
    numbers = {"scale.mean", "scale.std"}
    assert numbers & set(task.state_dict()) == set()
    assert numbers <= {name for name, _ in task.named_buffers()}
