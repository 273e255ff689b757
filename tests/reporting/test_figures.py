"""Charts are inline SVG that borrows the page's colours, says its title, and never changes."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from saccade.reporting.figures import Line, class_sizes, curves, reliability


def falling(*, num: int, gap: bool = False) -> Line:
    x = np.arange(1.0, num + 1)
    y = 1 / x
    if gap:
        y[num // 2] = np.nan
    return Line(x, y, "blue", "noisy")


def charts() -> dict[str, str]:
    frame = {"x_label": "step", "y_label": "loss", "y_range": (0.0, 0.0)}
    return {
        "curve": curves([falling(num=100)], title="curve", **frame),
        "gap": curves([falling(num=100, gap=True)], title="gap", **frame),
        "point": curves([falling(num=1)], title="point", **frame),
        "sure": reliability([0.0, 0.5, 1.0], [0, 9], [(0.8, 0.7, 9)], title="sure"),
        "sizes": class_sizes([3, 1, 2] * 20, title="sizes"),
    }


@pytest.mark.parametrize("name", charts())
def test_each_chart_is_well_formed_and_named(name: str):
    root = ElementTree.fromstring(charts()[name])
    assert root.tag == "svg"
    assert root.attrib["aria-label"] == name


@pytest.mark.parametrize("name", charts())
def test_colours_and_font_are_the_pages(name: str):
    svg = charts()[name]
    inks = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", svg))
    assert inks <= {"none", *(f"var(--chart-{i})" for i in ("text", "grid", "blue", "orange"))}
    assert set(re.findall(r"font-family: ([^;\"]+)", svg)) == {"var(--sans)"}
    assert "<style" not in svg


def test_the_same_numbers_give_the_same_text():
    assert charts() == charts()


def test_inner_names_do_not_meet_in_one_page():
    def names(svg: str) -> set[str]:
        return set(re.findall(r'id="([^"]+)"', svg))

    found = charts()
    assert names(found["curve"])
    assert not names(found["curve"]) & names(found["gap"])
    for svg in found.values():
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= names(svg)


def test_a_long_noisy_line_gets_its_mean_and_a_short_one_does_not():
    def num_curves(num: int) -> int:
        frame = {"x_label": "step", "y_label": "loss", "y_range": (0.0, 0.0)}
        svg = curves([falling(num=num)], title="t", **frame)
        return len(re.findall(r"fill: none; stroke: var\(--chart-blue\)", svg))

    assert num_curves(100) == 2
    assert num_curves(20) == 1


def test_nothing_global_is_left_changed():
    before = dict(mpl.rcParams)
    charts()
    assert dict(mpl.rcParams) == before
