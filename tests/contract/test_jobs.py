"""What every task promises, whatever its job: it learns, all of it, and can be kept and asked."""

import pickle
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from saccade.config.json import from_json, to_json
from saccade.config.run import RunConfig
from saccade.data.batch import Batch
from saccade.run.learner import Learner
from saccade.run.weights import load_weights, save_weights
from saccade.tasks.build import AnyTask, build_task
from saccade.tasks.task import Measure, Task
from tests.contract.worlds import (
    classify,
    detect,
    embed,
    generate,
    pretrain,
    segment,
    taught,
    translate,
    video,
)
from tests.contract.worlds.world import SIDE, World

CPU = torch.device("cpu")
STEPS = 30

WORLDS = {
    "classify": classify.world,
    "detect": detect.world,
    "embed": embed.world,
    "generate": generate.world,
    "segment": segment.world,
    "segment-linear": segment.linear_world,
    "segment-masks": segment.mask_world,
    "translate": translate.world,
    "video": video.world,
    "visreg": pretrain.visreg,
    "lejepa": pretrain.lejepa,
    "dino": pretrain.dino,
    "mae": pretrain.mae,
    "taught-logits": taught.logits,
    "taught-hard": taught.hard,
    "taught-features": taught.features,
    "taught-backbone": taught.backbone,
}


@pytest.fixture(params=list(WORLDS.values()), ids=list(WORLDS))
def world(request: pytest.FixtureRequest) -> World:
    return request.param()


def built(world: World) -> AnyTask:
    return build_task(world.config, class_names=world.class_names, preprocess=world.preprocess)


def learner(world: World) -> Learner:
    return Learner(built(world), config=world.config, device=CPU)


def step(made: Learner, batch: Batch, number: int) -> dict[str, float]:
    return made.step(batch, epoch=0, step=number, planned_steps=STEPS, progress=number / STEPS)


def answers(task: AnyTask, batch: Batch) -> dict[str, Tensor]:
    """What a task in evaluation mode predicts, as tensors by name."""
    with torch.inference_mode():
        return dict(flat(task.eval().predict(batch), "answer"))


def flat(answer: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of an answer, whatever it is made of."""
    if isinstance(answer, Tensor):
        yield name, answer
    elif is_dataclass(answer):
        for field in fields(answer):
            yield from flat(getattr(answer, field.name), f"{name}.{field.name}")
    elif isinstance(answer, tuple | list):
        for number, part in enumerate(answer):
            yield from flat(part, f"{name}[{number}]")
    elif isinstance(answer, dict):
        for key, part in answer.items():
            yield from flat(part, f"{name}[{key!r}]")


def one(batch: Batch, k: int) -> Batch:
    """Example ``k`` alone, as a batch to be answered."""
    return Batch(
        images=batch.images[k : k + 1],
        targets=None,
        ids=batch.ids[k : k + 1],
        sizes=None if batch.sizes is None else batch.sizes[k : k + 1],
    )


def test_a_task_is_one(world: World):
    task = built(world)
    assert isinstance(task, Task)
    assert task.class_names == world.class_names


def test_the_loss_falls_on_eight_examples(world: World):
    made, batch = learner(world), world.examples(SIDE, SIDE)
    losses = [step(made, batch, number)["loss"] for number in range(STEPS)]
    assert all(torch.isfinite(torch.tensor(losses)))
    assert sum(losses[-5:]) < world.needs_fall * sum(losses[:5])


def test_every_trainable_parameter_gets_a_gradient(world: World):
    """Some start at zero on purpose, so that others get theirs one step later."""
    made, batch = learner(world), world.examples(SIDE, SIDE)
    reached: set[str] = set()
    for number in range(5):
        step(made, batch, number)
        reached |= {
            name
            for name, parameter in made.task.named_parameters()
            if parameter.grad is not None and parameter.grad.any()
        }
    names = {
        name
        for name, parameter in made.task.named_parameters()
        if parameter.requires_grad and parameter.numel()
    }
    assert {n for n in names - reached if not n.startswith(world.untrained or ("-",))} == set()
    assert not {n for n in reached if world.untrained and n.startswith(world.untrained)}


def test_a_step_whose_loss_is_no_number_moves_nothing(world: World):
    made, batch = learner(world), world.examples(SIDE, SIDE)
    for number in range(2):
        step(made, batch, number)
    before = {name: tensor.clone() for name, tensor in made.tensors().items()}
    real = made.task.loss

    def broken(batch: Batch, *, progress: float) -> dict[str, Tensor]:
        losses = dict(real(batch, progress=progress))
        return losses | {"loss": losses["loss"] * float("nan")}

    made.task.loss = broken  # pyrefly: ignore[bad-assignment]
    step(made, batch, 2)
    after = made.tensors()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def test_answers_are_the_same_every_time(world: World):
    task, batch = built(world), world.examples(SIDE, SIDE)
    first, second = answers(task, batch), answers(task, batch)
    assert first
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_a_picture_alone_is_answered_as_in_a_batch(world: World):
    task, batch = built(world), world.examples(SIDE, SIDE)
    together = answers(task, replace(batch, targets=None))
    for k in (0, 5):
        for name, tensor in answers(task, one(batch, k)).items():
            torch.testing.assert_close(tensor[0], together[name][k], msg=lambda m, n=name: n + m)


def test_what_is_saved_answers_as_before(world: World, tmp_path: Path):
    made, batch = learner(world), world.examples(SIDE, SIDE)
    for number in range(3):
        step(made, batch, number)
    save_weights(tmp_path / "weights.safetensors", made.task, header={})
    again = built(world)
    load_weights(tmp_path / "weights.safetensors", again)
    before, after = answers(made.task, batch), answers(again, batch)
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]), name


@pytest.mark.parametrize(("height", "width"), [(SIDE, 2 * SIDE), (SIDE + 3, SIDE + 5)])
def test_pictures_of_any_size_are_learned_and_answered(world: World, height: int, width: int):
    made, batch = learner(world), world.examples(height, width)
    assert step(made, batch, 0)["loss"] > 0
    assert answers(made.task, batch)


def test_in_bf16_the_loss_is_of_fp32_and_close_to_what_it_is_there(world: World):
    losses = []
    for is_bf16 in (False, True):
        task = built(world).train()  # a new one: some tasks change by being asked
        torch.manual_seed(0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_bf16):
            loss = task.loss(world.examples(SIDE, SIDE), progress=0.3)["loss"]
        loss.backward()
        assert loss.dtype == torch.float32
        assert all(p.grad is None or p.grad.isfinite().all() for p in task.parameters())
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_the_config_goes_through_json(world: World):
    again = from_json(RunConfig, to_json(world.config))
    assert again == world.config
    task = build_task(again, class_names=world.class_names, preprocess=world.preprocess)
    for name, tensor in built(world).state_dict().items():
        assert torch.equal(tensor, task.state_dict()[name]), name


def test_a_run_that_stopped_goes_on_bitwise(world: World):
    batch = world.examples(SIDE, SIDE)
    whole = learner(world)
    for number in range(4):
        step(whole, batch, number)
    first = learner(world)
    for number in range(2):
        step(first, batch, number)
    second = learner(world)
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()})
    for number in range(2, 4):
        step(second, batch, number)
    expected, found = whole.tensors(), second.tensors()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


def test_figures_of_a_validation_are_finite_and_the_same_every_time(world: World):
    task, batch = built(world).eval(), world.examples(SIDE, SIDE)

    def measured() -> dict[str, float]:
        measure = task.metrics()
        with torch.inference_mode():
            measure.update(batch)
        return measure.figures()

    figures = measured()
    assert task.best_figure in figures
    assert torch.isfinite(torch.tensor(list(figures.values()))).all()
    assert figures == measured()


@pytest.mark.parametrize("sizes", [(3, 0, 5), (0, 8, 0)])
def test_shares_judged_apart_and_put_together_give_the_figures_of_all(
    world: World, sizes: tuple[int, ...]
):
    task, batch = built(world).eval(), world.examples(SIDE, SIDE)
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    shares = [
        batch.parts(1)[start : start + size] for start, size in zip(starts, sizes, strict=True)
    ]

    def seen(batches: list[Batch]) -> Measure:
        measure = task.metrics()
        with torch.inference_mode():
            for some in batches:
                measure.update(some)
        return measure

    whole, together = seen(batch.parts(1)), task.metrics()
    for share in shares:
        sent = pickle.loads(pickle.dumps(seen(share).collected()))
        for mine, theirs in zip(together.collected(), sent, strict=True):
            mine.extend(theirs)

    assert together.figures() == whole.figures()
