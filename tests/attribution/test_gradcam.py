"""Grad-CAM is its formula on the last tokens, and works where there is no attention."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from saccade.attribution.gradcam import gradcam
from saccade.attribution.heat import stretch
from saccade.backbones.vit import Vit
from saccade.errors import UsageError
from saccade.tasks.classify import Classify
from saccade.transformer.block import Blocks
from tests.attribution.written_out import CONFIGS

MakeTask = Callable[[str], Classify]


@pytest.mark.parametrize("name", ["vit", "vit-windows", "rag", "attncnn", "cnn"])
def test_under_mean_pooling_gradcam_is_the_class_weight_on_each_token(
    name: str, make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    """The score is the mean over tokens of ``w_k x``, so the gradient of each token is w_k / n."""
    task = make_task(name)
    feature_map = task.tokens(images).as_map().detach()

    expected = torch.stack(
        [
            torch.einsum("d,dhw->hw", task.head.classify.weight[k].detach(), one).clamp(min=0)
            for k, one in zip(classes, feature_map, strict=True)
        ]
    )

    heat = gradcam(task, images, classes)
    torch.testing.assert_close(heat, stretch(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["vit-class", "vit-both", "vit-distilled", "vit-rotary"])
def test_under_a_class_token_gradcam_reads_what_the_last_block_is_given(
    name: str, make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task(name)
    assert isinstance(task.backbone, Vit)
    first, last = task.backbone.blocks
    given = first(task.backbone.begin(task.normalise(images)))
    logits = task.head(task.backbone.readout(last(given))).logits
    expected = []
    for b, k in enumerate(classes.tolist()):
        (gradient,) = torch.autograd.grad(logits[b, k], given.x, retain_graph=True)
        channels = gradient[b, given.num_prefix :].mean(dim=0)
        expected.append((given.patches[b].detach() @ channels).clamp(min=0).reshape(4, 3))

    heat = gradcam(task, images, classes)

    torch.testing.assert_close(heat, stretch(torch.stack(expected)), rtol=1e-4, atol=1e-5)


def test_one_block_under_a_class_token_is_refused_and_legrad_is_named(
    make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task("vit-class")
    assert isinstance(task.backbone, Vit)
    task.backbone.blocks = Blocks(task.backbone.blocks[:1])

    with pytest.raises(UsageError, match=r"two blocks.*legrad"):
        gradcam(task, images, classes)


@pytest.mark.parametrize("name", [*CONFIGS])
def test_every_model_gets_heat_and_evidence_against_a_class_is_none(
    name: str, make_task: MakeTask, images: Tensor
) -> None:
    """What speaks for a class speaks against the opposite one, so each patch glows for one."""
    task = make_task(name)
    with torch.no_grad():
        for name, parameter in task.head.named_parameters():
            if name.startswith("classify") and name.endswith("weight"):
                parameter[1] = -parameter[0]

    one, other = (gradcam(task, images, torch.full((3,), k)) for k in (0, 1))

    assert (torch.maximum(one, other).amax(dim=(1, 2)) == 1).all()
    assert not torch.minimum(one, other).any()


@pytest.mark.parametrize("name", ["cnn", "vit-class"])
def test_frozen_weights_and_a_caller_without_gradients_do_not_matter(
    name: str, make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task(name)
    expected = gradcam(task, images, classes)

    with torch.no_grad():
        heat = gradcam(task.requires_grad_(requires_grad=False), images, classes)

    assert torch.equal(heat, expected)
    assert not heat.requires_grad
