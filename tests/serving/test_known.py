"""A limit refuses the share it may, the fifth-nearest decides, and a file comes back as it went."""

from pathlib import Path

import numpy as np
import pytest
import torch

from saccade.errors import SaccadeError, UsageError
from saccade.serving.known import MOST_HELD_OUT, SCORES, Known, kept_scores, load_known, standardise


def known(scores: np.ndarray, *, vectors: torch.Tensor | None = None) -> Known:
    parts = [torch.randn(40, 3, generator=torch.Generator().manual_seed(0))]
    mean, scale, made = standardise(parts if vectors is None else [vectors])
    kept = kept_scores(scores)
    return Known(
        mean=mean,
        scale=scale,
        vectors=made,
        held_out={name: kept.clone() for name in SCORES},
    )


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_new_pictures_of_the_same_kind_are_refused_no_more_often_than_they_may(share: float):
    rng, refused = np.random.default_rng(0), []
    for _ in range(600):
        limit = known(rng.normal(size=60)).refusal(share).limit
        refused.append((rng.normal(size=20) < np.float32(limit)).mean())
    error = 3 * np.std(refused) / np.sqrt(600)
    assert share - 1 / 61 - error < np.mean(refused) < share + error


def test_a_share_that_the_held_out_pictures_cannot_tell_is_refused_with_the_least_one():
    few = known(np.arange(19.0))
    assert few.refusal(0.05).limit == 0.0
    with pytest.raises(UsageError, match=r"19 pictures .* no share below 0\.050"):
        few.refusal(0.04)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 5.0, float("nan")])
def test_a_share_lies_between_nothing_and_everything(share: float):
    with pytest.raises(UsageError, match=r"above 0 and below 1"):
        known(np.arange(50.0)).refusal(share)


def test_a_score_of_another_name_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"'kmm'.*knn"):
        known(np.arange(50.0)).refusal(0.1, by="kmm")


def test_the_reason_names_both_numbers_and_there_is_none_at_the_limit():
    limit = known(np.arange(99.0) - 99).refusal(0.05)
    assert limit.limit == -95.0
    assert limit.reason(-95.0) is None
    assert limit.reason(-95.5) == (
        "unlike the pictures it learned from: distance 95.500, of 95 % of known pictures at most "
        "95.000"
    )
    unsure = known(np.linspace(0.3, 1, 99)).refusal(0.1, by="probability").reason(0.2)
    assert unsure is not None
    assert "unsure: probability 0.200, of 90 %" in unsure
    silent = known(np.arange(99.0)).refusal(0.1, by="energy").reason(-3.0)
    assert silent is not None
    assert "-3.000" in silent


def test_familiarity_is_the_distance_to_the_fifth_nearest_standardised():
    vectors = torch.arange(50.0)[:, None] * torch.tensor([[1.0, 50.0]])
    found = known(np.arange(9.0), vectors=vectors)
    spread = vectors[:, 0].std(correction=0)
    here = found.familiarity([torch.tensor([[20.0, 1000.0]])])
    assert float(here) == pytest.approx(-2 / float(spread), rel=0.02)  # 18, 19, 20, 21, 22
    far = found.familiarity([torch.tensor([[100.0, 5000.0]])])
    assert float(far) == pytest.approx(-55 / float(spread), rel=0.02)


def test_parts_count_alike_however_wide_and_dead_channels_do_not_explode():
    generator = torch.Generator().manual_seed(0)
    wide, narrow = torch.randn(500, 64, generator=generator), torch.randn(500, 2) * 100
    wide[:, 0] = 7.0  # never varies
    mean, scale, vectors = standardise([wide, narrow])
    energy = vectors.float().pow(2).mean(dim=0)
    assert float(energy[64:].sum()) == pytest.approx(1.0, rel=0.01)
    assert float(energy[:64].sum()) == pytest.approx(63 / 64, rel=0.01)
    breath = (torch.tensor([7.001]) - mean[:1]) * scale[:1]
    assert abs(float(breath)) < 0.1


def test_few_remembered_pictures_are_enough():
    vectors = torch.tensor([[0.0], [1.0]])
    assert known(np.arange(9.0), vectors=vectors).familiarity([torch.tensor([[0.0]])]) < 0


def test_many_held_out_scores_are_thinned_evenly_and_sorted():
    scores = np.random.default_rng(0).normal(size=MOST_HELD_OUT * 3)
    kept = kept_scores(scores)
    assert len(kept) == MOST_HELD_OUT
    assert (kept.diff() >= 0).all()
    assert np.quantile(kept.numpy(), 0.05) == pytest.approx(np.quantile(scores, 0.05), abs=0.01)
    assert kept[0] == np.float32(scores.min())


def test_a_file_comes_back_as_it_went_and_a_damaged_one_is_named(tmp_path: Path):
    made = known(np.arange(60.0))
    made.save(tmp_path / "known.safetensors")
    again = load_known(tmp_path / "known.safetensors")
    assert again is not None
    query = [torch.ones(2, 3)]
    assert torch.equal(again.familiarity(query), made.familiarity(query))
    assert again.refusal(0.1) == made.refusal(0.1)
    assert load_known(tmp_path / "none.safetensors") is None
    data = (tmp_path / "known.safetensors").read_bytes()
    (tmp_path / "known.safetensors").write_bytes(data[:100])
    with pytest.raises(UsageError, match="is damaged"):
        load_known(tmp_path / "known.safetensors")
    with pytest.raises(SaccadeError, match="could not write"):
        made.save(tmp_path / "no folder" / "known.safetensors")
