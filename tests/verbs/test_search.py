"""search finds the pictures most like a query, with its own model and no other."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

import saccade
from saccade.errors import UsageError
from tests import tiny
from tests.tiny import World


@pytest.fixture(scope="module")
def index(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("search") / "index"
    saccade.index(world.run, world.source, out, device="cpu", is_quiet=True)
    return out


def test_a_picture_of_the_gallery_finds_itself_and_then_its_like(world: World, index: Path) -> None:
    query = world.source / "leaf" / "005.png"

    result = saccade.search(index, query, k=6, is_quiet=True)

    (found,) = result.queries
    assert found.query == query.as_posix()
    assert [hit.rank for hit in found.neighbours] == [1, 2, 3, 4, 5, 6]
    first = found.neighbours[0]
    assert first.path == query.as_posix()
    assert first.label == "leaf"
    assert first.similarity == pytest.approx(1, abs=1e-4)
    assert first.score == pytest.approx(1, abs=1e-3)
    assert sum(hit.label == "leaf" for hit in found.neighbours) >= 4


def test_queries_keep_their_order_and_a_broken_one_says_why(
    world: World, index: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    good = world.source / "sky" / "001.png"

    result = saccade.search(index, [broken, good, broken], k=2, is_quiet=True)

    assert [each.error is None for each in result.queries] == [False, True, False]
    assert [len(each.neighbours) for each in result.queries] == [0, 2, 0]


def test_a_class_finds_its_pictures(index: Path) -> None:
    (found,) = saccade.search(index, label="sky", k=8, is_quiet=True).queries

    assert found.query == "sky"
    assert sum(hit.label == "sky" for hit in found.neighbours) >= 6


def test_vectors_that_embed_made_search_as_their_pictures_do(
    world: World, index: Path, tmp_path: Path
) -> None:
    queries = tiny.draw_folder(tmp_path / "queries", count=2, seed=5)
    saccade.embed(world.run, queries, tmp_path / "vectors", device="cpu", is_quiet=True)

    by_vectors = saccade.search(index, tmp_path / "vectors", k=3, is_quiet=True)
    by_pictures = saccade.search(index, queries, k=3, is_quiet=True)

    for one, other in zip(by_vectors.queries, by_pictures.queries, strict=True):
        assert [hit.path for hit in one.neighbours] == [hit.path for hit in other.neighbours]


def test_another_model_is_refused_for_pictures_and_for_vectors(
    world: World, index: Path, tmp_path: Path
) -> None:
    other = tiny.foreign_weights(tmp_path / "other")
    query = world.source / "sky" / "001.png"
    saccade.embed(other, world.source, tmp_path / "vectors", device="cpu", is_quiet=True)

    with pytest.raises(UsageError, match="Vectors of two models"):
        saccade.search(index, query, run=other, is_quiet=True)
    with pytest.raises(UsageError, match="Vectors of two models"):
        saccade.search(index, tmp_path / "vectors", is_quiet=True)


def test_vectors_that_were_pooled_otherwise_are_refused(
    world: World, index: Path, tmp_path: Path
) -> None:
    saccade.embed(world.run, world.source, tmp_path / "mean", pool="mean", is_quiet=True)

    with pytest.raises(UsageError, match="with the pool 'mean'"):
        saccade.search(index, tmp_path / "mean", is_quiet=True)


def test_a_model_that_has_moved_can_be_named(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.run, tmp_path / "run")
    saccade.index(tmp_path / "run", world.source, tmp_path / "index", is_quiet=True)
    shutil.move(tmp_path / "run", tmp_path / "moved")
    query = world.source / "sky" / "001.png"

    with pytest.raises(UsageError, match="name the place where it is now with --run"):
        saccade.search(tmp_path / "index", query, is_quiet=True)
    found = saccade.search(tmp_path / "index", query, run=tmp_path / "moved", is_quiet=True)
    assert found.queries[0].neighbours[0].path == query.as_posix()


@pytest.mark.parametrize("ending", ["png", "html"])
def test_a_contact_sheet_shows_queries_and_neighbours(
    ending: str, world: World, index: Path, tmp_path: Path
) -> None:
    queries = [world.source / "sky" / "001.png", world.source / "leaf" / "001.png"]
    sheet = tmp_path / f"sheet.{ending}"

    result = saccade.search(index, queries, k=3, sheet=sheet, is_quiet=True)

    assert result.sheet == sheet
    if ending == "png":
        with Image.open(sheet) as picture:
            assert picture.width > 4 * 96
            assert picture.height > 2 * 96
    else:
        text = sheet.read_text()
        assert text.count("data:image/png;base64,") == 2
        assert result.queries[1].neighbours[2].path in text


@pytest.mark.parametrize("ending", ["png", "html"])
def test_a_sheet_of_many_queries_shows_the_first_and_says_so(
    ending: str,
    world: World,
    index: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("saccade.verbs.search.MOST_ON_A_SHEET", 7)
    sheet = tmp_path / f"sheet.{ending}"

    result = saccade.search(index, world.source / "sky", k=2, sheet=sheet, device="cpu")

    assert len(result.queries) > 2
    assert result.num_on_sheet == 2
    said = f"(the first 2 of {len(result.queries)} queries)"
    assert said in capsys.readouterr().err
    if ending == "png":
        with Image.open(sheet) as picture:
            assert picture.height < 3 * 130
    else:
        assert sheet.read_text().count("data:image/png;base64,") == 2
        assert said in sheet.read_text()


def test_what_does_not_fit_together_is_refused(world: World, index: Path, tmp_path: Path) -> None:
    query = world.source / "sky" / "001.png"
    (tmp_path / "there.png").write_text("mine")

    with pytest.raises(UsageError, match="one of the two"):
        saccade.search(index, is_quiet=True)
    with pytest.raises(UsageError, match="one of the two"):
        saccade.search(index, query, label="sky", is_quiet=True)
    with pytest.raises(UsageError, match="k is 0"):
        saccade.search(index, query, k=0, is_quiet=True)
    with pytest.raises(UsageError, match=r"ending '\.pmg'.*'\.png'"):
        saccade.search(index, query, sheet=tmp_path / "a.pmg", is_quiet=True)
    with pytest.raises(UsageError, match="never overwritten"):
        saccade.search(index, query, sheet=tmp_path / "there.png", is_quiet=True)
    with pytest.raises(UsageError, match="does not exist; make it first"):
        saccade.search(index, query, sheet=tmp_path / "no" / "a.png", is_quiet=True)
    with pytest.raises(UsageError, match="no class 'skye'"):
        saccade.search(index, label="skye", is_quiet=True)
    with pytest.raises(UsageError, match="is no index"):
        saccade.search(world.run.parent, query, is_quiet=True)
