"""Exact search beside faiss, and approximate search beside exact, on 100,000 vectors.

``exact`` needs faiss-cpu, to be compared with; ``approximate`` needs the extra ``search``.

    python -m benchmarks engines                      measures what is missing, see --help
    python -m benchmarks engines --collect            what there is to results/engines.json
"""

import importlib
import statistics
import time
from collections.abc import Callable, Sequence
from operator import truediv
from types import ModuleType
from typing import Any

import numpy as np
import torch

from benchmarks.ledger import Training, run_cases
from saccade.serving.search.approximate import ApproximateSearch
from saccade.serving.search.exact import ExactSearch

NUM_VECTORS, EMBED_DIM, NUM_CENTRES, K = 100_000, 384, 1_000, 10
ROUNDS = {1: 61, 2: 61, 8: 21, 64: 7, 1_000: 7}
"""By how many queries are asked at a time: what takes milliseconds is disturbed the most."""
NUM_RECALLED = 1_000


_WORLD = {"vectors": NUM_VECTORS, "dim": EMBED_DIM, "clusters": NUM_CENTRES, "k": K}
CASES = {"exact": {**_WORLD, "rounds": ROUNDS}, "approximate": _WORLD}


def main(arguments: Sequence[str]) -> None:
    """Measures what is not there yet, or collects."""
    torch.set_num_threads(1)
    run_cases(arguments, benchmark="engines", cases=CASES, train=measure)


def measure(training: Training) -> dict[str, Any]:
    """One engine on vectors of its seed's own."""
    return (exact_search if training.case == "exact" else approximate_search)(training.seed)


def exact_search(seed: int) -> dict[str, Any]:
    """Processor seconds of a search, ours and that of faiss by turns, in one process.

    How many times as fast is the median over pairs that followed each other.
    """
    vectors, queries = clustered(seed)
    exact = ExactSearch(EMBED_DIM)
    exact.add(vectors)
    faiss = _faiss()
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(EMBED_DIM)
    flat.add(vectors)
    figures: dict[str, Any] = {"faiss": faiss.__version__}
    for count, num_rounds in ROUNDS.items():
        some = np.ascontiguousarray(queries[:count])
        ours, theirs = [], []
        for _ in range(num_rounds):
            ours.append(_seconds(lambda q=some: exact.search(q, K)))
            theirs.append(_seconds(lambda q=some: flat.search(q, K)))
        same = exact.search(some, K).rows == flat.search(some, K)[1]
        figures |= {
            f"exact_ms_{count}": round(1000 * statistics.median(ours), 2),
            f"faiss_ms_{count}": round(1000 * statistics.median(theirs), 2),
            f"times_as_fast_{count}": round(statistics.median(map(truediv, theirs, ours)), 2),
            f"same_rows_{count}": round(float(same.mean()), 5),
        }
    return figures


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
    return {
        "recall_at_10": sum(hits) / (K * NUM_RECALLED),
        "worst_query": min(hits) / K,
        "add_cpu_seconds": round(add_seconds, 1),
        "one_query_median_ms": round(1000 * statistics.median(one), 3),
    }


def clustered(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A gallery, and queries that lie in its clusters too: unit vectors, not evenly spread."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(NUM_CENTRES, EMBED_DIM)).astype(np.float32)

    def draw(count: int) -> np.ndarray:
        noise = rng.normal(size=(count, EMBED_DIM)).astype(np.float32)
        found = centres[rng.integers(NUM_CENTRES, size=count)] + noise
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    return draw(NUM_VECTORS), draw(max(*ROUNDS, NUM_RECALLED))


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
