"""A model is known by its weights and its preprocessing, a file by its bytes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from saccade.errors import DataError
from saccade.serving.engine import Engine
from saccade.serving.search.known import file_hash, model_hash, require_whole
from saccade.tasks.embed import Embed
from tests.serving.search.conftest import make_engine


def test_the_same_weights_have_the_same_hash(engine: Engine[Embed]) -> None:
    assert model_hash(make_engine()) == model_hash(engine)
    assert len(model_hash(engine)) == 64


def test_one_changed_number_or_another_size_is_another_model(engine: Engine[Embed]) -> None:
    other = make_engine()
    with torch.no_grad():
        other.task.head.project.bias[0] += 1e-3

    assert model_hash(other) != model_hash(engine)
    larger = replace(engine, preprocess=replace(engine.preprocess, height=32, width=32))
    assert model_hash(larger) != model_hash(engine)


def test_a_changed_or_missing_file_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    hashes = {name: file_hash(tmp_path / name) for name in ("a", "b")}
    require_whole(tmp_path, hashes)

    (tmp_path / "b").write_text("B")
    with pytest.raises(DataError, match="b is damaged"):
        require_whole(tmp_path, hashes)
    (tmp_path / "b").unlink()
    with pytest.raises(DataError, match="b cannot be read"):
        require_whole(tmp_path, hashes)
