"""The headline says the figure, on what it was measured, and what would be right by chance."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from saccade.reporting.headline import headline
from saccade.reporting.records import read_records


def test_the_figure_has_its_interval_and_its_chance_level(make_run: Callable[..., Path]):
    run = make_run()
    result = json.loads((run / "evaluation/test.json").read_text())
    found = headline(read_records(run))
    top1 = result["metrics"]["top1"]
    assert found.scale == pytest.approx(tuple(100 * top1[k] for k in ("value", "low", "high")))
    assert found.chance == pytest.approx(100 * max(r["n"] for r in result["per_class"]) / 60)
    assert found.status == ""


def test_validation_figures_are_called_too_kind(make_run: Callable[..., Path]):
    run = make_run()
    (run / "evaluation/test.json").unlink()
    found = headline(read_records(run))
    assert found.split == "of 40 validation pictures named right"
    assert any("a little too kind" in sentence for sentence in found.sentences)


def test_few_pictures_are_warned_about(make_run: Callable[..., Path]):
    sentences = headline(read_records(make_run())).sentences
    assert any("With 60 pictures, one more or less is 1.7" in s for s in sentences)


def test_of_clips_it_speaks_as_clips_beside_frames_without_their_order(
    make_run: Callable[..., Path],
):
    run = make_run()
    for name, key, value in (
        ("contract.json", "job", "video"),
        ("evaluation/test.json", "metrics", None),
    ):
        document = json.loads((run / name).read_text())
        document[key] = value or document[key] | {"shuffled_top1": document[key]["top1"]}
        (run / name).write_text(json.dumps(document))
    found = headline(read_records(run))
    assert "clips" in found.summary
    assert found.split == "on 60 test clips"
    assert "test clips took no part" in found.sentences[0]
    assert "Frames shuffled" in {tile.label for tile in found.tiles}


def test_tiles_hold_the_other_figures(make_run: Callable[..., Path]):
    tiles = {tile.label: tile.value for tile in headline(read_records(make_run())).tiles}
    assert tiles["Parameters"].replace("\u202f", " ") == "123 k"
    assert tiles["Training time"] == "50 s"
    assert tiles["Training speed"].replace("\u202f", " ") == "900 /s"
    assert set(tiles) >= {"Macro F1", "Log loss", "Calibration error"}


def test_a_windows_path_gives_its_last_name(make_run: Callable[..., Path]):
    run = make_run()
    contract = json.loads((run / "contract.json").read_text())
    contract["data"]["source"] = "C:\\photos\\birds"
    (run / "contract.json").write_text(json.dumps(contract))
    assert headline(read_records(run)).title == "rag-nano4 on birds"


def test_converted_weights_do_not_wait_for_training(converted: Path):
    found = headline(read_records(converted))
    assert found.title == "rag-nano4"
    assert found.status.startswith("Converted from weights that were trained elsewhere")
    assert found.value is None


@pytest.mark.parametrize(
    ("unit", "value", "has_bar"), [({}, "18.2", True), ({"unit": "distance"}, "0.182", False)]
)
def test_a_distance_below_one_is_no_percentage(
    make_run: Callable[..., Path], unit: dict[str, str], value: str, has_bar: bool
):
    run = make_run()
    path = run / "evaluation/test.json"
    result = json.loads(path.read_text())
    result["headline"] = {"metric": "frechet", "words": "", **unit}
    result["metrics"]["frechet"] = {"value": 0.182, "low": 0.1, "high": 0.3}
    path.write_text(json.dumps(result))
    found = headline(read_records(run))
    assert found.value is not None
    assert found.value.startswith(value)
    assert (found.scale is not None) == has_bar


def test_figures_on_what_was_learned_say_nothing_about_others(make_run: Callable[..., Path]):
    run = make_run()
    (run / "evaluation" / "test.json").unlink()
    (run / "evaluation" / "val.json").rename(run / "evaluation" / "train.json")
    found = headline(read_records(run))
    assert any("learned from, so this figure says nothing" in each for each in found.sentences)
    assert not any("validation pictures chose" in each for each in found.sentences)


def taught(run: Path, **teach: object) -> Path:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"teach": {"method": "logits", **teach}}))
    beside: dict[str, object] = {
        "agreement": 0.875,
        "columns": ["", "model"],
        "rows": [["teacher", "rag-s4"]],
    }
    beside |= {"title": "Teacher and student"}
    (run / "evaluation" / "teacher.json").write_text(json.dumps(beside))
    return run


def test_agreement_with_a_teacher_is_among_the_figures(make_run: Callable[..., Path]):
    found = headline(read_records(taught(make_run(), has_labels=True)))
    values = {tile.label: tile.value for tile in found.tiles}
    assert values["Agreement"] == "87.5\u202f%"
    assert found.label == "Top-1 accuracy"
    assert "no labels" not in " ".join(found.sentences)


def test_without_labels_no_figure_is_called_accuracy(make_run: Callable[..., Path]):
    found = headline(read_records(taught(make_run(), has_labels=False)))
    assert found.label == "Agreement with its teacher"
    assert found.split.endswith("named as its teacher names them")
    assert found.sentences[0].startswith("There are no labels here")
