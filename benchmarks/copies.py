"""Are edited copies found again, and told from strangers?

2,000 pictures of four kinds are indexed, and asked for by edited copies of them; 1,000 pictures
that are in no gallery ask too, since a good score has to tell them apart (muAP). The models learned
without labels from 10,000 other pictures. Beside them the same model without learning, and two ways
that need no model.

    python -m benchmarks copies                       trains what is missing, see --help
    python -m benchmarks copies --collect             what there is to results/copies.json
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks import edited
from benchmarks.harness import saccade
from benchmarks.ledger import Training, run_cases
from saccade.metrics.retrieval import micro_average_precision
from saccade.serving.search.exact import ExactSearch
from saccade.serving.search.normalise import OWN_SKIPPED, Background, scores
from saccade.serving.search.whiten import fit, identity

MODEL, SIDE, STEPS = "rag-pico8", 32, 1200
NUM_CANDIDATES = 10

FOR_CLASSES: dict[str, str] = {"task.num_local_views": "0"}
FOR_COPIES: dict[str, str] = {**FOR_CLASSES, "task.colour": "0.4"}

CASES: dict[str, dict[str, Any]] = {
    "learned for copies": {"steps": STEPS, "settings": FOR_COPIES},
    "learned as for classes": {"steps": STEPS, "settings": FOR_CLASSES},
    "untrained": {"steps": 1, "settings": FOR_CLASSES | {"optim.lr": "0"}},
}

Describe = Callable[[Path], np.ndarray]
"""A folder of pictures to their vectors, in the order of their names."""


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    torch.set_num_threads(1)
    run_cases(arguments, benchmark="copies", cases=CASES, train=train_case, controls=controls)


def train_case(training: Training) -> dict[str, Any]:
    """A model trained through the command line; its vectors as they are, and whitened."""
    case = CASES[training.case]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        edited.write_all(root)
        edited.write(edited.training(), root / "training")
        saccade(
            "train", str(root / "training"), "--out", f"{place}/run", "--job", "pretrain",
            "--model", MODEL, "--steps", str(case["steps"]), "--seed", str(training.seed),
            "--set", f"data.image_size={SIDE}", "--set", "data.num_threads=1",
            *(f"--set={key}={value}" for key, value in case["settings"].items()),
        )  # fmt: skip
        vectors = {folder.name: _embed(root / "run", folder) for folder in _judged(root)}
    plain = judge(vectors, is_whitened=False)
    return judge(vectors, is_whitened=True) | {f"{name}_plain": plain[name] for name in plain}


def controls() -> dict[str, dict[str, float]]:
    """What needs no model."""
    with tempfile.TemporaryDirectory() as place:
        edited.write_all(Path(place))
        return {
            name: judge({f.name: _of_pictures(f, make) for f in _judged(Path(place))})
            for name, make in (
                ("pixels, 32 x 32", edited.tiny_pixels),
                ("difference hash, 256 bits", edited.difference_hash),
            )
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


def _judged(root: Path) -> Iterator[Path]:
    for name in ("gallery", "background", *edited.MILD, *edited.OTHERS):
        yield root / name


def _embed(run: Path, folder: Path) -> np.ndarray:
    out = run.parent / f"vectors-{folder.name}"
    saccade("embed", str(run), str(folder), "--out", str(out))
    return np.load(out / "vectors.npy")


def _of_pictures(folder: Path, make: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
    found = []
    for path in sorted(folder.iterdir()):
        with Image.open(path) as picture:
            found.append(make(picture.convert("RGB")))
    return np.stack(found)
