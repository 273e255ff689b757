"""A step is AdamW written out; it depends on seed and step alone, and resumes to the bit."""

import copy
import math
from collections.abc import Mapping
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from saccade.config.run import RunConfig
from saccade.data.augment.changes import augment
from saccade.data.batch import Batch
from saccade.run.learner import Learner
from saccade.run.schedule import learning_rate
from saccade.tasks.build import AnyTask
from tests import tiny

CPU = torch.device("cpu")
FAMILIES = ["vit-pico4", "rag-pico4", "attncnn-pico4", "cnn-pico4"]

UNCHANGED: dict[str, Any] = {
    f"augment__{name}": "0"
    for name in ("flip", "translate", "zoom", "rotate_degrees", "shear", "colour", "erase")
}


def batch(seed: int = 0, count: int = 8) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        images=torch.randint(256, (count, 3, 16, 16), dtype=torch.uint8, generator=generator),
        targets=torch.randint(3, (count,), generator=generator),
        ids=torch.arange(count),
    )


def learner(config: RunConfig) -> Learner:
    return Learner(tiny.task(config), config=config, device=CPU)


def step(
    made: Learner, number: int, *, given: Batch | None = None, epoch: int = 0
) -> dict[str, float]:
    return made.step(
        given or batch(number), epoch=epoch, step=number, planned_steps=10, progress=number / 10
    )


def started(config: RunConfig) -> Learner:
    """After a few steps: a head starts at zero, and until it moves every picture is the same."""
    made = learner(config)
    for number in range(3):
        step(made, number)
    return made


def snapshot(made: Learner) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in made.tensors().items()}


class PlainAdamW:
    """Decoupled weight decay (arXiv 1711.05101, algorithm 2), one parameter after another."""

    def __init__(self, task: AnyTask, config: RunConfig) -> None:
        self.task, self.config, self.steps = task, config, 0
        self.m = [torch.zeros_like(p) for p in task.parameters()]
        self.v = [torch.zeros_like(p) for p in task.parameters()]

    def step(self, given: Batch, *, lr: float) -> dict[str, float]:
        optim = self.config.optim
        self.steps += 1
        self.task.zero_grad()
        losses = self.task.loss(given, progress=0.0)
        losses["loss"].backward()
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters()]
        norm = math.sqrt(sum(g.double().square().sum().item() for g in gradients))
        clip = min(1.0, optim.clip_norm / norm)
        with torch.no_grad():
            for p, g, m, v in zip(self.parameters(), gradients, self.m, self.v, strict=True):
                m.mul_(optim.beta1).add_((1 - optim.beta1) * clip * g)
                v.mul_(optim.beta2).add_((1 - optim.beta2) * (clip * g) ** 2)
                m_hat = m / (1 - optim.beta1**self.steps)
                v_hat = v / (1 - optim.beta2**self.steps)
                decay = optim.weight_decay if p.ndim > 1 else 0.0
                p -= lr * (m_hat / (v_hat.sqrt() + 1e-8) + decay * p)
        return {name: value.item() for name, value in losses.items()} | {"grad_norm": norm}

    def parameters(self) -> list[torch.nn.Parameter]:
        return list(self.task.parameters())


def require_close(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, expected[name], atol=2e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("clip_norm", ["0.05", "1000"], ids=["clipped", "unclipped"])
@pytest.mark.parametrize("model", FAMILIES)
def test_steps_are_those_of_adamw_written_out(model: str, clip_norm: str):
    config = tiny.config(
        model, optim__clip_norm=clip_norm, optim__weight_decay="50", optim__lr="1e-4", **UNCHANGED
    )
    made = learner(config)
    for parameter in made.task.head.parameters():  # zero at first, and so are all gradients then
        torch.nn.init.normal_(parameter, std=0.1)
    plain = PlainAdamW(copy.deepcopy(made.task), config)
    for number in (3, 4, 5):
        lr = learning_rate(number / 10, config.optim)
        expected = plain.step(batch(number), lr=lr)
        found = step(made, number)
        assert found == pytest.approx(expected, rel=1e-3)
        assert (found["grad_norm"] > float(clip_norm)) == (clip_norm == "0.05")
        assert made.lr == lr
    require_close(made.task.state_dict(), plain.task.state_dict())
    state = made.optimizers.tensors()
    for (name, parameter), m, v in zip(made.task.named_parameters(), plain.m, plain.v, strict=True):
        if parameter.numel() == 0:  # the prefix of a model without prefix tokens
            continue
        for found, expected in ((state[f"{name}/exp_avg"], m), (state[f"{name}/exp_avg_sq"], v)):
            tolerance = 1e-2 * expected.abs().sum().item() / max(expected.numel(), 1) + 1e-12
            torch.testing.assert_close(found, expected, atol=tolerance, rtol=1e-3)


def test_pictures_are_augmented_by_seed_and_epoch_before_the_loss():
    config = tiny.config("cnn-pico4", augment__flip="0.5", augment__rotate_degrees="30", seed="3")
    made = started(config)
    plain = copy.deepcopy(made.task)
    expected = plain.loss(augment(batch(), config.augment, seed=3, epoch=7), progress=0.0)[
        "loss"
    ].item()
    other = plain.loss(augment(batch(), config.augment, seed=3, epoch=8), progress=0.0)[
        "loss"
    ].item()
    assert step(made, 3, given=batch(), epoch=7)["loss"] == pytest.approx(expected, rel=1e-5)
    assert expected != pytest.approx(other, rel=1e-4)


def test_the_average_moves_towards_the_weights_over_a_share_of_all_steps():
    config = tiny.config("cnn-pico4", optim__average="0.2", optim__lr="0.01", **UNCHANGED)
    made = learner(config)
    expected = {name: value.clone() for name, value in made.task.state_dict().items()}
    for number in range(12):
        step(made, number)
        length = max(1.0, min(0.2 * 10, (10 + number + 1) / 10))  # planned are 10 steps
        for name, value in made.task.state_dict().items():
            expected[name] = (
                expected[name] + (value - expected[name]) / length
                if value.is_floating_point()
                else value.clone()
            )
    require_close(made.average.task.state_dict(), expected)
    assert not tiny.same_bits(made.average.task.state_dict(), made.task.state_dict())
    assert not made.average.task.training
    assert made.task.training


RANDOM = {"model__drop_path": "0.5", "model__residual": "layerscale"}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_seed_gives_the_same_step_wherever_torchs_generator_stands(precision: str):
    config = tiny.config("rag-pico4", precision=precision, **RANDOM)
    one, two = started(config), started(config)
    torch.manual_seed(1)
    figures = step(one, 4)
    torch.manual_seed(2)
    torch.rand(5)
    assert step(two, 4) == figures
    assert tiny.same_bits(two.tensors(), one.tensors())


def test_another_step_drops_other_paths():
    made = started(tiny.config("vit-pico4", model__drop_path="0.5", **UNCHANGED))
    before, losses = snapshot(made), set()
    for number in range(4):
        made.load(before)
        losses.add(step(made, number, given=batch())["loss"])
    assert len(losses) == 4


def test_another_seed_gives_other_weights_and_another_step():
    one, two = (learner(tiny.config("vit-pico4", seed=seed)) for seed in "01")
    assert step(one, 0) != step(two, 0)
    assert not tiny.same_bits(one.tensors(), two.tensors())


def test_a_step_in_bf16_leaves_weights_and_state_in_fp32():
    made = learner(tiny.config("rag-pico4", precision="bf16"))
    step(made, 0)
    assert {v.dtype for v in made.tensors().values() if v.is_floating_point()} == {torch.float32}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("model", FAMILIES)
def test_tensors_come_back_to_the_bit_and_so_do_the_steps_after(model: str, precision: str):
    settings = {"precision": precision, "optim__lr": "0.01"}
    made = learner(tiny.config(model, **settings))
    for number in range(3):
        step(made, number)
    kernels = [p for p in made.task.parameters() if p.ndim == 4 and min(p.shape[1:3]) > 1]
    if model != "vit-pico4":  # in memory they lie channels last, in a file they do not
        assert any(not p.is_contiguous() for p in kernels)
    kept = {name: value.detach().contiguous() for name, value in made.tensors().items()}
    content = safetensors.torch.save(kept)

    other = learner(tiny.config(model, seed="1", **settings))
    assert not tiny.same_bits(other.task.state_dict(), made.task.state_dict())
    other.load(safetensors.torch.load(content))
    assert tiny.same_bits(other.tensors(), made.tensors())

    # The seed also decides the augmentation: only the weights were to differ.
    other.config = made.config
    for number in range(3, 6):
        assert step(other, number) == step(made, number)
    assert tiny.same_bits(other.tensors(), made.tensors())


def test_a_learner_that_made_steps_can_be_taken_back():
    made = learner(tiny.config("cnn-pico4"))
    step(made, 0)
    before = snapshot(made)
    figures = step(made, 1)
    after = snapshot(made)
    assert not tiny.same_bits(after, before)
    made.load(before)
    assert tiny.same_bits(made.tensors(), before)
    assert step(made, 1) == figures
    assert tiny.same_bits(made.tensors(), after)


def test_tensors_are_named_by_what_they_belong_to():
    made = learner(tiny.config("cnn-pico4"))
    assert {name.partition("/")[0] for name in made.tensors()} == {"task", "average"}
    step(made, 0)
    parts: dict[str, set[str]] = {}
    for name in made.tensors():
        part, _, rest = name.partition("/")
        parts.setdefault(part, set()).add(rest)
    assert parts["task"] == parts["average"] == set(made.task.state_dict())
    assert {name.rpartition("/")[0] for name in parts["optimizer"]} == {
        name for name, _ in made.task.named_parameters()
    }


@pytest.mark.parametrize("micro_batch", [1, 3, 8])
def test_a_batch_in_parts_moves_the_weights_as_the_whole_does(micro_batch: int):
    config = tiny.config(
        "vit-pico4", optim__name="sgd", optim__momentum="0", model__stem="patches"
    )  # no batch norm, whose statistics are those of a part
    whole, parts = started(config), started(config)
    moves = []
    for made, size in ((whole, 0), (parts, micro_batch)):
        before = copy.deepcopy(made.task.state_dict())
        figures = made.step(
            batch(0), epoch=0, step=3, planned_steps=10, progress=0.3, micro_batch=size
        )
        after = made.task.state_dict()
        moves.append(({name: after[name] - before[name] for name in before}, figures))
    require_close(moves[0][0], moves[1][0])
    assert moves[0][1] == pytest.approx(moves[1][1], rel=1e-4)


def test_a_part_that_memory_is_too_short_for_leaves_no_trace_of_those_before():
    made = started(tiny.config("cnn-pico4"))  # with batch norms
    before, real, sizes = snapshot(made), made.task.loss, []

    def tight(part: Batch, *, progress: float) -> Mapping[str, Tensor]:
        sizes.append(len(part))
        if len(sizes) == 2:
            raise torch.OutOfMemoryError("no room")
        return real(part, progress=progress)

    made.task.loss = tight  # pyrefly: ignore[bad-assignment]
    with pytest.raises(torch.OutOfMemoryError):
        made.step(batch(3), epoch=0, step=3, planned_steps=10, progress=0.3, micro_batch=4)

    assert sizes == [4, 4]
    assert tiny.same_bits(made.tensors(), before)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_figure_of_a_step_is_copied_by_itself(family: str, monkeypatch: pytest.MonkeyPatch):
    """Each would make the processor wait for a GPU, which then has nothing to do."""
    made = started(tiny.config(family))
    monkeypatch.setattr(Tensor, "item", lambda _: pytest.fail("copied by itself"))
    assert set(step(made, 3)) == {"loss", "top1", "grad_norm"}
