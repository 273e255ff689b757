"""A student takes from its teacher what the config says, in the share that it says."""

import pytest
import torch
import torch.nn.functional as F

from saccade.config.task import TeachConfig, TeachMethod
from saccade.data.targets import ToldFeatures, ToldLogits
from saccade.losses.teach import hard_disagreement, soft_disagreement
from saccade.tasks.lesson import Lesson, build_lesson
from saccade.tokens.tokens import Tokens, from_map


def lesson(method: TeachMethod = "logits", **numbers: object) -> Lesson:
    config = TeachConfig(method=method, **numbers)  # pyrefly: ignore[bad-argument-type]
    made = build_lesson(config, embed_dim=6, pool="mean")
    assert made is not None
    return made


def tokens(side: int = 4) -> Tokens:
    return from_map(torch.randn(2, 6, side, side))


def test_without_a_teacher_there_is_no_lesson() -> None:
    assert build_lesson(TeachConfig(), embed_dim=6, pool="mean") is None


def test_labels_have_what_the_teacher_leaves_of_the_loss() -> None:
    labels, taught = torch.tensor(2.0), torch.tensor(10.0)

    assert lesson(weight=0.25).blend(labels, taught).item() == pytest.approx(4.0)
    assert lesson(weight=0.25, has_labels=False).blend(labels, taught).item() == 10.0


def test_the_method_decides_what_is_taken_from_logits() -> None:
    logits, told = torch.randn(2, 3), torch.randn(2, 3)

    soft = lesson(temperature=3.0).loss(tokens(), logits, ToldLogits(logits=told))
    hard = lesson("hard").loss(tokens(), logits, ToldLogits(logits=told))

    torch.testing.assert_close(soft, soft_disagreement(logits, told, temperature=3.0))
    torch.testing.assert_close(hard, hard_disagreement(logits, told))


def test_patches_are_compared_on_the_grid_of_the_teacher() -> None:
    made, seen = lesson("features", width=5), tokens(4)
    told = ToldFeatures(vectors=F.normalize(torch.randn(2, 2, 2, 5), dim=3))

    vectors = made.vectors(seen, told)

    assert made.map is not None
    # Halving with antialiasing weighs 4 of 4 cells a side 1, 3, 3, 1 about each centre.
    weights = torch.tensor([[3.0, 3.0, 1.0, 0.0], [0.0, 1.0, 3.0, 3.0]]) / 7
    halved = torch.einsum("ay,bx,dyxc->dabc", weights, weights, seen.as_map().permute(0, 2, 3, 1))
    torch.testing.assert_close(vectors, made.map(halved))


def test_cells_of_the_same_grid_are_compared_as_they_are() -> None:
    made, seen = lesson("features", width=5), tokens(2)
    told = ToldFeatures(vectors=F.normalize(torch.randn(2, 2, 2, 5), dim=3))
    assert made.map is not None

    expected = made.map(seen.patches.unflatten(1, (2, 2)))

    torch.testing.assert_close(made.vectors(seen, told), expected)


def test_a_picture_is_compared_by_its_one_vector() -> None:
    made, seen = lesson("features", width=5, of="picture"), tokens()
    told = ToldFeatures(vectors=F.normalize(torch.randn(2, 1, 1, 5), dim=3))
    assert made.map is not None

    vectors = made.vectors(seen, told)

    torch.testing.assert_close(vectors[:, 0, 0], made.map(seen.patches.mean(dim=1)))


def test_a_student_read_by_class_and_mean_has_twice_the_numbers_in_a_picture() -> None:
    config = TeachConfig(method="features", width=5, of="picture")

    made = Lesson(config, embed_dim=6, pool="class_and_mean")

    assert made.map is not None
    assert made.map.in_features == 12
