"""embed writes a vector per picture, and a kill costs no more than the part it was in."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import saccade
from saccade.errors import UsageError
from saccade.serving.search import embedding, vectors
from tests import tiny
from tests.tiny import World

PART = 6
SMALL_PARTS = f"""
import sys, saccade
from saccade.serving.search import embedding, vectors
embedding.PART_SIZE = vectors.PART_SIZE = {PART}
saccade.embed(*sys.argv[1:], device="cpu", is_quiet=True)
"""


def test_the_vectors_are_those_of_the_model_with_path_label_and_error(
    world: World, tmp_path: Path
) -> None:
    result = saccade.embed(world.run, world.source, tmp_path / "out", device="cpu", is_quiet=True)

    found = np.load(tmp_path / "out" / "vectors.npy")
    items = pq.read_table(tmp_path / "out" / "items.parquet").to_pylist()
    assert (result.n, result.num_errors) == (72, 0)
    assert found.shape == (72, result.embed_dim) == (72, 96)
    assert [item["label"] for item in items] == [item["path"].split("/")[0] for item in items]
    paths = [world.source / item["path"] for item in items]
    expected = saccade.load(world.run, device="cpu").embed(paths).vectors
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_after_a_kill_the_rest_is_added_and_nothing_is_lost(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    arguments = [sys.executable, "-c", SMALL_PARTS, world.run, world.source, out]
    process = subprocess.Popen(list(map(str, arguments)), env=tiny.environment())
    deadline = time.monotonic() + 60
    while not list(out.glob("parts/000002.parquet")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = set(out.glob("parts/*.parquet"))
    assert 3 <= len(there) < 72 / PART  # killed in the middle of its work

    monkeypatch.setattr(vectors, "PART_SIZE", PART)
    monkeypatch.setattr(embedding, "PART_SIZE", PART)
    asked: list[int] = []
    real = embedding._embed
    monkeypatch.setattr(embedding, "_embed", lambda *given: asked.append(1) or real(*given))
    saccade.embed(world.run, world.source, out, resume=True, device="cpu", is_quiet=True)
    assert len(asked) == 72 / PART - len(there)
    saccade.embed(world.run, world.source, whole, device="cpu", is_quiet=True)

    for name in ("vectors.npy", "items.parquet"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert not (out / "parts").exists()


def test_a_complete_folder_is_resumed_without_any_work(world: World, tmp_path: Path) -> None:
    first = saccade.embed(world.run, world.source, tmp_path / "out", is_quiet=True)
    before = tiny.tree(tmp_path / "out")

    again = saccade.embed(world.run, world.source, tmp_path / "out", resume=True, is_quiet=True)

    assert again == first
    assert tiny.tree(tmp_path / "out") == before


def test_weights_of_other_libraries_and_patches_can_be_asked(tmp_path: Path) -> None:
    weights = tiny.foreign_weights(tmp_path / "weights", ())
    source = tiny.draw_folder(tmp_path / "source", count=2)

    found = {
        pool: np.load(
            saccade.embed(weights, source, tmp_path / pool, pool=pool, is_quiet=True).out
            / "vectors.npy"
        )
        for pool in ("auto", "class", "mean", "gem", "quarters")
    }

    np.testing.assert_allclose(found["auto"], found["class"], atol=1e-6)
    for pool in ("mean", "gem"):
        assert not np.allclose(found[pool], found["auto"], atol=1e-3)
        np.testing.assert_allclose(np.linalg.norm(found[pool], axis=1), 1, atol=1e-5)
    assert found["quarters"].shape[1] == 4 * found["mean"].shape[1]


def test_what_is_in_the_way_or_misspelt_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")

    with pytest.raises(UsageError, match="exists already"):
        saccade.embed(world.run, world.source, tmp_path / "full", is_quiet=True)
    with pytest.raises(UsageError, match=r"no pool 'gen'.*'gem'"):
        saccade.embed(world.run, world.source, tmp_path / "out", pool="gen", is_quiet=True)
    with pytest.raises(UsageError, match="no class token"):
        saccade.embed(world.run, world.source, tmp_path / "class", pool="class", is_quiet=True)
    assert (tmp_path / "full" / "file").read_text() == "mine"
