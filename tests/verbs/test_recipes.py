"""What `train` would do is what it does; and looking costs nothing but looking."""

import json
from pathlib import Path

import pytest

from saccade.errors import UsageError
from saccade.verbs.recipes import recipes
from tests import tiny


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.draw_folder(tmp_path_factory.mktemp("recipes") / "pictures", count=20)


def test_the_config_is_the_one_that_training_takes(source: Path, tmp_path: Path) -> None:
    settings = {"precision": "fp32", "optim.lr": "0.003"}
    run = tmp_path / "run"

    found = recipes(source, model="cnn-pico4", steps=2, settings=settings, seed=5)
    arguments = ["--model", "cnn-pico4", "--steps", "2", "--seed", "5"]
    for name, value in settings.items():
        arguments += ["--set", f"{name}={value}"]
    trained = tiny.call("train", source, "--out", run, *arguments)

    assert trained.exit_code == 0, trained.stderr
    written = json.loads((run / "config.json").read_text())
    assert json.loads(json.dumps(found.config)) == written
    assert found.config["optim"]["lr"] == 0.003
    assert (found.model, found.job, found.tried) == ("cnn-pico4", "classify", [])
    assert {"name": "optim.lr", "value": 0.003, "why": "as you asked"} in found.numbers


def test_with_a_budget_the_models_that_were_timed_are_told(source: Path) -> None:
    found = recipes(source, model="cnn", budget="30s")

    assert found.tried
    assert found.tried[0]["model"].startswith("cnn-pico")
    assert all(each["pictures_per_second"] > 0 and each["epochs"] > 0 for each in found.tried)
    assert found.model in {each["model"] for each in found.tried}
    assert found.epochs_wanted == 100.0


def test_words_that_do_not_fit_together_are_refused(source: Path) -> None:
    with pytest.raises(UsageError, match="one of them says how long"):
        recipes(source, budget="1m", steps=3)
