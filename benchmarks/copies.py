"""Are edited copies found again, and told from strangers?

2,000 pictures of four kinds are indexed, and asked for by edited copies of them; 1,000 pictures
that are in no gallery ask too, since a good score has to tell them apart (muAP). The models learned
without labels from 10,000 other pictures. Beside them the same model without learning, and two ways
that need no model.

    python -m benchmarks copies                       trains what is missing, see --help
    python -m benchmarks copies --collect             what there is to results/copies.json
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from benchmarks import edited
from benchmarks.harness import saccade
from benchmarks.ledger import Training, run_cases
from saccade.metrics.retrieval import micro_average_precision
from saccade.serving.search.exact import ExactSearch
from saccade.serving.search.normalise import OWN_SKIPPED, Background, scores
from saccade.serving.search.whiten import fit, identity

MODEL, SIDE, STEPS = "rag-pico8", 32, 400
NUM_CANDIDATES = 10
POOLS = ("auto", "quarters")

LEARNED = {"task.num_local_views": "0"}

CASES: dict[str, dict[str, Any]] = {
    "colours kept": {"steps": STEPS, "settings": {**LEARNED, "task.colour": "0.4"}},
    "as for classes": {"steps": STEPS, "settings": LEARNED},
    "untrained": {"steps": 1, "settings": {**LEARNED, "optim.lr": "1e-9"}},
}


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    torch.set_num_threads(1)
    run_cases(arguments, benchmark="copies", cases=CASES, train=train_case, controls=controls)


def train_case(training: Training) -> dict[str, Any]:
    """A model trained through the command line; its vectors in two pools, plain and whitened.

    The run is left to be looked at.
    """
    case = CASES[training.case]
    run = training.work / f"{training.case.replace(' ', '-')}-{training.seed}"
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        edited.write(edited.training(), root / "training")
        saccade(
            "train", str(root / "training"), "--out", str(run), "--job", "pretrain",
            "--model", MODEL, "--steps", str(case["steps"]), "--seed", str(training.seed),
            "--set", f"data.image_size={SIDE}", "--set", "data.num_threads=1",
            *(f"--set={key}={value}" for key, value in case["settings"].items()),
        )  # fmt: skip
        edited.write_all(root / "judged")
        figures = {}
        for pool in POOLS:
            vectors = _embedded(run, root, pool=pool)
            for is_whitened in (True, False):
                found = judge(vectors, is_whitened=is_whitened)
                name = f"{pool}_{'whitened' if is_whitened else 'plain'}"
                figures |= {f"{name}_{key}": value for key, value in found.items()}
    return figures


def controls() -> dict[str, dict[str, float]]:
    """What needs no model."""
    ways = {
        "pixels, 32 x 32": edited.tiny_pixels,
        "difference hash, 256 bits": edited.difference_hash,
    }
    pictures = edited.all_judged()
    return {
        name: judge({part: np.stack([*map(make, each)]) for part, each in pictures.items()})
        for name, make in ways.items()
    }


def judge(vectors: Mapping[str, np.ndarray], *, is_whitened: bool = False) -> dict[str, float]:
    """Recall at 1 of each edit, and muAP over the mild ones with strangers among the queries.

    Args:
        vectors: of the gallery, of each edit of it, row by row, and of the background.
        is_whitened: by the gallery.
    """
    raw = vectors["gallery"]
    whitening = fit(raw) if is_whitened else identity(raw.shape[1])
    gallery = whitening(raw)
    engine = ExactSearch(gallery.shape[1])
    engine.add(gallery)
    truth = np.arange(len(gallery))
    asked = {name: whitening(vectors[name]) for name in edited.MILD | edited.OTHERS}
    recall = {
        name: float((engine.search(queries, 1).rows[:, 0] == truth).mean())
        for name, queries in asked.items()
    }
    strangers = whitening(vectors["background"])
    queries = np.concatenate([*(asked[name] for name in edited.MILD), strangers])
    wanted = np.concatenate([np.tile(truth, len(edited.MILD)), np.full(len(strangers), -1)])
    found = engine.search(queries, NUM_CANDIDATES)
    is_right = (found.rows == wanted[:, None]).ravel()
    level = Background(gallery, num_skipped=OWN_SKIPPED).level(queries)

    def mu_ap(of: np.ndarray) -> float:
        num_right = len(truth) * len(edited.MILD)
        return micro_average_precision(of.ravel(), is_right, num_right=num_right)

    figures = {
        "mild": float(np.mean([recall[name] for name in edited.MILD])),
        **recall,
        "mu_ap": mu_ap(found.similarities),
        "mu_ap_normalised": mu_ap(scores(found.similarities, level)),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def _embedded(run: Path, root: Path, *, pool: str) -> dict[str, np.ndarray]:
    """The vectors of each part of what is judged, in the order of the pictures' numbers."""
    out = root / f"vectors-{pool}"
    saccade("embed", str(run), str(root / "judged"), f"--out={out}", f"--pool={pool}")
    vectors = np.load(out / "vectors.npy")
    paths = [Path(path) for path in pq.read_table(out / "items.parquet")["path"].to_pylist()]
    parts = np.array([path.parent.name for path in paths])
    order = np.argsort([path.name for path in paths], kind="stable")
    return {part: vectors[order[parts[order] == part]] for part in np.unique(parts).tolist()}
