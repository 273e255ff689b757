"""The manifest comes last: a kill leaves an unfinished index, never a wrong one."""

from pathlib import Path

import numpy as np
import pytest

from saccade.errors import UsageError
from saccade.serving.engine import Engine
from saccade.serving.search import build as module
from saccade.serving.search.build import build_index
from saccade.serving.search.index import IndexFolder, open_index
from saccade.serving.search.vectors import VectorFolder
from saccade.tasks.embed import Embed
from tests.serving.search.test_index import build


def stopped(*arguments: object, **named: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["Background", "class_vectors", "save_manifest"])
def test_what_was_killed_can_be_built_again(
    where: str,
    engine: Engine[Embed],
    gallery: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = build(engine, gallery, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(module, where, stopped)
        with pytest.raises(KeyboardInterrupt):
            build(engine, gallery, tmp_path / "index")
    folder = IndexFolder(tmp_path / "index")
    with pytest.raises(UsageError, match="never finished"):
        open_index(folder.path)

    again = build_index(folder, engine, engine_name="exact", whitening_name="full", background=None)

    assert again == whole
    assert len(open_index(folder.path)) == 21


def test_the_vectors_are_thrown_away_when_the_index_is_there(
    engine: Engine[Embed], gallery: Path, tmp_path: Path
) -> None:
    build(engine, gallery, tmp_path / "index")

    assert not VectorFolder(tmp_path / "index" / "embedding").path.exists()


def test_a_background_of_others_is_whitened_alike_and_none_of_it_is_skipped(
    engine: Engine[Embed], gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    monkeypatch.setattr(module, "CHUNK", 4)

    manifest = build(engine, gallery, tmp_path / "index", background=others)

    assert manifest.num_skipped == 0
    saved = np.load(tmp_path / "index" / "background.npy")
    assert saved.shape == (30, manifest.whitened_dim)
    np.testing.assert_allclose(np.linalg.norm(saved, axis=1), 1, atol=1e-5)


def test_few_pictures_are_not_whitened(
    engine: Engine[Embed], gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEWEST_WHITENED", 22)

    assert build(engine, gallery, tmp_path / "index").shrinkage == 1.0


def test_left_to_itself_a_model_of_classes_is_not_whitened_and_its_patches_are(
    engine: Engine[Embed], gallery: Path, tmp_path: Path
) -> None:
    assert build(engine, gallery, tmp_path / "index", whitening_name="auto").whitening == "none"
    assert module._wants_whitening(engine, "auto", pool="mean")
    assert module._wants_whitening(engine, "full", pool="auto")
    assert not module._wants_whitening(engine, "none", pool="mean")
