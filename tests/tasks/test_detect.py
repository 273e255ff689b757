"""Detection turns bytes into boxes in the input's pixels; its loss and figures follow from them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from saccade.backbones.build import build_backbone
from saccade.config.model import CnnConfig
from saccade.config.run import Preprocess
from saccade.config.task import DetectConfig
from saccade.data.batch import Batch
from saccade.data.targets import PADDING, BoxTargets
from saccade.heads.detect import DetectHead, stand_out
from saccade.losses.boxes import to_xyxy
from saccade.losses.detect import Objects, match, repeat
from saccade.metrics.average_precision import AveragePrecision, Found, Truth
from saccade.tasks import detect as detect_module
from saccade.tasks.detect import Detect

PREPROCESS = Preprocess(
    height=16, width=24, channels=3, fit="squash", mean=(0.5, 0.25, 0.1), std=(0.5, 0.25, 0.2)
)


def make_task(config: DetectConfig, *, num_classes: int = 3) -> Detect:
    shape = CnnConfig(embed_dim=16, conv_depth=1, patch_size=4)
    head = DetectHead(16, num_classes=num_classes, object_width=0.3, object_height=0.3)
    torch.nn.init.normal_(head.classify.weight)
    last = head.locate[-1]
    assert isinstance(last, torch.nn.Linear)
    torch.nn.init.normal_(last.weight, std=0.2)
    return Detect(
        backbone=build_backbone(shape, in_channels=3),
        head=head,
        class_names=("ant", "bee", "cat")[:num_classes],
        preprocess=PREPROCESS,
        config=config,
    ).eval()


@pytest.fixture
def task() -> Detect:
    return make_task(DetectConfig(repeats=2, one_to_one_from=0.5, max_detections=10))


@pytest.fixture
def batch() -> Batch:
    """Two pictures with two objects and one."""
    boxes = torch.tensor([[[2.0, 2, 10, 9], [12, 4, 22, 15]], [[4, 4, 20, 12], [0, 0, 0, 0]]])
    return Batch(
        images=torch.randint(0, 256, (2, 3, 16, 24), dtype=torch.uint8),
        targets=BoxTargets(
            boxes_xyxy=boxes,
            labels=torch.tensor([[0, 2], [1, PADDING]]),
            is_crowd=torch.zeros(2, 2, dtype=torch.bool),
        ),
        ids=torch.arange(2),
    )


def test_predictions_are_the_best_of_all_proposals_in_pixels_of_the_input(
    task: Detect, batch: Batch
) -> None:
    found = task.predict(batch)

    of = task(batch.images)
    logits = stand_out(of.logits, of.grid)
    for b in range(2):
        corners = to_xyxy(of.boxes_cxcywh[b].detach()) * torch.tensor([24.0, 16, 24, 16])
        every = [
            (logits[b, n, k].sigmoid().item(), k, corners[n].tolist())
            for n in range(24)
            for k in range(3)
        ]
        every.sort(key=lambda proposal: -proposal[0])
        for q, (score, label, (left, top, right, bottom)) in enumerate(every[:10]):
            assert found.scores[b, q].item() == pytest.approx(score)
            assert found.labels[b, q] == label
            expected = [max(left, 0), max(top, 0), min(right, 24), min(bottom, 16)]
            assert found.boxes_xyxy[b, q].tolist() == pytest.approx(expected, abs=1e-4)


def test_boxes_are_in_pixels_of_a_picture_whose_sides_are_no_multiples_of_the_patch(
    task: Detect,
) -> None:
    """18 x 21 pixels are padded to 20 x 24, and boxes are shares of those."""
    images = torch.randint(0, 256, (1, 3, 18, 21), dtype=torch.uint8)

    found = task.predict(Batch(images=images, targets=None, ids=torch.arange(1)))

    of = task(images)
    best = int(of.logits.flatten().argmax()) // 3
    corners = to_xyxy(of.boxes_cxcywh[0, best].detach()) * torch.tensor([24.0, 20, 24, 20])
    limits = torch.tensor([21.0, 18, 21, 18])
    torch.testing.assert_close(found.boxes_xyxy[0, 0], corners.clamp(min=0).minimum(limits))
    assert found.boxes_xyxy[..., [0, 2]].max() <= 21
    assert found.boxes_xyxy[..., [1, 3]].max() <= 18


def test_a_picture_is_found_in_alone_what_is_found_in_it_among_others(
    task: Detect, batch: Batch
) -> None:
    together = task.predict(batch)

    for b in range(2):
        alone = task.predict(
            Batch(images=batch.images[b : b + 1], targets=None, ids=torch.arange(1))
        )
        torch.testing.assert_close(alone.boxes_xyxy[0], together.boxes_xyxy[b])
        torch.testing.assert_close(alone.scores[0], together.scores[b])
        assert torch.equal(alone.labels[0], together.labels[b])


def test_fewer_proposals_than_asked_for_are_all_there_are() -> None:
    task = make_task(DetectConfig(max_detections=1000))
    images = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)

    found = task.predict(Batch(images=images, targets=None, ids=torch.arange(1)))

    assert found.scores.shape == (1, 4 * 3)


def asked_of_match(
    task: Detect, batch: Batch, monkeypatch: pytest.MonkeyPatch, *, progress: float
) -> Objects:
    seen: list[Objects] = []

    def spy(*arguments: object) -> torch.Tensor:
        seen.append(arguments[3])  # type: ignore[arg-type]
        return match(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(detect_module, "match", spy)
    task.loss(batch, progress=progress)
    return seen[0]


def test_objects_are_learned_by_several_tokens_early_and_by_one_late(
    task: Detect, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = asked_of_match(task, batch, monkeypatch, progress=0.5)
    monkeypatch.undo()
    early = asked_of_match(task, batch, monkeypatch, progress=0.49)

    assert late.labels.tolist() == [[0, 2], [1, PADDING]]
    assert early.labels.tolist() == [[0, 0, 2, 2], [1, 1, PADDING, PADDING]]
    shares = torch.tensor([2 / 24, 2 / 16, 10 / 24, 9 / 16])
    torch.testing.assert_close(late.boxes_xyxy[0, 0], shares)
    torch.testing.assert_close(repeat(late, 2).boxes_xyxy, early.boxes_xyxy)


def test_the_loss_is_the_sum_of_its_parts_and_has_a_gradient(task: Detect, batch: Batch) -> None:
    losses = task.loss(batch, progress=0.9)

    assert set(losses) == {"loss", "class_loss", "l1_loss", "giou_loss"}
    parts = losses["class_loss"] + losses["l1_loss"] + losses["giou_loss"]
    torch.testing.assert_close(losses["loss"].detach(), parts)
    assert losses["loss"].requires_grad
    assert not parts.requires_grad


def test_pictures_without_objects_are_learned_as_such(task: Detect, batch: Batch) -> None:
    nothing = BoxTargets(
        boxes_xyxy=torch.zeros(2, 0, 4),
        labels=torch.zeros(2, 0, dtype=torch.long),
        is_crowd=torch.zeros(2, 0, dtype=torch.bool),
    )

    losses = task.train().loss(replace(batch, targets=nothing), progress=0.0)
    losses["loss"].backward()

    assert losses["loss"] > 0
    assert losses["l1_loss"] == losses["giou_loss"] == 0
    assert all(parameter.grad is not None for parameter in task.parameters())
    sinking = task.head.classify.bias.grad
    assert sinking is not None
    assert (sinking > 0).all()  # every score is to sink


def test_a_crowd_teaches_neither_its_box_nor_that_nothing_is_there(
    task: Detect, batch: Batch
) -> None:
    """A crowd over the whole picture leaves nothing to learn."""
    everywhere = BoxTargets(
        boxes_xyxy=torch.tensor([[[0.0, 0, 24, 16]]] * 2),
        labels=torch.zeros(2, 1, dtype=torch.long),
        is_crowd=torch.ones(2, 1, dtype=torch.bool),
    )

    assert task.loss(replace(batch, targets=everywhere), progress=0.0)["loss"] == 0


def test_the_figures_are_those_of_the_predictions_in_the_pictures_own_pixels(
    task: Detect, batch: Batch
) -> None:
    """The second picture was 48 x 32 pixels, so that its boxes are twice as large."""
    sizes = torch.tensor([[16, 24], [32, 48]])
    measure, expected = task.metrics(), AveragePrecision(task.class_names)

    measure.update(replace(batch, sizes=sizes))

    found, targets = task.predict(batch), batch.targets
    assert isinstance(targets, BoxTargets)
    for b, (scale, count) in enumerate([(1, 2), (2, 1)]):
        expected.update(
            Found(
                regions=found.boxes_xyxy[b].double().numpy() * scale,
                labels=found.labels[b].numpy(),
                scores=found.scores[b].double().numpy(),
            ),
            Truth(
                regions=targets.boxes_xyxy[b, :count].double().numpy() * scale,
                labels=targets.labels[b, :count].numpy(),
                is_crowd=np.zeros(count, dtype=bool),
            ),
        )
    assert measure.figures() == pytest.approx(expected.figures())
    assert measure.figures()[task.best_figure] == measure.figures()["ap50"]
    assert not task.best_is_low
    assert measure.result().n == 2


def test_the_score_of_a_class_is_its_highest_logit(task: Detect, batch: Batch) -> None:
    tokens = task.tokens(batch.images)

    found = task.score(tokens, torch.tensor([2, 0]))

    logits = task.head(tokens).logits
    torch.testing.assert_close(found, torch.stack([logits[0, :, 2].max(), logits[1, :, 0].max()]))
