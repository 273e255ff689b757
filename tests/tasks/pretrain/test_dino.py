"""DINO's teacher follows its student, is kept with it, and gets no gradient."""

from typing import Any

import pytest
import torch
from torch import Tensor

from saccade.data.augment.crops import make_views
from saccade.losses.dino import sharpened, teacher_agreement
from saccade.tasks.pretrain.dino import CENTRE_DECAY, PretrainDino
from tests.tasks.pretrain.worlds import make, pictures


def task(**numbers: Any) -> PretrainDino:
    made = make(method="dino", **numbers)
    assert isinstance(made, PretrainDino)
    return made


def weights(made: PretrainDino, *, whose: str) -> list[Tensor]:
    parts = (
        [made.backbone, made.head]
        if whose == "student"
        else [made.teacher["backbone"], made.teacher["head"]]
    )
    return [value.clone() for part in parts for value in part.state_dict().values()]


def disturb(made: PretrainDino) -> None:
    with torch.no_grad():
        for parameter in [*made.backbone.parameters(), *made.head.parameters()]:
            parameter.add_(torch.randn_like(parameter))


def test_the_first_lesson_copies_the_student_whatever_it_started_from() -> None:
    made = task()
    disturb(made)  # as --init does

    made.loss(pictures(), progress=0.0)

    for mine, theirs in zip(
        weights(made, whose="teacher"), weights(made, whose="student"), strict=True
    ):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize(("progress", "decay"), [(0.0, 0.9), (0.5, 0.95), (1.0, 1.0)])
def test_later_lessons_move_it_a_little_and_ever_less(progress: float, decay: float) -> None:
    made = task(teacher_decay=0.9)
    made.loss(pictures(), progress=0.0)
    before = weights(made, whose="teacher")
    disturb(made)

    made.loss(pictures(), progress=progress)

    after, student = weights(made, whose="teacher"), weights(made, whose="student")
    for old, new, wanted in zip(before, after, student, strict=True):
        torch.testing.assert_close(new, decay * old + (1 - decay) * wanted)


def test_evaluating_teaches_nothing() -> None:
    made = task()
    made.loss(pictures(), progress=0.0)
    before = {name: value.clone() for name, value in made.state_dict().items()}
    made.eval()

    made.loss(pictures(), progress=0.5)
    made.metrics().update(pictures())

    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())


def test_the_loss_is_the_agreement_with_the_centred_teacher() -> None:
    made, batch = task(), pictures()
    made.loss(batch, progress=0.0)
    made.eval()
    torch.manual_seed(5)
    found = made.loss(batch, progress=0.0)
    torch.manual_seed(5)
    views = make_views(batch.images, made.config)

    teacher = sharpened(made.teacher_says(views.whole), made.centre, temperature=0.04)
    expected = teacher_agreement(made.student_says(views), teacher, temperature=0.1)

    torch.testing.assert_close(found["loss"], expected)
    entropy = -(teacher * teacher.clamp(min=1e-30).log()).sum(dim=2).mean()
    torch.testing.assert_close(found["teacher_entropy"], entropy)


def test_the_centre_begins_as_the_mean_and_follows_it() -> None:
    made, batch = task(), pictures()
    torch.manual_seed(5)
    made.loss(batch, progress=0.0)
    torch.manual_seed(5)
    views = make_views(batch.images, made.config)
    mean = made.teacher_says(views.whole).mean(dim=(0, 1))
    torch.testing.assert_close(made.centre, mean)

    with torch.no_grad():
        made.centre.zero_()
    torch.manual_seed(5)
    made.loss(batch, progress=1.0)

    torch.testing.assert_close(made.centre, (1 - CENTRE_DECAY) * mean)


def test_the_teacher_gets_no_gradient_and_the_student_all() -> None:
    made = task()
    made.loss(pictures(), progress=0.0)["loss"].backward()

    assert all(p.grad is None and not p.requires_grad for p in made.teacher.parameters())
    assert all(p.grad is not None for p in made.backbone.parameters() if p.numel())


def test_the_teacher_drops_no_paths_while_the_student_trains() -> None:
    made = task().train()

    made.loss(pictures(), progress=0.0)

    assert made.backbone.training
    assert not made.teacher["backbone"].training


def test_weights_are_chosen_by_views_that_find_their_picture() -> None:
    made, batch = task().eval(), pictures(labels=True)
    measure = made.metrics()
    with torch.inference_mode():
        measure.update(batch)

    assert made.best_figure in measure.figures()
    assert not made.best_is_low
    assert "knn_top1" in measure.figures()
