"""An index finds what a search by hand finds, and says what is wrong with it or with a query."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saccade.data.sources import open_source
from saccade.errors import DataError, UsageError
from saccade.serving.engine import Engine
from saccade.serving.search.build import build_index
from saccade.serving.search.embedding import embed_source
from saccade.serving.search.index import Index, IndexFolder, open_index
from saccade.serving.search.known import model_hash
from saccade.serving.search.manifest import EngineName, IndexManifest, WhiteningName
from saccade.serving.search.normalise import Background, scores
from saccade.serving.search.vectors import VectorFolder
from saccade.serving.search.whiten import fit
from saccade.tasks.embed import Embed
from tests import tiny
from tests.serving.search.conftest import make_engine


def build(
    engine: Engine[Embed],
    source: Path,
    out: Path,
    *,
    engine_name: EngineName = "exact",
    whitening_name: WhiteningName = "full",
    background: np.ndarray | None = None,
) -> IndexManifest:
    folder = IndexFolder(out)
    folder.path.mkdir()
    embed_source(
        engine,
        open_source(source),
        VectorFolder(folder.embedding),
        run="run",
        pool="auto",
        is_resumed=False,
        progress=lambda done, total: None,
    )
    return build_index(
        folder,
        engine,
        engine_name=engine_name,
        whitening_name=whitening_name,
        background=background,
    )


def vectors_of(engine: Engine[Embed], gallery: Path, out: Path) -> np.ndarray:
    """The model's vectors of the readable pictures, in order."""
    folder = VectorFolder(out)
    embed_source(
        engine,
        open_source(gallery),
        folder,
        run="run",
        pool="auto",
        is_resumed=False,
        progress=lambda done, total: None,
    )
    vectors = np.load(folder.vectors)
    return vectors[np.abs(vectors).sum(axis=1) > 0]


@pytest.fixture
def index(engine: Engine[Embed], gallery: Path, tmp_path: Path) -> Index:
    build(engine, gallery, tmp_path / "index")
    return open_index(tmp_path / "index")


def test_it_finds_what_ranking_the_whitened_vectors_finds(
    engine: Engine[Embed], gallery: Path, index: Index, tmp_path: Path
) -> None:
    vectors = vectors_of(engine, gallery, tmp_path / "vectors")
    queries = vectors[[3, 15]] + 0.05
    whitening = fit(vectors)
    similarities = whitening(queries) @ whitening(vectors).T
    level = Background(whitening(vectors), num_skipped=10).level(whitening(queries))
    expected_scores = scores(similarities, level)

    found = index.search(queries, 5)

    names = [n for n in open_source(gallery).splits["all"].names() if "broken" not in n]
    for q in range(2):
        order = np.argsort(-similarities[q], kind="stable")[:5]
        assert [each.row for each in found[q]] == order.tolist()
        assert [each.path for each in found[q]] == [names[row] for row in order]
        assert [each.label for each in found[q]] == [names[row].split("/")[0] for row in order]
        for each in found[q]:
            assert each.similarity == pytest.approx(similarities[q, each.row], abs=1e-5)
            assert each.score == pytest.approx(expected_scores[q, each.row], abs=1e-4)


def test_pictures_that_could_not_be_read_are_left_out_and_named(index: Index) -> None:
    assert len(index) == index.manifest.n == 21
    assert index.manifest.num_left_out == 1
    assert list(index.manifest.left_out) == ["leaf/broken.png"]


def test_whitening_can_be_left_out(engine: Engine[Embed], gallery: Path, tmp_path: Path) -> None:
    manifest = build(engine, gallery, tmp_path / "plain", whitening_name="none")
    vectors = vectors_of(engine, gallery, tmp_path / "vectors")

    (found,) = open_index(tmp_path / "plain").search(vectors[4:5], 2)

    assert manifest.whitened_dim == 6
    assert found[0].row == 4
    assert found[1].similarity == pytest.approx(np.sort(vectors @ vectors[4])[-2], abs=1e-5)


def test_a_label_finds_what_lies_in_its_direction(engine: Engine[Embed], index: Index) -> None:
    by_label = index.search_label("sky", 4)
    direction = engine.task.head.class_directions().detach().numpy()[2:3]

    assert index.manifest.classes_from == "head"
    assert len(by_label) == 4
    rows = np.load(IndexFolder(index.path).vectors)
    tensors = np.load(IndexFolder(index.path).classes)
    expected = np.argsort(-(rows @ tensors[2]), kind="stable")[:4]
    assert [each.row for each in by_label] == expected.tolist()
    assert direction.shape == (1, 6)


def test_a_misspelt_label_is_answered_with_the_nearest(index: Index) -> None:
    with pytest.raises(UsageError, match=r"no class 'sly'.*'sky'"):
        index.search_label("sly", 3)


def test_vectors_of_another_model_are_refused_by_hash(engine: Engine[Embed], index: Index) -> None:
    index.require_model(model_hash(engine), run="run")

    with pytest.raises(UsageError, match="Vectors of two models have nothing to do"):
        index.require_model(model_hash(make_engine(seed=1)), run="other")


def test_both_engines_find_the_same_in_a_small_gallery(
    engine: Engine[Embed], gallery: Path, index: Index, tmp_path: Path
) -> None:
    pytest.importorskip("usearch", reason="the extra 'search' is not installed")
    build(engine, gallery, tmp_path / "graph", engine_name="approximate")
    queries = vectors_of(engine, gallery, tmp_path / "vectors")[:6]

    found = open_index(tmp_path / "graph").search(queries, 4)

    rows = [[each.row for each in of_one] for of_one in found]
    assert rows == [[each.row for each in of_one] for of_one in index.search(queries, 4)]


def test_copies_in_the_gallery_are_grouped(
    engine: Engine[Embed], gallery: Path, tmp_path: Path
) -> None:
    (gallery / "sky" / "copy.png").write_bytes((gallery / "apple" / "002.png").read_bytes())
    build(engine, gallery, tmp_path / "index")
    index = open_index(tmp_path / "index")

    (group,) = index.duplicates(0.9999)

    assert group.is_exact
    paths = index.items["path"].to_pylist()
    assert [paths[row] for row in group.rows] == ["apple/002.png", "sky/copy.png"]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "vectors.npy": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "items.parquet": lambda path: path.unlink(),
    "whitening.safetensors": lambda path: path.write_bytes(b"x" + path.read_bytes()[1:]),
    "background.npy": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "classes.npy": lambda path: path.unlink(),
}


@pytest.mark.parametrize("name", list(DAMAGES))
def test_a_damaged_file_is_named(index: Index, name: str) -> None:
    DAMAGES[name](index.path / name)

    with pytest.raises(DataError, match=name):
        open_index(index.path)


@pytest.mark.parametrize("name", [*DAMAGES, None])
def test_a_file_without_a_hash_is_refused(index: Index, name: str | None) -> None:
    path = index.path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"] = {k: v for k, v in manifest["files"].items() if name not in (k, None)}
    path.write_text(json.dumps(manifest))

    with pytest.raises(
        DataError, match=f"manifest.json is damaged: it has no hash of {name or ''}"
    ):
        open_index(index.path)


def test_every_file_has_a_hash_and_nothing_else_is_left(index: Index) -> None:
    files = {path.name for path in index.path.iterdir()} - {"manifest.json"}

    assert set(index.manifest.files) == files


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no index"):
        open_index(tmp_path / "none")
    with pytest.raises(UsageError, match="is no index"):
        open_index(tmp_path)
    (tmp_path / "embedding").mkdir()
    with pytest.raises(UsageError, match="never finished"):
        open_index(tmp_path)


def test_a_manifest_of_another_version_is_refused(index: Index) -> None:
    path = index.path / "manifest.json"
    path.write_text(json.dumps({"format": 9}))

    with pytest.raises(UsageError, match="not of an index that this version reads"):
        open_index(index.path)


def test_a_gallery_of_broken_pictures_is_refused(engine: Engine[Embed], tmp_path: Path) -> None:
    folder = tiny.draw_folder(tmp_path / "broken", count=1)
    for path in folder.rglob("*.png"):
        path.write_bytes(b"no picture")

    with pytest.raises(DataError, match="none of its 3 pictures can be read"):
        build(engine, folder, tmp_path / "index")
