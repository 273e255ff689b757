"""A generator learns the velocity, draws the same sample in any batch, and follows its classes."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.config.task import FlowConfig, GenerateConfig
from saccade.data.batch import Batch
from saccade.losses.flow import flow_losses, mix
from saccade.tasks.flow.build import build_generator
from saccade.tasks.flow.generate import Generate
from saccade.tasks.flow.pixels import to_range
from saccade.tasks.flow.sampling import JUDGING_SEED, last, noise_of, times_of
from saccade.transformer.modulate import Modulation
from tests.contract.worlds.world import SIDE, VIT, noise, tiny_preprocess

NAMES = ("ant", "bee")


def task(class_names: tuple[str, ...] = NAMES, **changes: Any) -> Generate:
    """With random numbers where a fresh one has zeros, so that it says something."""
    config = replace(GenerateConfig(), **changes)
    made = build_generator(
        VIT, config, class_names=class_names, preprocess=tiny_preprocess(), seed=0
    )
    torch.manual_seed(1)
    for module in made.modules():
        if isinstance(module, Modulation):
            torch.nn.init.normal_(module.project.weight, std=0.3)
    torch.nn.init.normal_(made.head.project.weight, std=0.1)
    if made.labels is not None:
        torch.nn.init.normal_(made.labels.weight)
    return made.eval()


def batch(count: int = 4) -> Batch:
    return Batch(
        images=noise(count, 3, SIDE, SIDE), targets=torch.arange(count) % 2, ids=torch.arange(count)
    )


def drawn(made: Generate, ids: list[int], labels: list[int], **changes: Any) -> torch.Tensor:
    asked: dict[str, Any] = {"seed": 0, "guidance": 1.5, "num_steps": 3} | changes
    return last(made.sample(torch.tensor(ids), torch.tensor(labels), **asked))


def test_judging_is_the_loss_at_noise_and_times_of_each_picture() -> None:
    made, given = task(), batch()
    flow, picture = made.config.flow, to_range(given.images)
    ids = given.ids
    e = noise_of(ids, shape=made.shape, seed=JUDGING_SEED, scale=1.0)
    times = times_of(ids, mean=flow.time_mean, std=flow.time_std, num=4, seed=JUDGING_SEED)
    expected = []
    for t in times.unbind(dim=1):
        answer = made.denoise(mix(picture, e, t), t, given.labels)
        expected.append(
            flow_losses(
                answer,
                picture=picture,
                noise=e,
                time=t,
                prediction=flow.prediction,
                smallest_gap=flow.smallest_gap,
            )
        )

    found = made.judge(given, knows_labels=True)

    torch.testing.assert_close(found, torch.stack(expected).mean(dim=0))
    assert not torch.allclose(found, made.judge(given, knows_labels=False), rtol=1e-4)


def test_a_sample_does_not_depend_on_what_is_drawn_with_it() -> None:
    made = task()

    many = drawn(made, [3, 4, 5], [0, 1, 0])

    for k, (i, label) in enumerate([(3, 0), (4, 1), (5, 0)]):
        torch.testing.assert_close(drawn(made, [i], [label])[0], many[k], rtol=1e-4, atol=1e-4)


def test_another_seed_another_number_and_another_class_are_other_pictures() -> None:
    made = task()
    first = drawn(made, [3], [0])

    assert not torch.allclose(first, drawn(made, [3], [0], seed=1), atol=0.1)
    assert not torch.allclose(first, drawn(made, [4], [0]), atol=0.1)
    assert not torch.allclose(first, drawn(made, [3], [1]), atol=1e-3)


def test_guidance_of_one_is_the_class_alone_and_of_zero_is_no_class() -> None:
    made = task(guidance_from=0.0)

    without = drawn(made, [3], [len(NAMES)], guidance=1.0)

    torch.testing.assert_close(drawn(made, [3], [1], guidance=0.0), without, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(drawn(made, [3], [1], guidance=1.0), without, atol=1e-3)


def test_guidance_goes_further_the_same_way() -> None:
    """With one step from noise the velocities are those at time 0, so it can be written out."""
    made = task(guidance_from=0.0)
    start = noise_of(torch.tensor([3]), shape=made.shape, seed=0, scale=1.0)
    zero, classes = torch.zeros(1), [torch.tensor([1]), torch.tensor([len(NAMES)])]
    # Predicted pictures at time 0: the velocity leads to them in the one step.
    conditional, without = (made.denoise(start, zero, label) for label in classes)

    found = drawn(made, [3], [1], guidance=3.0, num_steps=1)

    torch.testing.assert_close(found, without + 3 * (conditional - without), rtol=1e-4, atol=1e-4)


def test_outside_its_times_there_is_no_guidance() -> None:
    never = task(guidance_from=0.999, guidance_to=1.0)

    torch.testing.assert_close(
        drawn(never, [3], [1], guidance=7.0), drawn(never, [3], [1], guidance=1.0)
    )


def test_pictures_are_drawn_in_fp32_under_autocast() -> None:
    made = task()
    plain = drawn(made, [3], [0])

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = drawn(made, [3], [0])

    assert torch.equal(found, plain)


def test_the_class_is_dropped_from_the_share_that_was_asked_for() -> None:
    """With all dropped, labels move no loss; with none, they do."""
    for share, matters in ((1.0, False), (0.0, True)):
        made = task(label_drop=share).train()
        losses = []
        for targets in (torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)):
            torch.manual_seed(5)
            given = replace(batch(), targets=targets)
            losses.append(made.loss(given, progress=0.0)["flow_loss"].item())
        assert (losses[0] != losses[1]) == matters


def test_without_classes_there_is_nothing_to_ask_for_and_no_observer_to_teach() -> None:
    made = task(class_names=()).train()

    losses = made.loss(replace(batch(), targets=None), progress=0.0)

    assert made.labels is None
    assert set(losses) == {"loss", "flow_loss"}
    assert drawn(made.eval(), [0, 1], [0, 0]).shape == (2, 3, SIDE, SIDE)


def test_no_gradient_goes_from_the_observer_to_the_generator() -> None:
    made = task().train()

    made.loss(batch(8), progress=0.0)["observer_loss"].backward()

    assert all(p.grad is None for name, p in made.named_parameters() if "observer" not in name)


def test_a_known_picture_is_recalled_with_a_smaller_loss() -> None:
    made, given = task(class_names=()).train(), replace(batch(1), targets=None)
    torch.nn.init.zeros_(made.head.project.weight)
    optimizer = torch.optim.AdamW(made.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        made.loss(given, progress=0.0)["loss"].backward()
        optimizer.step()
    other = Batch(images=noise(1, 3, SIDE, SIDE, seed=9), targets=None, ids=given.ids)

    known, unknown = made.eval().predict(given), made.predict(other)

    assert known.flow_loss < 0.8 * unknown.flow_loss
    assert known.restored.dtype == known.noisy.dtype == torch.uint8
    gap = (known.restored.float() - given.images.float()).abs().mean()
    assert gap < (known.noisy.float() - given.images.float()).abs().mean()


@pytest.mark.parametrize("kind", ["picture", "velocity", "noise"])
def test_each_kind_of_answer_can_be_learned_and_drawn_from(kind: str) -> None:
    made = task(flow=FlowConfig(prediction=kind)).train()  # pyrefly: ignore[bad-argument-type]

    loss = made.loss(batch(), progress=0.0)["loss"]
    images = drawn(made.eval(), [0], [1])

    assert torch.isfinite(loss)
    assert torch.isfinite(images).all()


def test_figures_are_means_over_all_batches() -> None:
    made = task()
    whole, parts = made.metrics(), made.metrics()
    given = batch(4)
    whole.update(given)
    for k in range(4):
        one = slice(k, k + 1)
        parts.update(Batch(images=given.images[one], targets=given.labels[one], ids=given.ids[one]))

    assert parts.figures() == pytest.approx(whole.figures(), rel=1e-4)
    assert set(whole.figures()) == {"flow_loss", "observer_top1"}
