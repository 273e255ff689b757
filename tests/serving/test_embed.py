"""An embedder answers in Python with the vectors of its head."""

from pathlib import Path

import numpy as np
import pytest

from saccade.errors import UsageError
from saccade.serving.embed import Embedder
from tests import tiny
from tests.serving.search.conftest import make_engine


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return tiny.draw_folder(tmp_path / "pictures", count=3)


def test_pictures_become_vectors_of_unit_length_in_order(pictures: Path) -> None:
    embedder = Embedder(make_engine())
    paths = sorted(pictures.rglob("*.png"))

    found = embedder.embed(paths)

    assert found.paths == tuple(path.as_posix() for path in paths)
    assert found.vectors.shape == (9, 6)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(paths[4]).vectors[0], found.vectors[4], atol=1e-6)


def test_it_knows_the_classes_of_its_training() -> None:
    assert Embedder(make_engine()).class_names == tiny.CLASSES


def test_a_picture_that_is_not_there_is_refused(pictures: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Embedder(make_engine()).embed(pictures / "none.png")
