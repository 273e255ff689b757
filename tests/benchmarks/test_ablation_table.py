"""The ablation's table: differences seed by seed, with an interval that says how sure they are."""

import math

import numpy as np
import pytest

pytest.importorskip("benchmarks", reason="the benchmarks are not part of a release")

from benchmarks.ablation_cases import CASES, GROUPS
from benchmarks.ablation_table import differences, markdown, summarise


def run(case: str, seed: int, top1: float, *, data: str = "fashion") -> dict[str, object]:
    return {
        "case": case,
        "data": data,
        "seed": seed,
        "top1": top1,
        "steps": 100 + seed,
        "images_per_second": 320.0,
        "num_parameters": 1234,
    }


def test_a_difference_is_taken_seed_by_seed() -> None:
    """Seeds that differ by 30 points and a gain of always 2: the gain is certain."""
    found = differences({"ours": {0: 0.52, 1: 0.82}, "base": {0: 0.50, 1: 0.80}}, "base")["ours"]

    assert found["mean"] == pytest.approx(0.02)
    assert found["high"] - found["low"] == pytest.approx(0, abs=1e-9)


def test_with_two_cases_the_interval_is_the_paired_t() -> None:
    """Differences 1, 2, 3: mean 2, deviation 1, t = 4.3027 with 2 degrees of freedom."""
    ours, base = {0: 11.0, 1: 22.0, 2: 33.0}, {0: 10.0, 1: 20.0, 2: 30.0}

    found = differences({"ours": ours, "base": base}, "base")["ours"]

    half = 4.302652729911275 / math.sqrt(3)
    assert (found["mean"], found["n"]) == (2.0, 3)
    assert found["low"] == pytest.approx(2 - half)
    assert found["high"] == pytest.approx(2 + half)


def test_with_more_cases_it_is_that_of_randomised_blocks() -> None:
    """Against the same model fitted by least squares: a mean for each case and each seed."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(4, 3)) + 10 * rng.normal(size=3)  # cases, seeds
    case, seed = (index.ravel() for index in np.indices(table.shape))
    columns = np.concatenate([np.eye(4)[case], np.eye(3)[seed][:, 1:]], axis=1)
    fit, (rest,), rank, _ = np.linalg.lstsq(columns, table.ravel(), rcond=None)
    variance = np.linalg.inv(columns.T @ columns) * rest / (12 - rank)
    contrast = np.array([-1, 0, 1, 0, 0, 0])  # the third case against the first

    figures = {f"{c}": dict(enumerate(table[c].tolist())) for c in range(4)}
    found = differences(figures, "0")["2"]

    half = 2.4469118511449692 * math.sqrt(contrast @ variance @ contrast)  # t, 6 degrees
    assert found["mean"] == pytest.approx(contrast @ fit)
    assert found["high"] - found["mean"] == pytest.approx(half)


def test_seeds_that_not_all_cases_have_are_left_out() -> None:
    found = differences(
        {"ours": {0: 0.6, 1: 0.7, 5: 0.0}, "base": {0: 0.5, 1: 0.5, 7: 1.0}}, "base"
    )["ours"]

    assert (found["n"], found["mean"]) == (2, pytest.approx(0.15))


def test_one_seed_says_nothing_about_the_spread() -> None:
    found = differences({"ours": {0: 0.6}, "base": {0: 0.5}}, "base")["ours"]

    assert found["mean"] == pytest.approx(0.1)
    assert (found["low"], found["high"]) == (None, None)


def test_every_case_is_in_a_group_and_every_group_is_made_of_cases() -> None:
    named = {name for group in GROUPS for name in (group.baseline, *group.others)}

    assert named == set(CASES)


def test_bold_are_only_the_differences_whose_interval_leaves_out_zero() -> None:
    sure, unsure = GROUPS[-1].others[:2]
    rows = [
        run(case, seed, top1)
        for case, values in {
            GROUPS[-1].baseline: (0.50, 0.52),
            sure: (0.60, 0.61),
            unsure: (0.50, 0.54),
        }.items()
        for seed, top1 in enumerate(values)
    ]

    table = markdown({"summary": summarise(rows)})

    assert f"| {sure} | 60.5 ± 0.7 | **+9.5 (+" in table
    assert f"| {unsure} | 52.0 ± 2.8 | +1.0 (-" in table
    assert "| baseline |" in table


def test_cases_that_were_not_run_are_not_in_the_table() -> None:
    table = markdown({"summary": summarise([run("cnn", 0, 0.5), run("attncnn", 0, 0.4)])})

    assert "| cnn | 50.0 ± 0.0 | +10.0 (one seed) |" in table
    assert "attncnn cosine" not in table
