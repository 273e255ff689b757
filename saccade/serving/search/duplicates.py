"""Groups of pictures that are copies of each other."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from saccade.serving.search.engine import SearchEngine
from saccade.serving.search.normalise import Background, scores

NUM_LOOKED_AT = 20
"""Nearest neighbours of each picture that can be its copies; larger groups hang together through
one another."""

SAME = 0.999
"""Similarity that exact copies have. A hash of a file's beginning alone could be wrong."""

QUERIES_AT_A_TIME = 4096


class Group(NamedTuple):
    """Pictures that are copies of each other.

    Attributes:
        rows: of the gallery, in order; two at least.
        is_exact: whether all of them are the same file.
        lowest_score: of the links that hold the group together, the weakest; 1 when exact.
    """

    rows: tuple[int, ...]
    is_exact: bool
    lowest_score: float


def find_groups(
    vectors: Float32[np.ndarray, "n D"],
    contents: Sequence[str],
    *,
    engine: SearchEngine,
    background: Background,
    threshold: float,
) -> list[Group]:
    """Links every picture with its near neighbours, and returns what hangs together.

    Files with the same content are linked first. Two others are linked when the similarity counts
    for both of them: the lower of their two scores reaches the threshold.

    Args:
        vectors: of the gallery, as the engine holds them.
        contents: a hash for each; exact copies have the same.
        engine: holds the vectors.
        background: how near means little.
        threshold: score from which two pictures count as copies; see ``normalise.scores``.

    Returns:
        The groups, in the order of their first rows.
    """
    parents = list(range(len(vectors)))
    links = _same_files(vectors, contents)
    levels = np.concatenate([background.level(part) for part in _parts(vectors)])
    for start, part in zip(range(0, len(vectors), QUERIES_AT_A_TIME), _parts(vectors), strict=True):
        found = engine.search(part, NUM_LOOKED_AT + 1)
        own = scores(found.similarities, levels[start : start + len(part)])
        for q, (row_scores, rows, similarities) in enumerate(
            zip(own, found.rows, found.similarities, strict=True)
        ):
            of_others = scores(similarities[:, None], levels[rows])[:, 0]
            lower = np.minimum(row_scores, of_others)
            is_same = np.array([contents[row] == contents[start + q] for row in rows])
            for other in np.flatnonzero((lower >= threshold) & ~is_same).tolist():
                links.append((start + q, int(rows[other]), float(lower[other])))
    for a, b, _ in links:
        _join(parents, a, b)
    return _groups(parents, links, contents)


def _same_files(
    vectors: Float32[np.ndarray, "n D"], contents: Sequence[str]
) -> list[tuple[int, int, float]]:
    """Links between the first file of each content and all others, however many there are.

    Equal vectors are compared by their distance: that of two blank pictures is 0, although they
    are at no angle to each other.
    """
    rows: dict[str, list[int]] = {}
    for row, content in enumerate(contents):
        rows.setdefault(content, []).append(row)
    return [
        (first, other, 1.0)
        for first, *others in rows.values()
        for other in others
        if np.square(vectors[first] - vectors[other]).sum() <= 2 - 2 * SAME
    ]


def _parts(vectors: Float32[np.ndarray, "n D"]) -> list[Float32[np.ndarray, "_n D"]]:
    return [
        np.ascontiguousarray(vectors[start : start + QUERIES_AT_A_TIME])
        for start in range(0, len(vectors), QUERIES_AT_A_TIME)
    ]


def _groups(
    parents: list[int], links: list[tuple[int, int, float]], contents: Sequence[str]
) -> list[Group]:
    members: dict[int, list[int]] = {}
    for row in sorted({row for a, b, _ in links for row in (a, b)}):
        members.setdefault(_root(parents, row), []).append(row)
    lowest: dict[int, float] = {}
    for a, _, score in links:
        root = _root(parents, a)
        lowest[root] = min(score, lowest.get(root, 1.0))
    return [
        Group(tuple(rows), len({contents[row] for row in rows}) == 1, lowest[root])
        for root, rows in members.items()
    ]


def _root(parents: list[int], row: int) -> int:
    while parents[row] != row:
        parents[row] = parents[parents[row]]  # halves the way for the next one
        row = parents[row]
    return row


def _join(parents: list[int], a: int, b: int) -> None:
    first, second = sorted((_root(parents, a), _root(parents, b)))
    parents[second] = first
