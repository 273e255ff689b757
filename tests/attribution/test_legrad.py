"""LeGrad equals its slow form, knows the class, and points at the patch that decides."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.attribution.heat import stretch
from saccade.attribution.legrad import legrad
from saccade.backbones.vit import Vit
from saccade.config.run import Preprocess
from saccade.errors import UsageError
from saccade.heads.classify import ClassHead
from saccade.shapes import Grid
from saccade.tasks.classify import Classify
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import LearnedPosition
from saccade.transformer.block import make_blocks
from saccade.transformer.trace import Trace

MakeTask = Callable[[str], Classify]


def slow_legrad(task: Classify, image: Tensor, label: int) -> Tensor:
    """One picture, a forward pass for each layer, heads and tokens one by one."""
    trace = Trace()
    task.tokens(image[None], trace)
    grid = max((layer.grid for layer in trace.layers), key=lambda g: g.num_tokens)
    total = torch.zeros(grid.h, grid.w)
    for index in range(len(trace.layers)):
        trace = Trace()
        tokens = task.tokens(image[None], trace)
        layer = trace.layers[index]
        read = task.backbone.readout(layer.tokens) if layer.tokens is not None else tokens
        (gradient,) = torch.autograd.grad(task.head(read).logits[0, label], layer.attention)
        _, num_heads, num_rows, num_columns = gradient.shape
        relevance = []
        for m in range(layer.num_prefix, num_columns):
            positive = [
                max(gradient[0, a, n, m].item(), 0.0)
                for a in range(num_heads)
                for n in range(num_rows)
            ]
            relevance.append(sum(positive) / len(positive))
        on_grid = torch.tensor(relevance).reshape(1, 1, layer.grid.h, layer.grid.w)
        if layer.grid != grid:
            on_grid = F.interpolate(on_grid, size=(grid.h, grid.w), mode="bilinear")
        total += on_grid[0, 0]
    return stretch(total[None])[0]


@pytest.mark.parametrize("name", ["vit", "vit-class", "rag", "attncnn"])
def test_legrad_is_its_slow_form(
    name: str, make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task(name)

    heat = legrad(task, images, classes)

    slow = [slow_legrad(task, image, int(k)) for image, k in zip(images, classes, strict=True)]
    torch.testing.assert_close(heat, torch.stack(slow), rtol=1e-3, atol=1e-4)
    assert (heat.amax(dim=(1, 2)) == 1).all()


@pytest.mark.parametrize("name", ["vit", "vit-class", "rag", "attncnn"])
def test_two_classes_are_explained_differently(
    name: str, make_task: MakeTask, images: Tensor
) -> None:
    task = make_task(name)

    ants, bees = (legrad(task, images, torch.full((3,), k)) for k in (0, 1))

    assert (ants - bees).abs().amax(dim=(1, 2)).min() > 0.05


def frozen(task: Classify) -> Classify:
    return task.requires_grad_(requires_grad=False)


@pytest.mark.parametrize("name", ["vit", "rag", "attncnn"])
def test_frozen_weights_and_a_caller_without_gradients_do_not_matter(
    name: str, make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task(name)
    expected = legrad(task, images, classes)

    with torch.no_grad():
        heat = legrad(frozen(task), images, classes)

    assert torch.equal(heat, expected)
    assert not heat.requires_grad


def test_no_gradient_is_left_on_the_weights(
    make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task("rag")

    legrad(task, images, classes)

    assert all(parameter.grad is None for parameter in task.parameters())


def test_a_head_without_an_opinion_gives_flat_heat(
    make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task("vit")
    nn.init.zeros_(task.head.classify.weight)

    assert torch.equal(legrad(task, images, classes), torch.zeros(3, 4, 3))


def make_white_detector() -> Classify:
    """One layer that copies the brightness of what it attends to, and a head that reads it.

    A token is (brightness, -brightness, 1, -1); values and projection pass its first number on,
    class 0 ("white") reads it, class 1 ("black") reads its opposite.
    """
    blocks = make_blocks(
        embed_dim=4,
        depth=1,
        num_heads=1,
        mlp_ratio=1.0,
        residual="prenorm",
        drop_path=0.0,
        attention="auto",
    )
    embed = PatchEmbed(1, patch_size=4, embed_dim=4)
    position = LearnedPosition(4, grid=Grid(1, 4, 4))
    vit = Vit(embed=embed, position=position, blocks=blocks, embed_dim=4, num_prefix=0)
    head = ClassHead(4, num_classes=2, pool="mean")
    first = torch.tensor([1.0, 0.0, 0.0, 0.0])
    with torch.no_grad():
        for parameter in (embed.project.weight, position.table, *blocks.parameters()):
            parameter.zero_()
        embed.project.weight[0], embed.project.weight[1] = 10 / 16, -10 / 16
        embed.get_parameter("project.bias").copy_(torch.tensor([0.0, 0.0, 1.0, -1.0]))
        blocks.get_parameter("0.attention_norm.weight").fill_(1)
        blocks.get_parameter("0.attention.qkv.weight")[8] = first  # the value's first number
        blocks.get_parameter("0.attention.proj.weight")[0] = first
        head.classify.weight.copy_(torch.stack([first, -first]))
    return Classify(
        backbone=vit,
        head=head,
        class_names=("white", "black"),
        preprocess=Preprocess(height=16, width=16, channels=1, fit="crop", mean=(0.0,), std=(1.0,)),
        label_smoothing=0.0,
    ).eval()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (2, 1), (3, 3)])
def test_the_one_patch_that_raises_the_score_is_the_one_that_glows(row: int, column: int) -> None:
    images = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    images[..., 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 255

    white = legrad(make_white_detector(), images, torch.tensor([0]))[0]
    black = legrad(make_white_detector(), images, torch.tensor([1]))[0]

    expected = torch.zeros(4, 4)
    expected[row, column] = 1
    torch.testing.assert_close(white, expected, rtol=0, atol=1e-6)
    assert not black.any()  # nothing here speaks for it


def test_a_model_without_attention_is_refused_and_gradcam_is_named(
    make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    with pytest.raises(UsageError, match=r"no attention.*gradcam"):
        legrad(make_task("cnn"), images, classes)
