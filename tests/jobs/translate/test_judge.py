"""Both ways to translate are judged on the same pairs, pixel by pixel and as sets."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from saccade.data.split import split
from saccade.jobs.job import Judgement
from saccade.jobs.translate.job import TranslateJob
from saccade.jobs.translate.judge import PIECE_PX, TranslateJudgement, answers, judge, pieces
from saccade.metrics.likeness import psnr
from saccade.serving.load import load_engine
from tests import tiny_flow


@pytest.fixture(scope="module")
def asked():
    world = tiny_flow.translator()
    engine = load_engine(world.run, device="cpu")
    parts = split(TranslateJob().open(world.source), val_fraction=0.1, test_fraction=0.3, seed=0)
    assert parts.test is not None
    return engine, engine.loader(parts.test)


@pytest.fixture(scope="module")
def judged(asked) -> TranslateJudgement:
    return judge(*asked)


def test_it_is_a_judgement_with_plain_figures(judged: TranslateJudgement) -> None:
    assert isinstance(judged, Judgement)
    assert judged.headline in judged.metrics
    for name, figure in judged.metrics.items():
        assert figure.low <= figure.value <= figure.high, name
    json.dumps(judged.to_json(), allow_nan=False)


def test_every_figure_of_the_flow_has_one_of_the_baseline(judged: TranslateJudgement) -> None:
    for name in ("frechet", "kernel_distance", "psnr", "ssim"):
        assert name in judged.metrics
        assert f"regression_{name}" in judged.metrics


def test_floor_and_no_answer_at_all_stand_beside_both(judged: TranslateJudgement) -> None:
    names = [row[0] for row in judged.rows]

    assert names == ["other targets", "flow", "one-step regression", "the condition itself"]
    floor = judged.rows[0][3]
    assert floor > 0  # of one half of the targets to the other, and not to itself


def test_psnr_is_the_mean_over_pairs_of_what_is_answered(asked, judged: TranslateJudgement) -> None:
    found = torch.cat([psnr(each.flow, each.target) for each, _ in answers(*asked)])

    assert judged.metrics["psnr"].value == pytest.approx(found.mean().item())


def test_a_row_of_the_table_is_a_pair(judged: TranslateJudgement, tmp_path: Path) -> None:
    judged.write_table(tmp_path / "test.parquet")

    table = pq.read_table(tmp_path / "test.parquet").to_pydict()
    assert table["path"] == judged.names
    assert np.mean(table["regression_psnr"]) == pytest.approx(
        judged.metrics["regression_psnr"].value
    )


def test_large_pictures_are_cut_into_pieces_and_small_ones_are_not() -> None:
    large = torch.arange(2 * 3 * 70 * 100).reshape(2, 3, 70, 100).to(torch.uint8)

    found = pieces(large)

    assert found.shape == (2 * 2 * 3, 3, PIECE_PX, PIECE_PX)
    assert torch.equal(found[1], large[0, :, :PIECE_PX, PIECE_PX : 2 * PIECE_PX])
    assert torch.equal(found[6], large[1, :, :PIECE_PX, :PIECE_PX])
    assert pieces(large[:, :, :40]) is not None
    assert pieces(large[:, :, :40, :40]).shape == (2, 3, 40, 40)


def test_a_short_training_is_judged_on_some_pairs_and_says_so(
    asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, loader = asked
    monkeypatch.setattr(engine.task, "config", replace(engine.task.config, num_judged=2))
    found = judge(engine, loader)
    names = loader.samples.names()
    assert found.names == [names[0], names[-1]]
    assert f"Judged are 2 of {len(names)} pairs (task.num_judged)" in found.notes[0]
