"""A task on clips: its loss and figures, its frames, and the model of single ones beside it."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.config.task import VideoConfig
from saccade.data.batch import Batch
from saccade.losses.classify import cross_entropy
from saccade.tasks.build import build_video
from saccade.tasks.task import Explained
from saccade.tasks.video import Video

MEAN, STD = (0.5, 0.25, 0.1), (0.5, 0.25, 0.2)
MODEL = VitConfig(
    embed_dim=24,
    depth=1,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="sincos",
    residual="prenorm",
    num_registers=0,
    has_class_token=False,
    drop_path=0.0,
    tubelet_size=2,
)


def build(config: VideoConfig, *, model: VitConfig = MODEL) -> Video:
    preprocess = Preprocess(
        height=8,
        width=8,
        channels=3,
        fit="squash",
        mean=MEAN,
        std=STD,
        num_frames=config.num_frames * config.spares,
    )
    task = build_video(
        model,
        config,
        class_names=("ant", "bee", "cat"),
        preprocess=preprocess,
        seed=0,
        label_smoothing=0.1,
    )
    nn.init.normal_(task.head.classify.weight)
    if task.frame_model is not None:
        nn.init.normal_(task.frame_model.head.classify.weight)
    return task.eval()


def clips_of(num_frames: int) -> Batch:
    images = torch.randint(0, 256, (5, num_frames, 3, 8, 8), dtype=torch.uint8)
    return Batch(images=images, targets=torch.tensor([0, 2, 1, 1, 0]), ids=torch.arange(5))


def test_bytes_become_numbers_around_zero_in_every_frame():
    task, batch = build(VideoConfig(num_frames=4)), clips_of(4)
    normalised = task.normalise(batch.images)
    for c in range(3):
        expected = (batch.images[:, :, c].double() / 255 - MEAN[c]) / STD[c]
        torch.testing.assert_close(normalised[:, :, c], expected.float())


def test_changes_are_what_is_left_without_the_mean_of_the_clip():
    batch = clips_of(4)
    frames = build(VideoConfig(num_frames=4)).normalise(batch.images)
    changes = build(VideoConfig(num_frames=4, input="changes")).normalise(batch.images)
    torch.testing.assert_close(changes, frames - frames.mean(dim=1, keepdim=True))
    still = batch.images[:, :1].repeat(1, 4, 1, 1, 1)
    assert (
        not build(VideoConfig(num_frames=4, input="changes")).normalise(still).abs().gt(1e-6).any()
    )


def test_answers_use_the_middle_one_of_the_spares_and_training_uses_each():
    task, batch = build(VideoConfig(num_frames=2, spares=3)), clips_of(6)
    assert torch.equal(task.seen(batch.images), batch.images[:, [1, 4]])
    drawn = {
        int(i)
        for _ in range(40)
        for frame in task._drawn(batch.images)[0]
        for i in range(6)
        if torch.equal(frame, batch.images[0, i])
    }
    assert drawn == set(range(6))
    for _ in range(5):
        first, second = task._drawn(batch.images)[3]
        assert any(torch.equal(first, batch.images[3, i]) for i in (0, 1, 2))
        assert any(torch.equal(second, batch.images[3, i]) for i in (3, 4, 5))


def test_draws_of_frames_come_from_the_global_generator():
    task, batch = build(VideoConfig(num_frames=2, spares=3)), clips_of(6)
    torch.manual_seed(7)
    first = task.loss(batch, progress=0.0)
    torch.manual_seed(7)
    second = task.loss(batch, progress=0.0)
    assert torch.equal(first["loss"], second["loss"])


def test_the_loss_is_that_of_the_clips_and_that_of_single_frames():
    task, batch = build(VideoConfig(num_frames=4)), clips_of(4)
    assert task.frame_model is not None
    one_frame = batch.images[:, :1].repeat(1, 4, 1, 1, 1)  # whichever is drawn, it is this one
    losses = task.loss(replace(batch, images=one_frame), progress=0.0)
    logits = task(one_frame).logits
    expected = cross_entropy(logits, batch.labels, label_smoothing=0.1)
    of_frame = cross_entropy(task.frame_logits(one_frame), batch.labels, label_smoothing=0.1)
    torch.testing.assert_close(losses["clip_loss"], expected.detach())
    torch.testing.assert_close(losses["frame_loss"], of_frame.detach())
    torch.testing.assert_close(losses["loss"], expected + of_frame)
    right = (logits.argmax(dim=1) == batch.labels).float().mean()
    torch.testing.assert_close(losses["top1"], right)


def test_without_the_baseline_the_weights_and_the_loss_of_the_clips_are_the_same():
    batch = clips_of(4)
    beside, alone = (
        build(VideoConfig(num_frames=4)),
        build(VideoConfig(num_frames=4, baseline="none")),
    )
    assert alone.frame_model is None
    alone.load_state_dict({k: v for k, v in beside.state_dict().items() if "frame_model" not in k})
    losses = alone.loss(batch, progress=0.0)
    assert set(losses) == {"loss", "top1"}
    torch.testing.assert_close(
        losses["loss"].detach(), beside.loss(batch, progress=0.0)["clip_loss"]
    )
    assert "frame_average_top1" not in _figures(alone, batch)


def test_the_model_of_frames_shares_no_gradient_with_that_of_clips():
    task, batch = build(VideoConfig(num_frames=4)), clips_of(4)
    assert task.frame_model is not None
    task.frame_logits(batch.images).sum().backward()
    reached = {name for name, p in task.named_parameters() if p.grad is not None}
    assert reached
    assert all(name.startswith("frame_model.") for name in reached)


def test_the_model_of_frames_cannot_know_their_order():
    task, batch = build(VideoConfig(num_frames=4)), clips_of(4)
    mixed = batch.images[:, [2, 0, 3, 1]]
    torch.testing.assert_close(task.frame_logits(batch.images), task.frame_logits(mixed))
    assert (task(batch.images).logits - task(mixed).logits).abs().max() > 1e-3


def test_figures_are_those_of_a_classifier_and_of_the_mean_of_the_frames():
    task, batch = build(VideoConfig(num_frames=4)), clips_of(4)
    figures = _figures(task, batch)
    right = (task.predict(batch).argmax(dim=1) == batch.labels).float().mean().item()
    by_frame = (task.frame_logits(batch.images).argmax(dim=1) == batch.labels).float().mean().item()
    assert figures["top1"] == pytest.approx(right)
    assert figures["frame_average_top1"] == pytest.approx(by_frame)
    assert task.best_figure in figures


def test_predictions_are_probabilities_without_gradient():
    probs = build(VideoConfig(num_frames=4)).predict(clips_of(4))
    assert not probs.requires_grad
    torch.testing.assert_close(probs.sum(dim=1), torch.ones(5))


def test_the_score_of_a_class_is_its_logit():
    task, batch = build(VideoConfig(num_frames=4)), clips_of(4)
    assert isinstance(task, Explained)
    asked = torch.tensor([2, 0, 1, 1, 2])
    scores = task.score(task.tokens(batch.images), asked)
    torch.testing.assert_close(scores, task(batch.images).logits[torch.arange(5), asked])


def _figures(task: Video, batch: Batch) -> dict[str, float]:
    measure = task.metrics()
    with torch.inference_mode():
        measure.update(batch)
    return measure.figures()
