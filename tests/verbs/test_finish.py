"""At the end of a run its figures are in the files, true to the split they were taken on."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import saccade
from saccade.data.sources import open_source
from saccade.data.split import split as divide
from saccade.jobs.classify.job import ClassifyJob
from saccade.run.contract import load_contract
from saccade.run.folder import RunFolder
from saccade.serving.known import load_known
from saccade.serving.model import Model
from saccade.verbs.finish import Finished, finish
from saccade.verbs.prepare import Prepared, prepare
from saccade.verbs.voice import Voice
from tests import tiny
from tests.tiny import World


@pytest.fixture
def model(world: World) -> Model:
    return saccade.load(world.run, device="cpu")


@pytest.fixture
def run(world: World, tmp_path: Path) -> RunFolder:
    """A run whose training just ended: nothing in it was made by an earlier finish."""
    shutil.copytree(world.run, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    for made in (folder.evaluation, folder.pictures):
        shutil.rmtree(made)
    for name in ("report.html", "README.md"):
        (folder.path / name).unlink()
    document = json.loads(folder.contract.read_text())
    folder.contract.write_text(json.dumps(document | {"figures": {}}))
    return folder


def prepared(
    source: Path, model: Model, *, val: float = 0.1, test: float = 0.2, is_cached: bool = True
) -> Prepared:
    parts = divide(open_source(source), val_fraction=val, test_fraction=test, seed=0)
    config = tiny.config(
        "rag-pico4",
        data__batch_size="16",
        data__max_bad_fraction="0.5",
        data__cache_gib="1" if is_cached else "0",
    )
    return prepare(parts, config, model.preprocess, voice=Voice(is_quiet=True))


def ended(run: RunFolder, model: Model, data: Prepared, *, is_quiet: bool = True) -> Finished:
    return finish(run, ClassifyJob(), model.engine, data, voice=Voice(is_quiet=is_quiet))


def test_figures_are_on_test_and_equal_in_every_file(run: RunFolder, model: Model, world: World):
    data = prepared(world.source, model)
    found = ended(run, model, data)
    assert found.split == "test"
    contract = load_contract(run.contract)
    assert list(contract.figures) == ["val", "test"]
    for split, loader in data.judged().items():
        document = json.loads((run.evaluation / f"{split}.json").read_text())
        table = pq.read_table(run.evaluation / f"{split}.parquet").to_pylist()
        values = {name: figure["value"] for name, figure in document["metrics"].items()}
        assert document["split"] == split
        assert contract.figures[split] == values
        assert document["n"] == len(table) == loader.num_pictures
        assert [row["path"] for row in table] == loader.samples.names()
        hits = [row["label"] == row["predicted"] for row in table]
        assert values["top1"] == pytest.approx(sum(hits) / len(hits))
    assert {
        name: figure.value for name, figure in found.judgement.metrics.items()
    } == contract.figures["test"]
    assert contract.figures["test"] == pytest.approx(world.result.metrics, abs=1e-5)


def test_everything_a_person_looks_at_is_written_and_the_weights_are_not(
    run: RunFolder, model: Model, world: World
):
    before = tiny.tree(run.path)
    found = ended(run, model, prepared(world.source, model))
    after = tiny.tree(run.path)
    assert found.report == run.path / "report.html"
    assert {"report.html", "README.md", "pictures/index.json"} <= after.keys() - before.keys()
    assert [name for name in before if after[name] != before[name]] == ["contract.json"]
    assert not list(run.path.rglob(".*"))


def test_all_but_figures_and_data_of_the_contract_stays(run: RunFolder, model: Model, world: World):
    before = json.loads(run.contract.read_text())
    ended(run, model, prepared(world.source, model))
    after = json.loads(run.contract.read_text())
    assert {**after, "figures": {}} == before


def test_what_was_trained_on_is_judged_under_that_name(run: RunFolder, model: Model, world: World):
    found = ended(run, model, prepared(world.source, model, val=0.0, test=0.0))
    assert (found.split, found.judgement.n) == ("train", 72)
    assert {path.name for path in run.evaluation.iterdir()} == {"train.json", "train.parquet"}
    assert list(load_contract(run.contract).figures) == ["train"]


def test_pictures_found_unreadable_only_now_are_said_and_remembered(
    run: RunFolder, model: Model, world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    shutil.copytree(world.source, tmp_path / "pictures")
    data = prepared(tmp_path / "pictures", model, is_cached=False)
    assert data.test is not None
    known, late = data.test.samples.names()[:2]
    document = json.loads(run.contract.read_text())
    document["data"]["bad"] = {known: "was cut off"}
    run.contract.write_text(json.dumps(document))
    for name in (known, late):
        (tmp_path / "pictures" / name).write_bytes(b"broken")

    found = ended(run, model, data, is_quiet=False)
    said = capfd.readouterr().err
    assert "1 picture cannot be read" in said
    assert f"{late}: " in said
    assert f"{known}: " not in said
    assert set(load_contract(run.contract).data.bad) == {known, late}
    assert found.judgement.n == len(data.test.samples) - 2


def test_enough_held_out_pictures_make_a_temperature_and_what_the_run_knows_them_by(
    run: RunFolder, model: Model, world: World
):
    data = prepared(world.source, model, val=0.8, test=0.1)
    found = ended(run, model, data)
    contract = load_contract(run.contract)
    known = load_known(run.known)
    assert known is not None
    assert contract.temperature != 1
    assert len(known.held_out["knn"]) == len(data.validation.samples) >= 50
    document = json.loads((run.evaluation / "test.json").read_text())
    assert document["temperature"] == contract.temperature
    assert document["untempered"]["metrics"]["log_loss"] != document["metrics"]["log_loss"]
    assert {row["by"] for row in document["refused"]} == {"knn", "energy", "probability"}
    assert "temperature of" in found.report.read_text()
    probs = [
        each.probability for each in saccade.load(run.path, device="cpu").predict(world.source)
    ]
    assert probs != [each.probability for each in model.predict(world.source)]
