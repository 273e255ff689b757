"""A method goes by its name, fits its model, and always answers on the patch grid."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from saccade.attribution.gradcam import gradcam
from saccade.attribution.legrad import legrad
from saccade.attribution.methods import default_methods, heat, most_likely, parse_method
from saccade.attribution.rollout import rollout
from saccade.errors import UsageError
from saccade.tasks.classify import Classify

MakeTask = Callable[[str], Classify]


def test_each_name_is_its_method(make_task: MakeTask, images: Tensor, classes: Tensor) -> None:
    task = make_task("vit")
    expected = {
        "legrad": legrad(task, images, classes),
        "rollout": rollout(task, images),
        "gradcam": gradcam(task, images, classes),
    }

    for name, answer in expected.items():
        assert torch.equal(heat(task, images, classes, method=parse_method(name)), answer)


@pytest.mark.parametrize("name", ["vit", "vit-class", "rag", "attncnn", "cnn"])
def test_the_default_methods_of_a_model_work_on_it(
    name: str, make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    task = make_task(name)

    for method in default_methods(task):
        answer = heat(task, images, classes, method=method)
        assert answer.shape[0] == 3
        assert answer.shape[1] % 4 == answer.shape[2] % 3 == 0  # attncnn also attends before
        assert answer.min() == 0
        assert answer.max() == 1


def test_rollout_comes_along_as_the_control_that_cannot_know_the_class(
    make_task: MakeTask, images: Tensor
) -> None:
    task = make_task("rag")
    assert default_methods(task) == ("legrad", "rollout")

    ants, bees = (heat(task, images, torch.full((3,), k), method="rollout") for k in range(2))

    assert torch.equal(ants, bees)


def test_the_plain_cnn_is_explained_by_gradcam(make_task: MakeTask) -> None:
    assert default_methods(make_task("cnn")) == ("gradcam",)


@pytest.mark.parametrize("method", ["legrad", "rollout"])
def test_attention_methods_refuse_the_plain_cnn_and_name_gradcam(
    method: str, make_task: MakeTask, images: Tensor, classes: Tensor
) -> None:
    with pytest.raises(UsageError, match="gradcam"):
        heat(make_task("cnn"), images, classes, method=parse_method(method))


def test_an_unknown_method_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'rollot'; did you mean 'rollout'"):
        parse_method("rollot")


def test_the_most_likely_class_is_the_one_explained_by_default() -> None:
    probs = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])

    assert most_likely(probs).tolist() == [1, 0]
