"""The method must fit the masks and the model, and is refused with advice where it does not."""

from dataclasses import replace

import pytest
import torch

from saccade.config.model import CnnConfig, ModelConfig
from saccade.config.task import SegmentConfig, SegmentMethod
from saccade.errors import UsageError
from saccade.tasks.segment.build import build_segmenter
from saccade.tasks.segment.classes import Segment
from saccade.tasks.segment.objects import SegmentMasks
from tests.contract.worlds.world import RAG, VIT, tiny_preprocess

CNN = CnnConfig(embed_dim=16, conv_depth=1, patch_size=4)
OBJECTS = SegmentConfig(method="eomt", truth="segments", num_queries=4)


def build(
    model: ModelConfig,
    task: SegmentConfig,
    *,
    seed: int = 0,
    class_names: tuple[str, ...] = ("cat", "dog"),
) -> Segment | SegmentMasks:
    return build_segmenter(
        model,
        task,
        class_names=class_names,
        preprocess=tiny_preprocess(),
        seed=seed,
        label_smoothing=0.0,
    )


@pytest.mark.parametrize("method", ["linear", "upsample"])
@pytest.mark.parametrize("model", [VIT, RAG, CNN], ids=["vit", "rag", "cnn"])
def test_classes_of_pixels_are_learned_on_every_backbone(
    method: SegmentMethod, model: ModelConfig
) -> None:
    task = build(model, SegmentConfig(method=method)).eval()

    images = torch.zeros(2, 3, 9, 14, dtype=torch.uint8)
    assert isinstance(task, Segment)
    assert task(images).logits.shape == (2, 2, 9, 14)


@pytest.mark.parametrize("model", [VIT, RAG], ids=["vit", "rag"])
def test_objects_are_learned_on_transformers(model: ModelConfig) -> None:
    task = build(model, OBJECTS).eval()

    assert isinstance(task, SegmentMasks)
    assert task(torch.zeros(2, 3, 9, 14, dtype=torch.uint8)).class_logits.shape == (2, 4, 3)


def test_weights_are_a_function_of_the_seed_alone() -> None:
    one, again, other = build(VIT, OBJECTS), build(VIT, OBJECTS), build(VIT, OBJECTS, seed=1)

    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not torch.equal(next(one.head.parameters()), next(other.head.parameters()))


def test_objects_on_a_model_without_blocks_are_refused() -> None:
    with pytest.raises(UsageError, match=r"the model is cnn; choose vit or rag"):
        build(CNN, OBJECTS)


def test_objects_from_masks_of_classes_are_refused() -> None:
    with pytest.raises(UsageError, match=r"hold a class for each pixel; choose task.method=upsamp"):
        build(VIT, replace(OBJECTS, truth="classes"))


def test_stuff_that_no_class_is_called_is_refused() -> None:
    with pytest.raises(UsageError, match=r"task.stuff names sky, and the classes .* cat, dog"):
        build(VIT, replace(OBJECTS, stuff=("cat", "sky")))


@pytest.mark.parametrize("method", ["upsample", "eomt"])
def test_more_classes_of_objects_than_a_map_holds_are_refused(method: SegmentMethod) -> None:
    """A map's numbers are bytes: class 255 of objects would become background without a word."""
    names, task = tuple(str(k) for k in range(255)), replace(OBJECTS, method=method)

    assert build(VIT, task, class_names=names[:254]).class_names == names[:254]
    with pytest.raises(UsageError, match=r"255 classes, and a map .* holds at most 255, backgr"):
        build(VIT, task, class_names=names)
