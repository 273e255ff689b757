"""The student is compared with the teacher on other views than the teacher's own."""

import math

import pytest
import torch
from torch import Tensor

from saccade.losses.dino import sharpened, teacher_agreement


def slow_agreement(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    terms = []
    for i in range(len(teacher)):
        for j in range(len(student)):
            if i != j:
                log_probs = torch.log_softmax(student[j] / temperature, dim=1)
                terms.append(-(teacher[i] * log_probs).sum(dim=1).mean())
    return torch.stack(terms).mean()


@pytest.mark.parametrize(("num_views", "num_whole"), [(2, 2), (6, 2), (3, 1)])
def test_it_is_the_mean_over_all_pairs_of_different_views(num_views: int, num_whole: int) -> None:
    student = torch.randn(num_views, 4, 10)
    teacher = torch.randn(num_whole, 4, 10).softmax(dim=2)

    found = teacher_agreement(student, teacher, temperature=0.1)

    torch.testing.assert_close(found, slow_agreement(student, teacher, 0.1))


def test_a_student_that_says_the_same_pays_the_entropy_of_the_teacher() -> None:
    logits = torch.randn(1, 4, 10)
    teacher = sharpened(logits.expand(2, -1, -1), torch.zeros(10), temperature=0.5)
    entropy = -(teacher * teacher.log()).sum(dim=2).mean()

    found = teacher_agreement(logits.expand(4, -1, -1), teacher, temperature=0.5)

    torch.testing.assert_close(found, entropy)


def test_sharpening_makes_sure_and_centring_makes_even() -> None:
    logits = torch.randn(2, 200, 8)
    logits[:, :, 3] += 5  # one prototype takes nearly all pictures

    def takes(centre: Tensor, temperature: float) -> Tensor:
        return sharpened(logits, centre, temperature=temperature).mean(dim=(0, 1))

    assert takes(torch.zeros(8), 0.5)[3] > 0.95
    assert takes(logits.mean(dim=(0, 1)), 0.5).max() < 0.2
    sure = sharpened(logits, torch.zeros(8), temperature=0.04).amax(dim=2).mean()
    unsure = sharpened(logits, torch.zeros(8), temperature=10.0)
    assert sure > 0.98
    assert torch.special.entr(unsure).sum(dim=2).mean() > 0.95 * math.log(8)
