"""A training can be planned without a trace, and is then what `train` would do."""

from pathlib import Path

import torch

from saccade.data.sources import open_source
from saccade.jobs.find import find_job
from saccade.verbs.planned import plan_training
from saccade.verbs.wish import Said
from tests import tiny


def said(**words: object) -> Said:
    nothing = dict.fromkeys(("job", "model", "budget", "epochs", "steps", "seed", "init"))
    return Said(**{**nothing, "settings": {}, "new_head": False, **words})  # pyrefly: ignore


def test_the_plan_holds_the_parts_and_what_they_look_like(tmp_path: Path) -> None:
    source = open_source(tiny.draw_folder(tmp_path / "pictures", count=10))
    before = sorted(tmp_path.rglob("*"))

    planned = plan_training(
        said(model="cnn-pico4", steps=7, seed=3),
        find_job("classify"),
        source,
        device=torch.device("cpu"),
        training_seconds=lambda _: None,
    )

    assert planned.start is None
    assert not planned.has_new_head
    assert (planned.plan.config.steps, planned.plan.config.seed) == (7, 3)
    assert planned.plan.model_name == "cnn-pico4"
    assert planned.facts.num_pictures == len(planned.parts.train) == 21
    assert planned.facts.num_classes == 3
    assert sorted(tmp_path.rglob("*")) == before
