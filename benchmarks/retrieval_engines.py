"""Exact search beside faiss, and approximate search beside exact: the benchmark ``retrieval``."""

import importlib
import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

from saccade.serving.search.approximate import ApproximateSearch
from saccade.serving.search.exact import ExactSearch

NUM_VECTORS, EMBED_DIM, NUM_CENTRES, K = 100_000, 384, 1_000, 10
NUM_QUERIES = (1, 2, 8, 64, 1_000)
ROUNDS = 7
NUM_RECALLED = 1_000


def exact_search(seed: int) -> dict[str, Any]:
    """Processor seconds of a search, ours and that of faiss by turns, in one process."""
    vectors, queries = clustered(seed)
    exact = ExactSearch(EMBED_DIM)
    exact.add(vectors)
    faiss = _faiss()
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(EMBED_DIM)
    flat.add(vectors)
    rows = []
    for count in NUM_QUERIES:
        some = np.ascontiguousarray(queries[:count])
        seconds: dict[str, list[float]] = {"exact": [], "faiss": []}
        for _ in range(ROUNDS):
            seconds["exact"].append(_seconds(lambda q=some: exact.search(q, K)))
            seconds["faiss"].append(_seconds(lambda q=some: flat.search(q, K)))
        ours, theirs = exact.search(some, K), flat.search(some, K)[1]
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        rows.append(
            {
                "queries": count,
                **{f"{name}_ms": round(1000 * value, 2) for name, value in medians.items()},
                **{f"{name}_min_ms": round(1000 * min(v), 2) for name, v in seconds.items()},
                "times_as_fast": round(medians["faiss"] / medians["exact"], 2),
                "same_rows": round(float((ours.rows == theirs).mean()), 5),
            }
        )
        print(rows[-1], flush=True)
    return {**_about(seed), "faiss": faiss.__version__, "rows": rows}


def approximate_search(seed: int) -> dict[str, Any]:
    """How much of the truth the graph finds, and what it costs."""
    vectors, queries = clustered(seed)
    exact, graph = ExactSearch(EMBED_DIM), ApproximateSearch(EMBED_DIM)
    exact.add(vectors)
    start = time.process_time()
    for part in np.array_split(vectors, 20):
        graph.add(part)
    add_seconds = time.process_time() - start
    some = queries[:NUM_RECALLED]
    truth, found = exact.search(some, K).rows, graph.search(some, K).rows
    hits = [len(set(a) & set(b)) for a, b in zip(truth.tolist(), found.tolist(), strict=True)]
    one = [_seconds(lambda q=some[i : i + 1]: graph.search(q, K)) for i in range(200)]
    row = {
        "recall_at_10": round(sum(hits) / (K * NUM_RECALLED), 5),
        "worst_query": min(hits) / K,
        "add_cpu_seconds": round(add_seconds, 1),
        "one_query_median_ms": round(1000 * statistics.median(one), 3),
    }
    print(row, flush=True)
    return {**_about(seed), **row}


def clustered(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A gallery, and queries that lie in its clusters too: unit vectors, not evenly spread."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(NUM_CENTRES, EMBED_DIM)).astype(np.float32)

    def draw(count: int) -> np.ndarray:
        noise = rng.normal(size=(count, EMBED_DIM)).astype(np.float32)
        found = centres[rng.integers(NUM_CENTRES, size=count)] + noise
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    return draw(NUM_VECTORS), draw(max(*NUM_QUERIES, NUM_RECALLED))


def _about(seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "vectors": f"{NUM_VECTORS:,} x {EMBED_DIM}, {NUM_CENTRES:,} Gaussian clusters",
        "threads": torch.get_num_threads(),
    }


def _seconds(work: Callable[[], object]) -> float:
    """Processor seconds: others on the machine make the clock say nothing."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _faiss() -> ModuleType:
    """A peer, which nothing in saccade imports."""
    try:
        return importlib.import_module("faiss")
    except ImportError:
        raise SystemExit("this part needs faiss: pip install faiss-cpu") from None
