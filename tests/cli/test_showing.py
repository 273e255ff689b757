"""What is there is shown to people as lines and to programs as one document."""

import json
import shutil
from pathlib import Path

from tests import tiny
from tests.tiny import call


def test_models_are_listed_for_people_and_for_programs():
    text = call("models", "--image-size", "64")
    assert text.exit_code == 0
    assert "rag-nano16" in text.stdout
    document = json.loads(call("models", "--image-size", "64", "--json").stdout)
    names = {model["name"] for model in document["models"]}
    assert {"vit-ti16", "rag-s16", "attncnn-s16", "cnn-s16"} <= names
    assert all(model["num_parameters"] > 0 and model["gflops"] > 0 for model in document["models"])
    # DeiT-Ti has 5.7 million parameters with its head of 1,000 classes (192,000 + 1,000 of them).
    (ti,) = [m for m in document["models"] if m["name"] == "vit-ti16"]
    assert 5.2e6 < ti["num_parameters"] < 5.7e6


def test_one_model_is_told_in_detail():
    shown = call("models", "vit-s16", "--image-size", "32").stdout
    for fact in ("vit-s16", "21,589,632", "blocks", "21,293,568", "22,050,664", "2012.12877"):
        assert fact in shown
    assert "82.4 MiB in fp32, 41.2 MiB in bf16" in shown
    assert "4 tokens for a picture of 32 x 32 pixels" in shown
    assert '"embed_dim": 384' in shown


def test_a_family_is_told_size_by_size_and_a_wrong_name_is_answered():
    shown = call("models", "cnn", "--image-size", "32").stdout
    assert [part.split("\n")[0] for part in shown.split("\n\n")] == [
        "cnn-pico16",
        "cnn-nano16",
        "cnn-ti16",
        "cnn-s16",
        "cnn-b16",
    ]
    document = json.loads(call("models", "cnn-s", "--image-size", "32", "--json").stdout)
    assert [model["name"] for model in document["models"]] == ["cnn-s16"]
    wrong = call("models", "cnn-xl")
    assert wrong.exit_code == 2
    assert "no model is called 'cnn-xl'" in wrong.stderr


def test_report_is_written_anew(world: tiny.World, tmp_path: Path):
    shutil.copytree(world.run, tmp_path / "run")
    (tmp_path / "run" / "report.html").unlink()
    result = call("report", tmp_path / "run")
    assert result.exit_code == 0
    assert Path(result.stdout.strip()).is_file()
    document = json.loads(call("report", tmp_path / "run", "--json").stdout)
    assert document["report"] == str(tmp_path / "run" / "report.html")


def test_a_recipe_is_shown_with_its_reasons_and_as_a_document(tmp_path: Path):
    source = tiny.draw_folder(tmp_path / "pictures", count=10)
    words = ("recipes", "--explain", source, "--model", "cnn-pico4", "--steps", "9")

    shown = call(*words, "--set", "augment.flip=0")

    assert shown.exit_code == 0, shown.stderr
    assert "classify: cnn-pico4" in shown.stdout
    (flip,) = [line for line in shown.stdout.splitlines() if line.startswith("augment.flip")]
    assert flip.split(maxsplit=2) == ["augment.flip", "0", "as you asked"]
    document = json.loads(call(*words, "--json").stdout)
    assert document["config"]["steps"] == 9
    assert {"name", "value", "why"} == set(document["numbers"][0])
    assert list(tmp_path.iterdir()) == [source]
