"""An untrained embedder and labelled pictures, for the tests of its job."""

from pathlib import Path

import pytest

from saccade.data.loader import Loader
from saccade.data.sources import open_source
from saccade.serving.engine import Engine
from saccade.tasks.embed import Embed
from tests import tiny
from tests.serving.search.conftest import make_engine


@pytest.fixture(scope="session")
def engine() -> Engine[Embed]:
    return make_engine()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return tiny.draw_folder(tmp_path / "pictures", count=5)


@pytest.fixture
def loader(engine: Engine[Embed], pictures: Path) -> Loader:
    return engine.loader(open_source(pictures).splits["all"])
