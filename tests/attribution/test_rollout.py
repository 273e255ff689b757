"""Rollout is a product of written-out matrices, and a silent block changes nothing."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from saccade.attribution.heat import stretch
from saccade.attribution.rollout import rollout
from saccade.backbones.rag import Rag
from saccade.config.model import AttentionPath
from saccade.errors import UsageError
from saccade.tasks.classify import Classify
from saccade.transformer import trace
from saccade.transformer.block import Blocks
from tests.attribution.written_out import VITS, keep_maps, set_path

MakeTask = Callable[[str], Classify]
Matrix = list[list[float]]


def naive_product(one: Matrix, other: Matrix) -> Matrix:
    columns = list(zip(*other, strict=True))
    return [[sum(a * b for a, b in zip(row, c, strict=True)) for c in columns] for row in one]


def naive_step(heads: list[Matrix], alpha: float) -> Matrix:
    size, strength = len(heads[0]), abs(alpha)
    mean = [[sum(h[n][m] for h in heads) / len(heads) for m in range(size)] for n in range(size)]
    return [
        [((n == m) + strength * mean[n][m]) / (1 + strength) for m in range(size)]
        for n in range(size)
    ]


def naive_rollout(maps: list[Tensor], alphas: list[float], b: int, reads: list[float]) -> Tensor:
    """The product of all steps, N x N each, and then the rows that the head reads."""
    total = naive_step(maps[0][b].tolist(), alphas[0])
    for one, alpha in zip(maps[1:], alphas[1:], strict=True):
        total = naive_product(naive_step(one[b].tolist(), alpha), total)
    size = len(total)
    return torch.tensor([sum(reads[n] * total[n][m] for n in range(size)) for m in range(size)])


def what_is_read(name: str, num_prefix: int) -> list[float]:
    """The share of each of the last tokens in what the head reads; there are 12 patches."""
    match name:
        case "vit-both":
            return [0.5, *[0.0] * (num_prefix - 1), *[0.5 / 12] * 12]
        case "vit-distilled":
            return [0.5, 0.5, *[0.0] * 12]
        case "vit-class" | "vit-rotary":
            return [1.0, *[0.0] * (num_prefix + 11)]
        case _:
            return [*[0.0] * num_prefix, *[1 / 12] * 12]


@pytest.mark.parametrize("path", ["fused", "explicit"])
@pytest.mark.parametrize("name", [*VITS, "rag", "attncnn"])
def test_rollout_is_the_product_written_out(
    name: str,
    path: AttentionPath,
    make_task: MakeTask,
    images: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = make_task(name)
    set_path(task, path)

    heat = rollout(task, images)

    maps = keep_maps(monkeypatch)
    task(images)
    maps = [one for one in maps if one.shape == maps[-1].shape]  # attncnn also attends before
    num_prefix = maps[-1].shape[-1] - 12
    alphas = [-0.6 if name == "rag" else 1.0 for _ in maps]
    reads = what_is_read(name, num_prefix)
    expected = torch.stack([naive_rollout(maps, alphas, b, reads)[num_prefix:] for b in range(3)])
    torch.testing.assert_close(heat, stretch(expected.unflatten(1, (4, 3))), rtol=1e-3, atol=1e-4)


def test_pieces_of_rows_add_up_to_the_whole_map(
    make_task: MakeTask, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task("vit-class")
    whole = rollout(task, images)

    monkeypatch.setattr(trace, "CHUNK_BYTES", 500)

    torch.testing.assert_close(rollout(task, images), whole)


def test_frozen_weights_and_bf16_do_not_matter(make_task: MakeTask, images: Tensor) -> None:
    task = make_task("vit-class")
    expected = rollout(task, images)

    with torch.autocast("cpu", torch.bfloat16):
        heat = rollout(task.requires_grad_(requires_grad=False), images)

    assert heat.dtype == torch.float32
    torch.testing.assert_close(heat, expected, rtol=0, atol=0.1)


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

    task.backbone.blocks = Blocks(task.backbone.blocks[:1])

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
