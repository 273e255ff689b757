"""Asking a model from the command line gives the same to people and to programs."""

import json
from pathlib import Path

from tests import tiny
from tests.tiny import call


def test_evaluate_says_the_figures_to_people_and_programs(world: tiny.World):
    text = call("evaluate", world.run, world.source)
    assert text.exit_code == 0, text.stderr
    assert "top1" in text.stdout
    document = json.loads(call("evaluate", world.run, world.source, "--json").stdout)
    assert document["job"] == "classify"
    assert document["split"] == "test"
    assert 0 <= document["metrics"]["top1"] <= 1
    assert len(document["confusion"]) == 3
    assert sum(map(sum, document["confusion"])) == document["n"]
    assert f"top1 {document['metrics']['top1']:.4f}" in " ".join(text.stdout.split())


def test_predict_without_a_table_prints_a_line_per_picture(world: tiny.World):
    folder = world.source / "apple"
    lines = call("predict", world.run, folder).stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [Path(row["path"]).name for row in rows] == sorted(p.name for p in folder.iterdir())
    document = json.loads(call("predict", world.run, folder, "--json").stdout)
    assert document["predictions"] == rows


def test_predict_and_explain_say_where_things_are(world: tiny.World, tmp_path: Path):
    picture = world.source / "apple" / "000.png"
    table = tmp_path / "table.csv"
    result = call("predict", world.run, picture, "--out", table, "--json")
    assert json.loads(result.stdout) | {"labels": None} == {
        "run": str(world.run),
        "job": "classify",
        "out": str(table),
        "drawn": None,
        "n": 1,
        "num_errors": 0,
        "num_refused": 0,
        "labels": None,
        "listed_from": None,
        "drawn_from": None,
    }
    result = call("explain", world.run, picture, "--out", tmp_path / "looks", "--json")
    (entry,) = json.loads(result.stdout)["pictures"]
    assert all((tmp_path / "looks" / name).is_file() for name in entry["overlays"].values())
