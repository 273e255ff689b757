"""The ablation's table: differences seed by seed, with an interval that says how sure they are."""

import math

import pytest

pytest.importorskip("benchmarks", reason="the benchmarks are not part of a release")

from benchmarks.ablation_cases import CASES, GROUPS
from benchmarks.ablation_table import markdown, paired_difference, summarise


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
    found = paired_difference({0: 0.52, 1: 0.82}, {0: 0.50, 1: 0.80})

    assert found["mean"] == pytest.approx(0.02)
    assert found["high"] - found["low"] == pytest.approx(0, abs=1e-9)


def test_the_interval_is_students_t_over_the_differences() -> None:
    """Differences 1, 2, 3: mean 2, deviation 1, t = 4.3027 with 2 degrees of freedom."""
    found = paired_difference({0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.0, 1: 0.0, 2: 0.0})

    half = 4.302652729911275 / math.sqrt(3)
    assert (found["mean"], found["n"]) == (2.0, 3)
    assert found["low"] == pytest.approx(2 - half)
    assert found["high"] == pytest.approx(2 + half)


def test_seeds_that_only_one_side_has_are_left_out() -> None:
    found = paired_difference({0: 0.6, 1: 0.7, 5: 0.0}, {0: 0.5, 1: 0.5, 7: 1.0})

    assert (found["n"], found["mean"]) == (2, pytest.approx(0.15))


def test_one_seed_says_nothing_about_the_spread() -> None:
    found = paired_difference({0: 0.6}, {0: 0.5})

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
            GROUPS[-1].baseline: (0.50, 0.51),
            sure: (0.60, 0.61),
            unsure: (0.50, 0.56),
        }.items()
        for seed, top1 in enumerate(values)
    ]

    table = markdown({"summary": summarise(rows)})

    assert f"| {sure} | 60.5 ± 0.7 | **+10.0 (+10.0 to +10.0)** |" in table
    assert f"| {unsure} | 53.0 ± 4.2 | +2.5 (" in table
    assert "| baseline |" in table


def test_cases_that_were_not_run_are_not_in_the_table() -> None:
    table = markdown({"summary": summarise([run("cnn", 0, 0.5)])})

    assert "| cnn | 50.0 ± 0.0 |" in table
    assert "attncnn cosine" not in table
