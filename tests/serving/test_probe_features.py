"""What probes read is what the model says, picture by picture, and the pixels themselves."""

import numpy as np
import pytest
import torch

from saccade.data.sources import open_source
from saccade.serving import probe_features
from saccade.serving.features import embedding
from saccade.serving.load import load_engine
from saccade.serving.probe_features import read_features, read_pixels
from tests.pretrained import pretrained, source


@pytest.fixture(scope="module")
def engine():
    return load_engine(pretrained("visreg").run, device="cpu")


@pytest.fixture(scope="module")
def samples():
    return open_source(source()).splits["all"]


def test_vectors_tokens_and_labels_belong_together(engine, samples) -> None:
    found = read_features(engine, samples, has_tokens=True)

    assert found.vectors.shape == (72, 96)
    assert found.tokens.shape == (72, 16, 96)
    assert found.num_with_tokens == 72
    labels = dict(zip(samples.ids.tolist(), samples.labels.tolist(), strict=True))
    assert [labels[i] for i in found.ids.tolist()] == found.labels.tolist()

    picked = 11
    alone = samples.take(np.flatnonzero(samples.ids == found.ids[picked].item()))
    (batch,) = engine.loader(alone).batches()
    with torch.inference_mode():
        vector = embedding(engine.task, batch)[0]
        tokens = engine.task.tokens(batch.images).patches[0]
    torch.testing.assert_close(found.vectors[picked], vector, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(found.tokens[picked].float(), tokens, rtol=1e-2, atol=1e-2)


def test_features_can_take_part_in_a_fit(engine, samples) -> None:
    found = read_features(engine, samples, has_tokens=True)

    weight = torch.zeros(96, requires_grad=True)
    (found.vectors @ weight).sum().backward()
    assert weight.grad is not None


def test_classes_do_not_come_one_after_the_other(engine, samples) -> None:
    labels = read_features(engine, samples, has_tokens=False).labels

    assert (labels.diff() != 0).sum() > 20


def test_no_more_tokens_are_kept_than_fit(engine, samples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_features, "MOST_TOKEN_BYTES", 16 * 96 * 2 * 40)

    found = read_features(engine, samples, has_tokens=True)

    assert 40 <= found.num_with_tokens < 72
    assert len(found.vectors) == 72
    assert read_features(engine, samples, has_tokens=False).num_with_tokens == 0


def test_pixels_are_those_of_the_same_pictures_in_the_same_order(engine, samples) -> None:
    found, pixels = read_features(engine, samples, has_tokens=False), read_pixels(engine, samples)

    assert torch.equal(found.ids, pixels.ids)
    assert pixels.vectors.shape == (72, 3 * 16 * 16)
    (batch,) = engine.loader(samples.take(pixels.ids[:1].numpy())).batches()
    torch.testing.assert_close(pixels.vectors[0], batch.images[0].flatten() / 255 - 0.5)
