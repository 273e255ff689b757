"""Weights for pictures answer for clips that stand still as they did for the picture."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saccade.backbones.build import build_backbone
from saccade.backbones.vit import Vit
from saccade.config.model import VitConfig
from saccade.config.run import Preprocess
from saccade.config.task import VideoConfig
from saccade.planning.video import clip_model
from saccade.run.inflate import inflate, initialise_video
from saccade.tasks.build import build_classifier, build_video
from saccade.tasks.video import Video

PICTURES = VitConfig(
    embed_dim=24,
    depth=2,
    num_heads=2,
    mlp_ratio=2.0,
    patch_size=4,
    stem="patches",
    position="sincos",
    residual="prenorm",
    num_registers=1,
    has_class_token=True,
    drop_path=0.0,
    position_grid=(1, 2, 2),
)
PREPROCESS = Preprocess(
    height=8, width=8, channels=3, fit="squash", mean=(0.5,) * 3, std=(0.25,) * 3, num_frames=4
)

VARIANTS: dict[str, dict[str, Any]] = {
    "patches and fixed positions": {},
    "patches without bias": {"has_patch_bias": False},
    "learned positions": {"position": "learned", "num_prefix_positions": 1},
    "convolutions": {"stem": "conv"},
}


def backbone(config: VitConfig) -> Vit:
    built = build_backbone(config, in_channels=3).eval()
    assert isinstance(built, Vit)
    return built


def video(config: VitConfig, *, class_names: tuple[str, ...] = ("a", "b", "c")) -> Video:
    return build_video(
        config,
        VideoConfig(num_frames=4),
        class_names=class_names,
        preprocess=PREPROCESS,
        seed=1,
        label_smoothing=0.0,
    ).eval()


@pytest.mark.parametrize("change", VARIANTS.values(), ids=list(VARIANTS))
def test_every_step_of_a_still_clip_is_embedded_as_the_picture_was(change: dict[str, Any]):
    config = replace(PICTURES, **change)
    of_pictures, of_clips = backbone(config), backbone(clip_model(config, num_frames=4))
    of_clips.load_state_dict(inflate(of_pictures.state_dict(), config, of_clips))
    image = torch.randn(2, 3, 8, 8)
    expected, found = of_pictures.begin(image), of_clips.begin(image[:, None].repeat(1, 4, 1, 1, 1))
    steps = found.patches.unflatten(1, (2, -1))
    torch.testing.assert_close(found.prefix, expected.prefix)
    for step in range(2):
        torch.testing.assert_close(steps[:, step], expected.patches, rtol=1e-4, atol=1e-5)


def test_under_a_mean_a_still_clip_is_answered_as_the_picture_was():
    """Attention over copies of the same tokens is attention over one of them."""
    config = replace(PICTURES, num_registers=0, has_class_token=False)
    of_pictures, of_clips = backbone(config), backbone(clip_model(config, num_frames=4))
    of_clips.load_state_dict(inflate(of_pictures.state_dict(), config, of_clips))
    image = torch.randn(2, 3, 8, 8)
    found = of_clips(image[:, None].repeat(1, 4, 1, 1, 1)).patches.mean(dim=1)
    torch.testing.assert_close(found, of_pictures(image).patches.mean(dim=1), rtol=1e-4, atol=1e-4)


def test_deflated_again_the_weights_are_what_they_were():
    config = replace(PICTURES, position="learned")
    of_pictures, of_clips = backbone(config), backbone(clip_model(config, num_frames=4))
    weights = of_pictures.state_dict()
    there = inflate(weights, config, of_clips)
    back = inflate(there, clip_model(config, num_frames=4), of_pictures)
    assert back.keys() == weights.keys()
    for name, tensor in weights.items():
        torch.testing.assert_close(back[name], tensor)


def test_a_task_starts_from_pictures_with_its_frames_and_keeps_its_heads():
    classifier = build_classifier(
        PICTURES, class_names=("x", "y"), preprocess=PREPROCESS, seed=0, label_smoothing=0.0
    ).eval()
    task = video(clip_model(PICTURES, num_frames=4))
    heads = {k: v.clone() for k, v in task.state_dict().items() if "head." in k}
    initialise_video(task, classifier.state_dict(), PICTURES, has_new_head=True)
    assert task.frame_model is not None
    image = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(
        task.frame_model.backbone(image).x, classifier.backbone(image).x, rtol=1e-4, atol=1e-5
    )
    for name, tensor in heads.items():
        assert torch.equal(task.state_dict()[name], tensor), name


def test_a_task_of_the_same_classes_is_taken_over_whole():
    config = replace(PICTURES, tubelet_size=2, position_grid=(2, 2, 2))
    first, second = video(config), video(config)
    _scramble(first)
    initialise_video(second, first.state_dict(), config, has_new_head=False)
    _same(first.state_dict(), second.state_dict())


def test_a_model_of_frames_starts_from_weights_for_clips_that_have_none():
    config = replace(PICTURES, tubelet_size=2, position_grid=(2, 2, 2), position="learned")
    tensors = {k: v for k, v in video(config).state_dict().items() if "frame_model" not in k}
    task = video(config)
    _scramble(task)
    initialise_video(task, tensors, config, has_new_head=True)
    weights = task.state_dict()
    kernel = tensors["backbone.embed.project.weight"]
    torch.testing.assert_close(
        weights["frame_model.backbone.embed.project.weight"], kernel.sum(dim=2)
    )
    table = tensors["backbone.position.table"].unflatten(1, (2, 4)).mean(dim=1)
    torch.testing.assert_close(weights["frame_model.backbone.position.table"], table)
    torch.testing.assert_close(weights["backbone.embed.project.weight"], kernel)


def _scramble(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))


def _same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name
