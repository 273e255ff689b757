"""Of any job the report shows the headline, all figures, the tables and the pictures."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from saccade.reporting.card import write_card
from saccade.reporting.headline import headline
from saccade.reporting.outcome import MAX_SHOWN, outcome
from saccade.reporting.page import write_report
from saccade.reporting.records import read_records
from saccade.reporting.training import MAX_CHARTS, training
from saccade.reporting.wording import NOTHING

RESULT = {
    "split": "test",
    "n": 72,
    "metrics": {
        "ap50": {"value": 0.8125, "low": 0.75, "high": 0.875},
        "log_boxes": {"value": 12.5, "low": 11.0, "high": 13.0},
    },
    "headline": {"metric": "ap50", "words": "average precision at 50 % overlap"},
    "notes": ["Crowds do not count."],
    "tables": [
        {
            "title": "Class by class",
            "text": "The weakest first.",
            "columns": ["class", "objects", "AP50", "seen"],
            "rows": [["<b>cell</b>", 12, 0.25, None], ["platelet", 3456, 0.75, True]],
        }
    ],
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "pictures").mkdir()
    documents: dict[str, Any] = {
        "contract.json": {"job": "detect", "model_name": "vit-nano8", "class_names": ["a", "b"]},
        "config.json": {"job": "detect", "steps": 20},
        "evaluation/test.json": RESULT,
        "pictures/index.json": {
            "found": {
                "title": "What it found",
                "text": "Green is true.",
                "entries": [
                    {"file": "pictures/a.png", "caption": "two cells", "path": "x/a.jpg"},
                    {"file": "pictures/gone.png", "caption": "gone"},
                ],
            }
        },
    }
    for name, document in documents.items():
        (tmp_path / name).write_text(json.dumps(document))
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "pictures" / "a.png")
    lines = [
        {"kind": "train", "step": 5, "loss": 1.5, "giou": 0.5, "lr": 0.1, "seconds": 1.0},
        {"kind": "eval", "split": "val", "step": 10, "metrics": {"ap50": 0.5}, "seconds": 2.0},
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


def test_figures_tables_and_pictures_are_read(run: Path):
    found = outcome(read_records(run))
    assert found is not None
    assert (found.n, found.split) == (72, "test")
    assert [row[:2] for row in found.figures] == [("AP50", "0.812"), ("log boxes", "12.500")]
    (table,) = found.tables
    assert [text for text, _ in table.rows[1]] == ["platelet", "3,456", "0.750", "yes"]
    assert [is_number for _, is_number in table.rows[1]] == [False, True, True, False]
    assert [is_number for _, is_number in table.columns] == [False, True, True, False]
    (gallery,) = found.galleries
    assert [shown.caption for shown in gallery.pictures] == ["two cells"]


def test_the_top_of_the_page_is_the_jobs_own_figure(run: Path):
    top = headline(read_records(run))
    assert top.label == "AP50"
    assert top.words == "average precision at 50 % overlap"
    assert top.value == "81.2\u202f%"
    assert top.split == "on 72 test pictures"
    assert "detector" in top.summary


def test_before_the_end_the_page_says_that_there_is_more_to_come(run: Path):
    (run / "evaluation" / "test.json").unlink()
    page = write_report(run).read_text()
    assert "are made when training ends" in page
    assert headline(read_records(run)).value == "0.500"


def test_every_figure_of_the_log_has_a_chart(run: Path):
    assert [chart.title for chart in training(read_records(run)).charts] == [
        "Loss",
        "GIoU",
        "AP50",
        "Learning rate",
    ]


def test_the_page_holds_it_all_and_escapes_what_comes_from_outside(run: Path):
    page = write_report(run).read_text()
    for text in ("What it found", "two cells", "Crowds do not count.", "Class by class"):
        assert text in page
    assert "&lt;b&gt;cell&lt;/b&gt;" in page
    assert "<b>cell</b>" not in page
    assert "named right" not in page
    assert "What it mixes up" not in page
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(re.findall(r'id="([^"]+)"', page))


def test_the_card_has_the_figures_too(run: Path):
    card = write_card(run).read_text()
    assert "AP50" in card
    assert "0.812" in card


def test_a_figure_that_nobody_resampled_has_no_interval(run: Path):
    document = json.loads((run / "evaluation" / "test.json").read_text())
    document["metrics"] = {"recall": {"value": 0.5, "low": 0.5, "high": 0.5}}
    (run / "evaluation" / "test.json").write_text(json.dumps(document))
    found = outcome(read_records(run))
    assert found is not None
    assert found.figures == [("recall", "0.500", NOTHING, NOTHING)]


def test_a_gallery_has_an_end(run: Path):
    index = run / "pictures" / "index.json"
    document = json.loads(index.read_text())
    document["found"]["entries"] = document["found"]["entries"][:1] * (MAX_SHOWN + 5)
    index.write_text(json.dumps(document))
    found = outcome(read_records(run))
    assert found is not None
    assert len(found.galleries[0].pictures) == MAX_SHOWN


def test_a_classifier_has_pages_of_its_own(run: Path):
    for name in ("contract.json", "config.json"):
        document = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps(document | {"job": "classify"}))
    assert outcome(read_records(run)) is None


def test_strips_get_the_width_that_they_need(run: Path):
    widths = {}
    for name, size in (
        ("", (50, 40)),
        ("wide", (80, 40)),
        ("wider", (160, 40)),
        ("widest", (400, 40)),
    ):
        Image.new("RGB", size).save(run / "pictures" / "a.png")
        found = outcome(read_records(run))
        assert found is not None
        widths[name] = found.galleries[0].width
    assert all(name == width for name, width in widths.items())


def test_a_job_with_many_figures_draws_the_first_of_them(run: Path):
    figures = {f"figure_{k}": k / 10 for k in range(20)}
    line = {"kind": "eval", "split": "val", "step": 10, "metrics": figures, "seconds": 2.0}
    (run / "log.jsonl").write_text(json.dumps(line))
    titles = [chart.title for chart in training(read_records(run)).charts]
    assert titles == [f"Figure {k}" for k in range(MAX_CHARTS)]


def test_a_table_that_is_a_curve_is_drawn(run: Path) -> None:
    rows = [[0.0, 1.0], [0.5, None], [1.0, 0.25]]
    table = {"title": "Bent", "is_curve": True, "columns": ["recall", "precision"], "rows": rows}
    written = run / "evaluation/test.json"
    written.write_text(json.dumps(RESULT | {"tables": [table]}))

    page = write_report(run).read_text()

    assert 'aria-label="Bent"' in page
    assert ">precision</th>" not in page
