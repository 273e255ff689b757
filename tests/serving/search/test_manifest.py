"""What an index says about itself goes to JSON and back."""

import json
from pathlib import Path

import pytest

from saccade.errors import UsageError
from saccade.serving.search.manifest import IndexManifest, load_manifest, save_manifest
from saccade.serving.search.vectors import Made
from tests import tiny


def test_a_manifest_comes_back_as_it_was(tmp_path: Path) -> None:
    manifest = IndexManifest(
        made=Made(model="m", run="run", pool="auto", source="photos", fingerprint="f"),
        run="/runs/run",
        job="embed",
        engine="exact",
        n=3,
        embed_dim=8,
        whitened_dim=7,
        whitening="full",
        shrinkage=0.25,
        num_skipped=10,
        class_names=("apple", "sky"),
        classes_from="head",
        preprocess=tiny.preprocess(),
        left_out={"a.png": "broken"},
        num_left_out=1,
        files={"vectors.npy": "0" * 64},
    )

    save_manifest(tmp_path / "manifest.json", manifest)

    assert load_manifest(tmp_path / "manifest.json") == manifest


def test_vectors_are_told_from_an_index(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"made": {}, "n": 3}')
    with pytest.raises(
        UsageError, match="holds vectors that `saccade embed` made, and is no index"
    ):
        load_manifest(tmp_path / "manifest.json")


def test_of_a_run_the_commands_are_named_that_make_an_index_and_search_it(tmp_path: Path) -> None:
    run, photos = tmp_path / "my run", tmp_path / "photos"
    run.mkdir()
    (run / "contract.json").write_text("{}")
    (run / "config.json").write_text(json.dumps({"data": {"source": str(photos)}}))
    with pytest.raises(UsageError, match=r"run' PICTURES --out"):
        load_manifest(run / "manifest.json")
    photos.mkdir()
    with pytest.raises(UsageError) as refused:
        load_manifest(run / "manifest.json")
    said = str(refused.value)
    assert "is no index but a run" in said
    assert f"`saccade index '{run}' {photos} --out '{run}-index'`" in said
    assert f"`saccade search '{run}-index' PICTURE`" in said
