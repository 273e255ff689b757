"""The second half of the calibration section says what an evaluation holds, and no more."""

from typing import Any

import pytest

from saccade.reporting.trust import Trust, trust
from tests.reporting.conftest import evaluation


def result(**more: Any) -> dict[str, Any]:
    return {**evaluation(["cat", "dog", "owl"], n=80, seed=3), **more}


def shown(**more: Any) -> Trust:
    return trust(result(**more))


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def test_a_temperature_is_told_with_the_figures_before_it():
    before = {"metrics": {"ece": {"value": 0.25, "low": 0.2, "high": 0.3}}}
    found = shown(temperature=2.0, untempered=before)
    assert "temperature of 2.000" in found.temperature
    assert "less sure" in found.temperature
    assert "surer" in shown(temperature=0.5).temperature
    name, without, now, interval = found.moved[0]
    metrics = result()["metrics"]["ece"]
    assert (name, without, now) == ("ECE", "0.2500", f"{metrics['value']:.4f}")
    assert interval == f"{metrics['low']:.4f} to {metrics['high']:.4f}"


@pytest.mark.parametrize("untempered", [{}, None])
def test_without_one_there_is_no_column_of_what_was_before(untempered: object):
    found = shown(temperature=1.0, untempered=untempered)
    assert "No temperature" in found.temperature
    assert {row[1] for row in found.moved} == {""}


def test_each_share_refused_has_what_is_left_wrong():
    found = shown()
    error = 1 - result()["metrics"]["top1"]["value"]
    assert plain(found.rows[0][0]) == "0 %"
    assert plain(found.rows[0][2]).startswith(f"{100 * error:.1f} % (")
    assert found.risk is not None
    assert "Risk over coverage" in found.risk
    assert found.area.startswith(f"{result()['metrics']['aurc']['value']:.3f} (")


def test_limits_are_told_in_words():
    share = {"value": 0.06, "low": 0.02, "high": 0.14}
    found = shown(refused=[{"by": "knn", "may": 0.05, "refused": share, "top1": None}])
    assert [plain(cell) for cell in found.limits[0]] == [
        "distance to the training pictures",
        "5.0 %",
        "6.0 %",
        "2.0 % to 14.0 %",
        "",
    ]


def test_an_evaluation_of_an_older_version_shows_what_it_has():
    old = {key: value for key, value in result().items() if not key.startswith("risk")}
    old["metrics"] = {name: old["metrics"][name] for name in ("top1", "ece", "log_loss")}
    found = trust(old)
    assert (found.risk, found.rows, found.limits, found.area) == (None, [], [], "")
    assert [row[0] for row in found.moved] == ["ECE", "Log loss"]
