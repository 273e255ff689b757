"""The page tells what the run folder holds, needs nothing else, and runs nothing it is given."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from saccade.errors import UsageError
from saccade.reporting.page import write_report

PARTS = ("config.json", "contract.json", "environment.json", "evaluation", "log.jsonl", "pictures")


class Elements(HTMLParser):
    """All start tags with their attributes, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page_of(run: Path) -> str:
    path = write_report(run)
    assert path == run / "report.html"
    return path.read_text(encoding="utf-8")


def test_a_complete_run_shows_its_figures(make_run: Callable[..., Path]):
    run = make_run()
    page = page_of(run)
    top1 = json.loads((run / "evaluation/test.json").read_text())["metrics"]["top1"]
    assert f"{100 * top1['value']:.1f}\u202f%" in page
    assert f"{100 * top1['low']:.1f}\u202f% to {100 * top1['high']:.1f}\u202f%" in page
    for words in ("rag-nano4 on animals", "of 60 test pictures", "123,456", "ab" * 32, "optim.lr",
                  "cat/torn.jpg", "Thumbs.db", "cat/1.jpg", "a checkpoint was damaged",
                  "LeGrad", "Rollout", "What it does not say", "saccade predict"):  # fmt: skip
        assert words in page, words
    assert page.count("<svg") == 6
    assert page.count("data:image/png") == 7


def test_the_page_reaches_for_nothing_outside_itself(make_run: Callable[..., Path]):
    page = page_of(make_run())
    for tag, attributes in Elements(page).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,")), attributes
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    assert all(address.startswith("#") for address in re.findall(r"url\(([^)]*)\)", page))


def test_hostile_names_stay_text(make_run: Callable[..., Path]):
    hostile = "<script>alert(1)</script>"
    page = page_of(make_run([hostile, '"><img src=x onerror=alert(2)>', "$\\frac{", "{{ 7 * 7 }}"]))
    tags = Elements(page).tags

    assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page
    assert [tag for tag, _ in tags].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)


@pytest.mark.parametrize("part", PARTS)
def test_any_part_may_be_missing(make_run: Callable[..., Path], part: str):
    assert "<h1>" in page_of(make_run(without=(part,)))


def test_an_empty_folder_gives_a_page(tmp_path: Path):
    page = page_of(tmp_path)
    assert "Training has not logged a step yet" in page


def test_a_run_under_way_says_so_and_shows_validation_so_far(make_run: Callable[..., Path]):
    page = page_of(make_run(without=("evaluation", "pictures")))
    assert "step 100 of 100 planned is the last one logged" in page
    assert "80.0\u202f%" in page
    assert "validation pictures named right at step 100, so far" in page
    assert "are made when training ends" in page


def test_half_a_log_line_and_broken_json_are_left_out_and_said(make_run: Callable[..., Path]):
    run = make_run()
    with (run / "log.jsonl").open("a") as log:
        log.write('{"kind": "train", "st')
    (run / "environment.json").write_text("{")
    page = page_of(run)
    assert "1 line(s) of log.jsonl cannot be read and are left out." in page
    assert "environment.json could not be read" in page


def test_a_loss_that_is_not_a_number_is_said(make_run: Callable[..., Path]):
    run = make_run()
    nan = '{"kind": "train", "step": 200, "loss": NaN, "top1": 0.5}\n'
    with (run / "log.jsonl").open("a") as log:
        log.write(nan)
    assert "was not a number in 1 of 51 records, first at step 200" in page_of(run)


def test_a_run_whose_every_loss_is_nan_still_has_a_page(make_run: Callable[..., Path]):
    run = make_run(without=("evaluation",))
    (run / "log.jsonl").write_text('{"kind": "train", "step": 5, "loss": NaN, "top1": null}\n')
    page = page_of(run)
    assert "<figcaption>Loss</figcaption>" not in page
    assert "The loss was not a number" in page


@pytest.mark.parametrize("num_classes", [2, 20, 21, 300])
def test_few_and_many_classes(make_run: Callable[..., Path], num_classes: int):
    page = page_of(make_run([f"kind {k}" for k in range(num_classes)]))
    assert f"tells {num_classes} classes apart" in page
    assert ("heat-map pixels" in page) == (num_classes > 20)
    assert ('<table class="matrix' in page) == (num_classes <= 20)
    assert f'<th scope="row">kind {num_classes - 1}</th>' in page


def test_written_twice_is_equal_byte_for_byte(make_run: Callable[..., Path]):
    run = make_run()
    assert page_of(run) == page_of(run)
    assert not list(run.glob(".*tmp*"))


def test_the_script_is_the_one_that_the_page_allows(make_run: Callable[..., Path]):
    page = page_of(make_run())
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_no_folder_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="no run folder"):
        write_report(tmp_path / "nothing")


def test_a_report_without_curves_is_a_page_all_the_same(converted: Path):
    page = write_report(converted).read_text(encoding="utf-8")
    assert "Converted from weights that were trained elsewhere" in page


@pytest.mark.parametrize("text", ["[]", '{"rows": 3}', '{"agreement": "much"}', '{"rows": []}'])
def test_a_broken_comparison_with_a_teacher_leaves_a_page(make_run: Callable[..., Path], text: str):
    run = make_run()
    (run / "evaluation" / "teacher.json").write_text(text)
    page = write_report(run).read_text()
    assert ("could not be read" in page) == (text != '{"rows": []}')
