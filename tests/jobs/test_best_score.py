"""The score from which answers are shown is chosen by their F1, where answers have scores."""

from dataclasses import replace
from pathlib import Path

import numpy as np

import saccade
from saccade.data.annotated import open_boxes
from saccade.data.sources import open_source
from saccade.jobs.best_score import best_score
from saccade.jobs.detect.judge import judge
from saccade.run.contract import load_contract
from saccade.run.folder import RunFolder
from saccade.serving.detect import Detector
from saccade.serving.load import load_engine
from tests import boxed, tiny
from tests.jobs.segment import worlds


def test_no_other_score_gives_a_better_f1() -> None:
    detector = saccade.load(boxed.world().run, job="detect", device="cpu")
    samples = open_boxes(boxed.world().source).splits["all"].take(np.arange(12))
    loader = detector.engine.loader(samples, keeps_sizes=True)

    def f1(score: float) -> float:
        engine = replace(detector.engine, smallest_score=score)
        figures = judge(Detector(engine), loader).metrics
        precision, recall = figures["precision"].value, figures["recall"].value
        return 2 * precision * recall / max(precision + recall, 1e-9)

    best = best_score(detector.engine, loader)

    assert best is not None
    assert f1(best) > 0
    assert all(f1(best) >= f1(score) - 1e-9 for score in (0.02, 0.1, 0.3, 0.6))


def test_a_run_remembers_the_score_that_its_validation_pictures_chose() -> None:
    run = boxed.world().run
    contract = load_contract(RunFolder(run).contract)

    assert contract.smallest_score is not None
    assert 0 < contract.smallest_score < 1
    assert load_engine(run, device="cpu").smallest_score == contract.smallest_score


def test_masks_have_such_a_score_too(tmp_path: Path) -> None:
    engine = worlds.engine(numbers_objects=True)
    source = worlds.write_masks(tmp_path / "source", numbers_objects=True)

    best = best_score(engine, worlds.loader(source, engine))

    assert best is not None
    assert 0 < best < 1


def test_classes_have_no_such_score() -> None:
    run = tiny.world().run
    engine = load_engine(run, device="cpu")
    samples = open_source(tiny.world().source).splits["all"].take(np.arange(4))

    assert best_score(engine, engine.loader(samples)) is None
    assert load_contract(RunFolder(run).contract).smallest_score is None
