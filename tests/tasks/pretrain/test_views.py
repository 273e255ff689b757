"""VISReg and LeJEPA: their loss is made of its parts, and held-out figures do not change."""

from typing import Any

import pytest
import torch

from saccade.data.augment.crops import make_views
from saccade.data.batch import Batch
from saccade.losses.agreement import disagreement
from saccade.losses.sigreg import sigreg
from saccade.losses.visreg import random_directions, visreg
from saccade.tasks.pretrain import representation
from saccade.tasks.pretrain.views import Pretrain
from tests.tasks.pretrain.worlds import make, pictures

CPU = torch.device("cpu")


def task(**numbers: Any) -> Pretrain:
    made = make(**numbers)
    assert isinstance(made, Pretrain)
    return made


@pytest.mark.parametrize("method", ["visreg", "lejepa"])
def test_the_loss_is_disagreement_and_regulariser_in_their_shares(method: str) -> None:
    made = task(method=method, regulariser=0.3)
    projected = torch.randn(4, 6, 4)

    found = made.losses(projected, generator=torch.Generator().manual_seed(1))

    directions = random_directions(
        4, count=8, device=CPU, generator=torch.Generator().manual_seed(1)
    )
    apart = disagreement(projected, num_whole=2)
    spread = (
        sigreg(projected, directions)
        if method == "lejepa"
        else sum(visreg(projected, directions).values())
    )
    torch.testing.assert_close(found["loss"], 0.7 * apart + 0.3 * spread)
    torch.testing.assert_close(found["disagreement"], apart)


def test_views_are_projected_view_by_view_the_global_ones_first() -> None:
    made = task().eval()
    views = make_views(pictures().images, made.config)

    projected = made.project(views)

    assert projected.shape == (4, 6, 4)
    for v, view in enumerate([*views.whole, *views.parts]):
        torch.testing.assert_close(projected[v], made.head(made.vectors(view)))


def test_the_loss_needs_no_local_views_and_no_labels() -> None:
    made = task(num_local_views=0)

    assert made.loss(pictures(), progress=0.0)["loss"].isfinite()


def test_the_loss_is_in_fp32_under_autocast() -> None:
    made = task()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = made.loss(pictures(), progress=0.0)

    assert {value.dtype for value in losses.values()} == {torch.float32}
    losses["loss"].backward()


def test_views_are_random_in_training_and_the_same_for_every_measure() -> None:
    made, batch = task(), pictures(labels=True)
    first, second = (made.loss(batch, progress=0.0)["loss"] for _ in range(2))
    assert first != second

    found = []
    for _ in range(2):
        measure = made.eval().metrics()
        torch.rand(3)  # the global generator is elsewhere now
        with torch.inference_mode():
            measure.update(batch)
        found.append(measure.figures())
    assert found[0] == found[1]
    assert {"loss", "view_recall", "effective_rank", "mean_std", "knn_top1"} <= set(found[0])


def test_measured_in_pieces_the_loss_is_that_of_all_pictures_together() -> None:
    """A batch's statistics would depend on its size."""
    made, batch = task().eval(), pictures(6)
    measure = made.metrics()
    projected = []
    with torch.inference_mode():
        for part in (slice(0, 4), slice(4, 6)):
            some = Batch(images=batch.images[part], targets=None, ids=batch.ids[part])
            measure.update(some)
            generator = representation.random_as_before(some)
            projected.append(
                made.project(make_views(some.images, made.config, generator=generator))
            )
        expected = made.losses(
            torch.cat(projected, dim=1), generator=torch.Generator().manual_seed(1)
        )

    assert measure.figures()["loss"] == pytest.approx(expected["loss"].item(), rel=1e-5)
    assert "knn_top1" not in measure.figures()


def test_no_more_pictures_are_measured_than_needed() -> None:
    assert task().most_judged == representation.MOST_JUDGED >= 1000


def test_the_answer_is_the_vector_of_the_backbone_at_unit_length() -> None:
    made, batch = task().eval(), pictures()

    found = made.predict(batch)

    tokens = made.backbone(made.normalise(batch.images))
    expected = torch.nn.functional.normalize(tokens.patches.mean(dim=1), dim=1)
    torch.testing.assert_close(found, expected)
    assert not found.requires_grad


def test_the_score_of_an_explanation_is_half_the_squared_length_of_the_vector() -> None:
    made, batch = task().eval(), pictures()

    found = made.score(made.tokens(batch.images), torch.zeros(6, dtype=torch.int64))

    expected = made.vectors(batch.images).square().sum(dim=1) / 2
    torch.testing.assert_close(found, expected)
