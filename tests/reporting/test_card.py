"""The model card states figures, classes, preprocessing, data and licence, and stays Markdown."""

import json
from collections.abc import Callable
from pathlib import Path

from saccade.reporting.card import write_card


def card_of(run: Path) -> str:
    path = write_card(run)
    assert path == run / "README.md"
    return path.read_text(encoding="utf-8")


def test_the_card_holds_what_a_user_of_the_weights_needs(make_run: Callable[..., Path]):
    run = make_run()
    card = card_of(run)
    top1 = json.loads((run / "evaluation/test.json").read_text())["metrics"]["top1"]
    assert f"| {100 * top1['value']:.1f}\u202f% | {100 * top1['low']:.1f}\u202f% to" in card
    for words in ("# rag-nano4 on animals", "test, 60 pictures", "validation, 40 pictures",
                  "cat, dog, owl", "28 x 28 pixels", "made grey", "the mean (0.3)", "ab" * 32,
                  "CC0-1.0", f"saccade.load({str(run)!r})", "saccade predict"):  # fmt: skip
        assert words in card, words


def test_hostile_names_cannot_break_the_card(make_run: Callable[..., Path]):
    card = card_of(make_run(["<script>alert(1)</script>", "a|b", "[x](y)", "two\nlines", "`"]))
    assert "\\<script\\>" in card
    assert "a\\|b, \\[x\\](y), two lines, \\`." in card


def test_an_unmeasured_run_has_a_card(make_run: Callable[..., Path]):
    card = card_of(make_run(without=("evaluation", "contract.json")))
    assert "Not measured yet." in card
    assert "Not recorded." in card


def test_written_twice_is_equal(make_run: Callable[..., Path]):
    run = make_run()
    assert card_of(run) == card_of(run)


def test_converted_weights_have_a_card_without_data(converted: Path):
    card = card_of(converted)
    assert "## Data\n\nNot recorded." in card
    assert "vit\\_small\\_patch16\\_224 (timm)" in card


def test_the_side_that_is_scaled_to_first_is_said(make_run: Callable[..., Path]):
    run = make_run()
    contract = json.loads((run / "contract.json").read_text())
    contract["preprocess"] |= {"resize_side": 32, "interpolation": "bicubic"}
    (run / "contract.json").write_text(json.dumps(contract))
    card = card_of(run)
    assert "scaled on its shorter side to 32 pixels and cut to its centre to 28 x 28" in card
    assert "bicubic" in card
