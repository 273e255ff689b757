"""Rollout is a product of written-out matrices, and a silent block changes nothing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from saccade.attribution.heat import stretch
from saccade.attribution.rollout import rollout
from saccade.backbones.rag import Rag
from saccade.errors import UsageError
from saccade.tasks.classify import Classify
from saccade.transformer.trace import Trace, TracedLayer

MakeTask = Callable[[str], Classify]
Matrix = list[list[float]]


def naive_product(one: Matrix, other: Matrix) -> Matrix:
    columns = list(zip(*other, strict=True))
    return [[sum(a * b for a, b in zip(row, c, strict=True)) for c in columns] for row in one]


def naive_step(layer: TracedLayer, b: int) -> Matrix:
    heads = layer.attention[b].tolist()
    size, strength = len(heads[0]), abs(layer.alpha)
    mean = [[sum(h[n][m] for h in heads) / len(heads) for m in range(size)] for n in range(size)]
    return [
        [((n == m) + strength * mean[n][m]) / (1 + strength) for m in range(size)]
        for n in range(size)
    ]


def naive_rollout(layers: list[TracedLayer], b: int, *, reads: list[int]) -> Tensor:
    total = naive_step(layers[0], b)
    for layer in layers[1:]:
        total = naive_product(naive_step(layer, b), total)
    grid, num_prefix = layers[-1].grid, layers[-1].num_prefix
    seen = [sum(total[n][m] for n in reads) / len(reads) for m in range(len(total))]
    return torch.tensor(seen[num_prefix:]).reshape(grid.h, grid.w)


@pytest.mark.parametrize("name", ["vit", "vit-class", "rag", "attncnn"])
def test_rollout_is_the_product_written_out(name: str, make_task: MakeTask, images: Tensor) -> None:
    task, trace = make_task(name), Trace()
    task.tokens(images, trace)
    last = trace.layers[-1]
    layers = [layer for layer in trace.layers if layer.grid == last.grid]
    is_read = {"vit-class": [0]}.get(name, list(range(last.num_prefix, last.attention.shape[-1])))

    expected = torch.stack([naive_rollout(layers, b, reads=is_read) for b in range(3)])

    torch.testing.assert_close(rollout(task, images), stretch(expected), rtol=1e-3, atol=1e-4)


def test_a_model_whose_blocks_are_all_silent_looks_everywhere_alike(
    make_task: MakeTask, images: Tensor
) -> None:
    task = make_task("rag")
    for name, parameter in task.named_parameters():
        if name.endswith("alpha"):
            nn.init.zeros_(parameter)

    assert torch.equal(rollout(task, images), torch.zeros(3, 4, 3))


def test_a_silent_block_can_be_taken_out_unseen(make_task: MakeTask, images: Tensor) -> None:
    task = make_task("rag")
    assert isinstance(task.backbone, Rag)
    for gate in ("attention_gate", "mlp_gate"):
        nn.init.zeros_(task.backbone.blocks.get_parameter(f"1.{gate}.alpha"))
    with_it = rollout(task, images)

    task.backbone.blocks = nn.ModuleList(task.backbone.blocks[:1])

    torch.testing.assert_close(rollout(task, images), with_it)


def test_attention_that_is_uniform_gives_flat_heat(make_task: MakeTask, images: Tensor) -> None:
    task = make_task("vit")
    for name, parameter in task.named_parameters():
        if name.endswith("attention.qkv.weight"):
            nn.init.zeros_(parameter)

    assert torch.equal(rollout(task, images), torch.zeros(3, 4, 3))


def test_rollout_runs_from_0_to_1_and_holds_no_graph(make_task: MakeTask, images: Tensor) -> None:
    heat = rollout(make_task("vit"), images)

    assert not heat.requires_grad
    assert (heat.amin(dim=(1, 2)) == 0).all()
    assert (heat.amax(dim=(1, 2)) == 1).all()


def test_a_model_without_attention_is_refused_and_gradcam_is_named(
    make_task: MakeTask, images: Tensor
) -> None:
    with pytest.raises(UsageError, match=r"no attention.*gradcam"):
        rollout(make_task("cnn"), images)
