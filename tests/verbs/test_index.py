"""index makes a folder that can be searched, whole or unfinished, and never over another."""

from pathlib import Path

import numpy as np
import pytest

import saccade
from saccade.errors import DataError, UsageError
from saccade.serving.search import build
from saccade.serving.search.index import open_index
from tests import tiny
from tests.tiny import World


def test_an_index_holds_every_readable_picture_and_the_models_classes(
    world: World, tmp_path: Path
) -> None:
    result = saccade.index(world.run, world.source, tmp_path / "index", is_quiet=True)

    opened = open_index(result.out)
    assert result.n == len(opened) == 72
    assert result.class_names == tiny.CLASSES
    assert opened.manifest.made.model == result.model
    assert opened.manifest.whitening == "none"  # the model has learned classes
    assert Path(opened.manifest.run).is_absolute()


def test_whitening_can_be_asked_for(world: World, tmp_path: Path) -> None:
    result = saccade.index(
        world.run, world.source, tmp_path / "index", whitening="full", is_quiet=True
    )

    assert open_index(result.out).manifest.whitening == "full"
    assert result.whitened_dim <= 71


def test_an_unfinished_index_goes_on_and_equals_one_that_was_not_stopped(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(build, "save_manifest", stop)
        with pytest.raises(KeyboardInterrupt):
            saccade.index(world.run, world.source, tmp_path / "index", is_quiet=True)
    with pytest.raises(UsageError, match="go on with an unfinished index with --resume"):
        saccade.index(world.run, world.source, tmp_path / "index", is_quiet=True)

    saccade.index(world.run, world.source, tmp_path / "index", resume=True, is_quiet=True)
    saccade.index(world.run, world.source, tmp_path / "whole", is_quiet=True)

    assert tiny.tree(tmp_path / "index") == tiny.tree(tmp_path / "whole")


def test_a_background_of_other_pictures_is_used(world: World, tmp_path: Path) -> None:
    others = tiny.draw_folder(tmp_path / "others", count=4, seed=9)

    saccade.index(world.run, world.source, tmp_path / "index", background=others, is_quiet=True)

    opened = open_index(tmp_path / "index")
    assert opened.manifest.num_skipped == 0
    assert np.load(tmp_path / "index" / "background.npy").shape == (12, 96)


def test_what_is_in_the_way_or_misspelt_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")

    def make(out: str, *, engine: str = "exact", whitening: str = "auto") -> None:
        saccade.index(
            world.run,
            world.source,
            tmp_path / out,
            engine=engine,
            whitening=whitening,
            is_quiet=True,
        )

    with pytest.raises(UsageError, match="never overwritten"):
        make("full")
    with pytest.raises(UsageError, match="not an unfinished index"):
        saccade.index(world.run, world.source, tmp_path / "full", resume=True, is_quiet=True)
    with pytest.raises(UsageError, match=r"no search engine 'exakt'.*'exact'"):
        make("out", engine="exakt")
    with pytest.raises(UsageError, match=r"no whitening 'ful'.*'full'"):
        make("out", whitening="ful")
    make("done")
    with pytest.raises(UsageError, match="finished index already"):
        saccade.index(world.run, world.source, tmp_path / "done", resume=True, is_quiet=True)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "full" / "file").read_text() == "mine"


def test_a_background_without_a_readable_picture_is_refused(world: World, tmp_path: Path) -> None:
    others = tiny.draw_folder(tmp_path / "others", count=1)
    for path in others.rglob("*.png"):
        path.write_bytes(b"no picture")

    with pytest.raises(DataError, match="none of the background's pictures"):
        saccade.index(world.run, world.source, tmp_path / "out", background=others, is_quiet=True)
