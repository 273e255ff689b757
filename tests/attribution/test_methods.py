"""A method goes by its name, fits its model, and always answers on the patch grid."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from saccade.attribution import methods
from saccade.attribution.gradcam import gradcam
from saccade.attribution.legrad import legrad
from saccade.attribution.methods import (
    default_methods,
    heat,
    most_likely,
    parse_method,
    pictures_at_a_time,
)
from saccade.attribution.rollout import rollout
from saccade.config.run import Preprocess
from saccade.config.task import VideoConfig
from saccade.errors import UsageError
from saccade.tasks.build import build_video
from saccade.tasks.classify import Classify
from tests.attribution.written_out import CONFIGS, VIT

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


@pytest.mark.parametrize("name", [*CONFIGS])
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


@pytest.mark.parametrize("method", ["legrad", "rollout", "gradcam"])
def test_heat_of_a_clip_goes_with_its_frames(method: str) -> None:
    """Without positions nothing but the order of the heat may depend on the order of the clip."""
    config = replace(VIT, tubelet_size=2, position="none")
    task = build_video(
        config,
        VideoConfig(num_frames=6, baseline="none"),
        class_names=("a", "b", "c"),
        preprocess=Preprocess(
            height=16, width=12, channels=3, fit="squash", mean=(0.5,) * 3, std=(0.25,) * 3
        ),
        seed=0,
        label_smoothing=0.0,
    ).eval()
    torch.nn.init.normal_(task.head.classify.weight)
    clips = torch.randint(0, 256, (2, 6, 3, 16, 12), dtype=torch.uint8)
    asked = torch.tensor([2, 0])

    found = heat(task, clips, asked, method=parse_method(method))
    turned = heat(task, clips[:, [4, 5, 0, 1, 2, 3]], asked, method=parse_method(method))

    assert found.shape == (2, 3, 4, 3)
    assert found.flatten(1).amax(dim=1).tolist() == [1, 1]
    assert (found[:, 0] - found[:, 1]).abs().max() > 0.05
    torch.testing.assert_close(turned, found[:, [2, 0, 1]], rtol=1e-3, atol=1e-4)


def test_rollout_comes_along_as_the_control_that_cannot_know_the_class(
    make_task: MakeTask, images: Tensor
) -> None:
    task = make_task("rag")
    assert default_methods(task) == ("legrad", "rollout")
    assert default_methods(task, has_places=True) == ("gradcam", "legrad")

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


@pytest.mark.parametrize("method", ["legrad", "rollout", "gradcam"])
def test_a_batch_is_explained_in_parts_and_each_picture_as_if_alone(
    method: str,
    make_task: MakeTask,
    images: Tensor,
    classes: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = make_task("vit-class")
    together = heat(task, images, classes, method=parse_method(method))

    monkeypatch.setattr(methods, "NUMBERS_AT_A_TIME", 2 * 12 * 16)  # two of the three

    in_parts = heat(task, images, classes, method=parse_method(method))
    torch.testing.assert_close(in_parts, together)


def test_large_pictures_are_explained_fewer_at_a_time(make_task: MakeTask) -> None:
    """Patches of 4 px and 16 numbers for each: twice the side, a quarter of the pictures."""
    task = make_task("vit")

    assert pictures_at_a_time(task, height=64, width=64) == 1024
    assert pictures_at_a_time(task, height=128, width=127) == 256
    assert pictures_at_a_time(task, height=10_000, width=10_000) == 1


EXPLAIN = """
import sys
import torch
from saccade.attribution.methods import heat
from saccade.backbones.sizes import model_config
from saccade.config.run import Preprocess
from saccade.tasks.build import build_classifier

torch.set_num_threads(1)
side = 1024
preprocess = Preprocess(height=side, width=side, channels=3, fit="crop", mean=(0.5,) * 3,
                        std=(0.5,) * 3)
task = build_classifier(model_config("vit-s16"), class_names=("ant", "bee"), preprocess=preprocess,
                        seed=0, label_smoothing=0.0).eval()
torch.nn.init.normal_(task.head.classify.weight)
images = torch.randint(0, 256, (1, 3, side, side), dtype=torch.uint8)
assert heat(task, images, torch.tensor([1]), method="legrad").shape == (1, 64, 64)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's own count")
def test_a_picture_of_1024_pixels_is_explained_in_less_than_2_gib() -> None:
    """4,096 tokens, 12 blocks, 6 heads: the maps alone, kept, would be 4.5 GiB.

    A process of its own, since the peak of this one is that of other tests; and not getrusage,
    whose peak a process inherits from the one that started it.
    """
    done = subprocess.run(
        [sys.executable, "-c", EXPLAIN], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) / 2**20 < 2.0


def test_the_most_likely_class_is_the_one_explained_by_default() -> None:
    probs = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])

    assert most_likely(probs).tolist() == [1, 0]
