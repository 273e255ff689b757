"""LeGrad equals its slow form, knows the class, and points at the patch that decides."""

import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saccade.attribution.heat import stretch
from saccade.attribution.legrad import legrad
from saccade.backbones.attention_cnn import AttentionCnn
from saccade.backbones.build import build_backbone
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.config.model import AttentionPath
from saccade.config.run import Preprocess
from saccade.errors import UsageError
from saccade.heads.classify import ClassHead
from saccade.tasks.classify import Classify
from saccade.tokens.tokens import Tokens
from saccade.transformer import trace
from tests.attribution.written_out import VIT, VITS, grid_of, keep_maps, set_path

MakeTask = Callable[[str], Classify]


def maps_and_logits(
    task: Classify, image: Tensor, maps: list[Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """The map of each layer, and the logits read from that layer, or from the end if need be."""
    maps.clear()
    if isinstance(task.backbone, AttentionCnn):
        logits = task(image[None]).logits
        return [(one, logits) for one in maps]
    assert isinstance(task.backbone, Vit | Rag)
    found = []
    tokens = task.backbone.begin(task.normalise(image[None]))
    for block in task.backbone.blocks:
        tokens = block(tokens)
        found.append((maps[-1], task.head(task.backbone.readout(tokens)).logits))
    return found


def slow_legrad(task: Classify, image: Tensor, label: int, maps: list[Tensor]) -> Tensor:
    """One picture, all maps written out and kept, heads and tokens one by one."""
    layers = maps_and_logits(task, image, maps)
    num_prefix = task.backbone.prefix.shape[1] if isinstance(task.backbone, Vit) else 0
    grid = grid_of(max(one.shape[-1] for one, _ in layers) - num_prefix)
    total = torch.zeros(grid.h, grid.w)
    for one, logits in layers:
        (gradient,) = torch.autograd.grad(logits[0, label], one, retain_graph=True)
        _, num_heads, num_rows, num_columns = gradient.shape
        relevance = []
        for m in range(num_prefix, num_columns):
            positive = [
                max(gradient[0, a, n, m].item(), 0.0) * (one[0, a, n, m] > 0).item()
                for a in range(num_heads)
                for n in range(num_rows)
            ]
            relevance.append(sum(positive) / len(positive))
        own = grid_of(len(relevance))
        on_grid = torch.tensor(relevance).reshape(1, 1, own.h, own.w)
        if own != grid:
            on_grid = F.interpolate(on_grid, size=(grid.h, grid.w), mode="bilinear")
        total += on_grid[0, 0]
    return stretch(total[None])[0]


@pytest.mark.parametrize("path", ["fused", "explicit"])
@pytest.mark.parametrize("name", [*VITS, "rag", "attncnn"])
def test_legrad_is_the_gradient_of_maps_that_were_kept(
    name: str,
    path: AttentionPath,
    make_task: MakeTask,
    images: Tensor,
    classes: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = make_task(name)
    set_path(task, path)

    heat = legrad(task, images, classes)

    maps = keep_maps(monkeypatch)
    pairs = zip(images, classes, strict=True)
    slow = torch.stack([slow_legrad(task, image, int(k), maps) for image, k in pairs])
    torch.testing.assert_close(heat, slow, rtol=1e-3, atol=1e-4)
    assert (heat.amax(dim=(1, 2)) == 1).all()


@pytest.mark.parametrize("rows_bytes", [1, 500])
def test_pieces_of_rows_add_up_to_the_whole_map(
    rows_bytes: int,
    make_task: MakeTask,
    images: Tensor,
    classes: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = make_task("vit-class")
    whole = legrad(task, images, classes)

    monkeypatch.setattr(trace, "CHUNK_BYTES", rows_bytes)

    torch.testing.assert_close(legrad(task, images, classes), whole)


def test_one_block_is_in_memory_at_a_time(
    make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    """When a block is done, what the one before it returned, and its graph, have been let go."""
    task = make_task("vit")
    assert isinstance(task.backbone, Vit)
    outputs: list[weakref.ref[Tensor]] = []
    num_alive = []

    def note(block: nn.Module, given: object, tokens: Tokens) -> None:
        num_alive.append(sum(x() is not None for x in outputs))
        outputs.append(weakref.ref(tokens.x))

    for block in task.backbone.blocks:
        block.register_forward_hook(note)
    legrad(task, images, classes)

    assert num_alive == [0, 0]


def test_legrad_under_bf16_looks_at_the_same_places(
    make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task("vit-class")
    expected = legrad(task, images, classes)

    with torch.autocast("cpu", torch.bfloat16):
        heat = legrad(task, images, classes)

    assert heat.dtype == torch.float32
    torch.testing.assert_close(heat, expected, rtol=0, atol=0.1)


@pytest.mark.parametrize("name", [*VITS, "rag", "attncnn"])
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
    config = replace(
        VIT,
        embed_dim=4,
        depth=1,
        num_heads=1,
        mlp_ratio=1.0,
        position="learned",
        position_grid=(1, 4, 4),
    )
    vit = build_backbone(config, in_channels=1)
    head = ClassHead(4, num_classes=2, pool="mean")
    first = torch.tensor([1.0, 0.0, 0.0, 0.0])
    with torch.no_grad():
        for parameter in vit.parameters():
            parameter.zero_()
        weight = vit.get_parameter("embed.project.weight")
        weight[0], weight[1] = 10 / 16, -10 / 16
        vit.get_parameter("embed.project.bias").copy_(torch.tensor([0.0, 0.0, 1.0, -1.0]))
        vit.get_parameter("norm.weight").fill_(1)
        vit.get_parameter("blocks.0.attention_norm.weight").fill_(1)
        vit.get_parameter("blocks.0.attention.qkv.weight")[8] = first  # the value's first number
        vit.get_parameter("blocks.0.attention.proj.weight")[0] = first
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
