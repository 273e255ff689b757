"""Every probe sees the same labels, and only as many as it was given."""

from typing import Any

import pytest
import torch

from saccade.serving.probe import ProbeRow, _draw, probe_features
from saccade.serving.probe_features import ProbeFeatures


def made(count: int, *, num_with_tokens: int | None = None, shift: float = 0.0) -> ProbeFeatures:
    generator = torch.Generator().manual_seed(count)
    labels = torch.arange(count) % 3
    vectors = 5 * torch.eye(3, 8)[labels] + torch.randn(count, 8, generator=generator) + shift
    size = count if num_with_tokens is None else num_with_tokens
    return ProbeFeatures(
        vectors=vectors,
        tokens=vectors[:size, None].half() if size else torch.empty(0, 1, 1),
        labels=labels,
        ids=torch.arange(count),
    )


def rows(train: ProbeFeatures, test: ProbeFeatures, **changes: Any) -> list[ProbeRow]:
    given: dict[str, Any] = {
        "probes": ("knn", "linear", "attentive"),
        "shots": (5, 1),
        "repeats": 2,
        "num_classes": 3,
        "seed": 0,
    } | changes
    return list(probe_features("model", train, test, **given))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saccade.serving.probe_attentive.FEWEST_STEPS", 20)
    monkeypatch.setattr("saccade.serving.probe_attentive.LR", 2e-2)


def test_there_is_a_row_for_each_probe_and_number_of_labels() -> None:
    found = rows(made(90), made(60))

    assert [(row.shots, row.probe) for row in found] == [
        (shots, probe) for shots in (None, 1, 5) for probe in ("knn", "linear", "attentive")
    ]
    assert [row.num_labels for row in found] == [90] * 3 + [3] * 3 + [15] * 3
    assert [row.draws for row in found] == [1] * 3 + [2] * 6
    assert all(row.low <= row.top1 <= row.high for row in found)
    assert all((row.std is None) == (row.shots is None) for row in found)
    assert all(row.top1 > 0.85 for row in found if row.shots is None)


def test_labels_are_drawn_class_by_class_and_other_seeds_draw_others() -> None:
    labels = torch.tensor([0] * 10 + [1] * 2 + [2] * 10)

    first, again, other = (_draw(labels, 4, seed=seed) for seed in (0, 0, 1))

    assert labels[first].bincount().tolist() == [4, 2, 4]
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert sorted(_draw(labels, None, seed=0).tolist()) == list(range(22))


def test_the_attentive_probe_is_passed_over_without_tokens() -> None:
    found = rows(made(30, num_with_tokens=0), made(30, num_with_tokens=0), shots=())

    assert [row.probe for row in found] == ["knn", "linear"]


def test_the_attentive_probe_uses_the_pictures_whose_tokens_fitted() -> None:
    (row,) = rows(
        made(90, num_with_tokens=60), made(60, num_with_tokens=30), probes=["attentive"], shots=()
    )

    assert row.top1 > 0.85


def test_what_all_vectors_share_does_not_hide_their_neighbours() -> None:
    """Far from the middle all cosines are nearly one, and twenty votes would be a draw."""
    near = rows(made(90), made(60), probes=["knn"])
    far = rows(made(90, shift=100), made(60, shift=100), probes=["knn"])

    for first, second in zip(near, far, strict=True):
        assert second.top1 == pytest.approx(first.top1, abs=0.02)


def test_the_attentive_probe_gets_as_many_labels_as_its_row_says() -> None:
    (every, few) = rows(
        made(90, num_with_tokens=6), made(30), probes=["attentive"], shots=(1,), repeats=2
    )

    assert every.num_labels == 6
    assert few.num_labels == 3
