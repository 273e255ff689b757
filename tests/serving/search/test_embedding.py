"""A source is embedded picture by picture, across its splits, and a second run only adds."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from saccade.data.sources import open_source
from saccade.serving.engine import Engine
from saccade.serving.features import embed
from saccade.serving.search import embedding as module
from saccade.serving.search import vectors
from saccade.serving.search.embedding import embed_source
from saccade.serving.search.known import model_hash
from saccade.serving.search.vectors import VectorFolder, VectorManifest
from saccade.tasks.embed import Embed
from tests import tiny


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (module, vectors):
        monkeypatch.setattr(place, "PART_SIZE", 5)


def made(
    engine: Engine[Embed], source: Path, out: Path, *, is_resumed: bool = False
) -> VectorManifest:
    return embed_source(
        engine,
        open_source(source),
        VectorFolder(out),
        run="run",
        pool="auto",
        is_resumed=is_resumed,
        progress=lambda done, total: None,
    )


def test_each_row_is_its_pictures_vector_and_a_broken_one_is_zeros(
    engine: Engine[Embed], gallery: Path, tmp_path: Path
) -> None:
    manifest = made(engine, gallery, tmp_path / "out")

    items = pq.read_table(tmp_path / "out" / "items.parquet").to_pylist()
    found = np.load(tmp_path / "out" / "vectors.npy")
    samples = open_source(gallery).splits["all"]
    assert [item["path"] for item in items] == samples.names()
    assert (manifest.n, manifest.num_errors, manifest.embed_dim) == (22, 1, 6)
    assert manifest.made.model == model_hash(engine)
    direct = embed(
        engine.task, engine.loader(samples), device=engine.device, precision=engine.precision
    )
    expected = dict(zip(direct.paths, direct.vectors, strict=True))
    for item, vector in zip(items, found, strict=True):
        if item["path"] == "leaf/broken.png":
            assert item["error"]
            assert not vector.any()
        else:
            assert item["error"] is None
            np.testing.assert_allclose(vector, expected[item["path"]], atol=1e-6)


def test_labels_are_names_and_equal_files_have_equal_contents(
    engine: Engine[Embed], gallery: Path, tmp_path: Path
) -> None:
    (gallery / "sky" / "copy.png").write_bytes((gallery / "apple" / "000.png").read_bytes())

    made(engine, gallery, tmp_path / "out")

    items = {i["path"]: i for i in pq.read_table(tmp_path / "out" / "items.parquet").to_pylist()}
    assert {item["label"] for item in items.values()} == set(tiny.CLASSES)
    contents = [item["content"] for item in items.values()]
    assert items["sky/copy.png"]["content"] == items["apple/000.png"]["content"]
    assert len(set(contents)) == len(contents) - 1


def test_all_splits_are_embedded_one_after_the_other(engine: Engine[Embed], tmp_path: Path) -> None:
    tiny.draw_folder(tmp_path / "source" / "train", count=3)
    tiny.draw_folder(tmp_path / "source" / "test", count=1, seed=1)

    manifest = made(engine, tmp_path / "source", tmp_path / "out")

    source = open_source(tmp_path / "source")
    names = [name for samples in source.splits.values() for name in samples.names()]
    assert manifest.n == 12
    assert pq.read_table(tmp_path / "out" / "items.parquet")["path"].to_pylist() == names


def test_finished_parts_are_not_computed_again(
    engine: Engine[Embed], gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    real = module._embed

    def counting(*arguments: object) -> object:
        asked.append(1)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(*arguments)  # pyrefly: ignore[bad-argument-type]

    monkeypatch.setattr(module, "_embed", counting)
    with pytest.raises(KeyboardInterrupt):
        made(engine, gallery, tmp_path / "out")
    made(engine, gallery, tmp_path / "out", is_resumed=True)
    made(engine, gallery, tmp_path / "whole")

    assert len(asked) == 3 + 3 + 5  # two parts were there, and the third was begun
    for name in ("vectors.npy", "items.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
