"""MAE sees only what is visible, draws the rest, and can show it."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from saccade.config.model import ModelConfig
from saccade.data.batch import Batch
from saccade.losses.mae import hidden_patches
from saccade.tasks.pretrain.mae import PretrainMae
from saccade.tokens.masking import draw_visible, is_hidden
from saccade.tokens.patches import patchify
from tests.contract.worlds.world import VIT
from tests.tasks.pretrain.worlds import make, pictures

CLASS = replace(VIT, has_class_token=True, pool="class")
ROTARY = replace(VIT, position="rotary")
MODELS = {"mean": VIT, "class token": CLASS, "rotary": ROTARY}


def task(model: ModelConfig = VIT, **numbers: Any) -> PretrainMae:
    made = make(model, method="mae", **numbers)
    assert isinstance(made, PretrainMae)
    return made.eval()


@pytest.mark.parametrize("model", list(MODELS.values()), ids=list(MODELS))
def test_what_is_hidden_cannot_be_seen(model: ModelConfig) -> None:
    """The drawing does not change with the hidden pixels, and does with the visible ones."""
    made, images = task(model), pictures().images
    places = draw_visible(
        6,
        16,
        hidden=0.75,
        are_alike=model is ROTARY,
        device=images.device,
        generator=torch.Generator().manual_seed(2),
    )
    hidden = is_hidden(places, 16).view(6, 1, 4, 4)
    hidden = hidden.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)

    def drawn(pixels: torch.Tensor) -> torch.Tensor:
        numbers = made.normalise(pixels)
        return made._draw(numbers, torch.Generator().manual_seed(2))[0]

    with torch.no_grad():
        plain = drawn(images)
        torch.testing.assert_close(drawn(torch.where(hidden, 255 - images, images)), plain)
        other = drawn(torch.where(hidden, images, 255 - images))
    assert not torch.allclose(other, plain, atol=1e-3)


def test_the_loss_is_the_error_on_the_hidden_patches() -> None:
    made, batch = task(), pictures()
    generator = torch.Generator().manual_seed(4)
    found = made.error(batch.images, generator=generator)

    numbers = made.normalise(batch.images)
    drawn, places = made._draw(numbers, generator.manual_seed(4))
    expected = hidden_patches(drawn, patchify(numbers, 4), is_hidden(places, 16))

    torch.testing.assert_close(found, expected)
    torch.manual_seed(4)
    torch.testing.assert_close(made.loss(batch, progress=0.0)["loss"], expected)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (13, 18)])
def test_a_redrawn_picture_keeps_its_size_and_its_visible_patches(height: int, width: int) -> None:
    made = task()
    images = torch.randint(256, (3, 3, height, width), dtype=torch.uint8)

    drawing = made.redraw(images, generator=torch.Generator().manual_seed(4))

    assert drawing.shown.shape == drawing.drawn.shape == images.shape
    numbers = made._padded(images)
    _, places = made._draw(numbers, torch.Generator().manual_seed(4))
    rows, columns = numbers.shape[2] // 4, numbers.shape[3] // 4
    hidden = is_hidden(places, rows * columns).view(3, 1, rows, columns)
    hidden = hidden.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)[..., :height, :width]
    hidden = hidden.expand_as(images)
    for shown in drawing:
        assert (shown.int() - images.int())[~hidden].abs().max() <= 1
    grey = (made.scale.mean * 255).round().to(torch.uint8).expand_as(images)
    assert torch.equal(drawing.shown[hidden], grey[hidden])


def test_measured_in_pieces_the_loss_is_the_mean_over_pictures() -> None:
    made, batch = task(), pictures(6, labels=True)

    def measured(*parts: slice) -> dict[str, float]:
        measure = made.metrics()
        with torch.inference_mode():
            for part in parts:
                measure.update(
                    Batch(
                        images=batch.images[part],
                        targets=batch.labels[part],
                        ids=batch.ids[part],
                    )
                )
        return measure.figures()

    whole, again = measured(slice(0, 6)), measured(slice(0, 6))
    pieces = measured(slice(0, 4), slice(4, 6))
    assert whole == again
    assert pieces["loss"] == pytest.approx(whole["loss"], rel=0.3)
    assert pieces["knn_top1"] == whole["knn_top1"]
    assert made.best_figure in whole
