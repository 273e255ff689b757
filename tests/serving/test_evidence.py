"""Evidence is what the model says anyway, and does not depend on the batch a picture is in."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from saccade.data.batch import Batch
from saccade.data.clips.sources import open_clip_inputs
from saccade.data.sources import open_pictures
from saccade.errors import UsageError
from saccade.serving.evidence import (
    ClassEngine,
    class_logits,
    evidence,
    familiarity,
    statistics,
)
from saccade.serving.load import load_engine
from saccade.serving.views import look
from tests import moving, tiny, trusted


@pytest.fixture(scope="module")
def engine() -> ClassEngine:
    return load_engine(trusted.world().run, device="cpu")


@pytest.fixture(scope="module")
def batch(engine: ClassEngine) -> Batch:
    return next(engine.loader(open_pictures([trusted.world().more])).batches())


def test_logits_are_those_of_the_task(engine: ClassEngine, batch: Batch):
    found = evidence(engine, batch)
    with torch.inference_mode(), torch.autocast("cpu", enabled=engine.precision == "bf16"):
        expected = engine.task(batch.images).logits.float()
    torch.testing.assert_close(found.logits, expected)
    torch.testing.assert_close(found.plain_logits, found.logits)
    torch.testing.assert_close(class_logits(engine, batch), expected)
    assert found.logits.dtype == torch.float32


def test_with_views_the_logits_are_their_mean_and_the_plain_ones_stay(
    engine: ClassEngine, batch: Batch
):
    seeing = engine.seeing(3)
    found, plain = evidence(seeing, batch), evidence(engine, batch)
    each = [
        class_logits(engine, replace(batch, images=look(batch.images, view)))
        for view in seeing.views
    ]
    torch.testing.assert_close(found.logits, torch.stack(each).mean(dim=0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(class_logits(seeing, batch), found.logits, rtol=1e-4, atol=1e-5)
    assert torch.equal(found.plain_logits, plain.plain_logits)
    assert not torch.allclose(found.logits, plain.logits)


def test_what_a_picture_is_known_by_is_what_it_is_like_and_what_the_head_reads(
    engine: ClassEngine, batch: Batch
):
    like, read = evidence(engine, batch).parts
    assert like.shape == (len(batch.images), 18)
    assert len(read) == len(batch.images)
    assert like.isfinite().all()
    assert read.isfinite().all()
    with torch.inference_mode(), torch.autocast("cpu", enabled=engine.precision == "bf16"):
        logits = engine.task.head.classify(read).float()
    torch.testing.assert_close(logits, evidence(engine, batch).logits, rtol=1e-2, atol=1e-2)


def test_statistics_are_means_and_spreads_of_pixels_and_steps():
    image = torch.tensor([[0.0, 1.0, 3.0], [4.0, 4.0, 4.0]])[None, None]
    across, down = torch.tensor([1.0, 2.0, 0.0, 0.0]), torch.tensor([4.0, 3.0, 1.0])
    of = [image.flatten(), across, down]
    expected = [part for each in of for part in (each.mean(), each.std(correction=0))]
    torch.testing.assert_close(statistics(image), torch.stack(expected)[None])
    still = image[:, None].expand(1, 4, 1, 2, 3)
    torch.testing.assert_close(statistics(still), statistics(image))
    assert statistics(torch.ones(2, 3, 1, 1)).tolist() == [[1.0] * 3 + [0.0] * 15] * 2


def test_a_picture_scores_alike_in_any_batch(engine: ClassEngine, batch: Batch):
    together = familiarity(engine, evidence(engine, batch))
    alone = replace(batch, images=batch.images[3:4], ids=batch.ids[3:4])
    for name, scores in familiarity(engine, evidence(engine, alone)).items():
        torch.testing.assert_close(scores, together[name][3:4], rtol=1e-3, atol=1e-3)


def test_scores_are_the_formulas(engine: ClassEngine, batch: Batch):
    found = evidence(engine, batch)
    scores = familiarity(engine, found)
    torch.testing.assert_close(scores["energy"], found.logits.exp().sum(dim=1).log())
    probs = (found.logits / engine.temperature).softmax(dim=1)
    torch.testing.assert_close(scores["probability"], probs.max(dim=1).values)
    assert engine.temperature != 1
    assert list(familiarity(replace(engine, known=None), found)) == ["energy", "probability"]


def test_clips_have_evidence_too():
    world = moving.world()
    engine = load_engine(world.run, device="cpu")
    samples = open_clip_inputs(sorted(world.source.glob("*/*"))[:2])
    batch = next(engine.loader(samples).batches())
    found = evidence(engine, batch)
    torch.testing.assert_close(found.logits, class_logits(engine, batch))
    assert all(part.isfinite().all() for part in found.parts)


def test_weights_without_a_head_name_no_class(tmp_path: Path):
    engine = load_engine(tiny.foreign_weights(tmp_path / "vit", ()), device="cpu")
    batch = Batch(
        images=torch.zeros(1, 3, 16, 16, dtype=torch.uint8), targets=None, ids=torch.arange(1)
    )
    for ask in (class_logits, evidence):
        with pytest.raises(UsageError, match="have no head"):
            ask(engine, batch)
