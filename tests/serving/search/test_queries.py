"""Queries come in the order they were given, the unreadable ones with their reasons."""

from pathlib import Path

import numpy as np

from saccade.data.sources import open_pictures, open_source
from saccade.serving.engine import Engine
from saccade.serving.search.embedding import embed_source
from saccade.serving.search.queries import embed_queries, is_vector_folder, read_queries
from saccade.serving.search.vectors import VectorFolder
from saccade.tasks.embed import Embed


def test_pictures_and_broken_ones_keep_their_places(
    engine: Engine[Embed], gallery: Path, tmp_path: Path
) -> None:
    good, broken = gallery / "sky" / "000.png", gallery / "leaf" / "broken.png"

    found = list(embed_queries(engine, open_pictures([broken, good, broken, broken]), pool="auto"))

    assert [Path(query.path).name for query in found] == [
        *("broken.png", "000.png", "broken.png", "broken.png")
    ]
    assert [query.vector is None for query in found] == [True, False, True, True]
    assert [query.error is None for query in found] == [False, True, False, False]
    (alone,) = embed_queries(engine, open_pictures([good]), pool="auto")
    assert found[1].vector is not None
    assert alone.vector is not None
    np.testing.assert_allclose(found[1].vector, alone.vector, atol=1e-6)


def test_a_folder_of_vectors_gives_them_back(
    engine: Engine[Embed], gallery: Path, tmp_path: Path
) -> None:
    folder = VectorFolder(tmp_path / "out")
    source = open_source(gallery)
    assert not is_vector_folder(folder.path)
    embed_source(
        engine,
        source,
        folder,
        run="run",
        pool="auto",
        is_resumed=False,
        progress=lambda done, total: None,
    )

    found = list(read_queries(folder))

    assert is_vector_folder(folder.path)
    assert not is_vector_folder(gallery)
    direct = list(embed_queries(engine, source.splits["all"], pool="auto"))
    assert [query.path for query in found] == [query.path for query in direct]
    for query, other in zip(found, direct, strict=True):
        assert query.error == other.error
        if query.vector is not None:
            assert other.vector is not None
            np.testing.assert_allclose(query.vector, other.vector, atol=1e-6)
