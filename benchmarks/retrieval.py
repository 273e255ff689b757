"""Does a search find edited copies, and are the engines what they claim to be?

    python -m benchmarks retrieval copies 0 1 2
    python -m benchmarks retrieval exact 0
    python -m benchmarks retrieval approximate 0

``copies``: 2,000 pictures of four kinds are indexed, and asked for by edited copies of them; 1,000
pictures that are in no gallery ask too, since a good score has to tell them apart (muAP). The model
learned from 10,000 other pictures without labels. ``exact`` needs faiss-cpu, to be compared with;
``approximate`` needs the extra ``search``. Each part is kept in results/retrieval.json.
"""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks import retrieval_copies as copies
from benchmarks.harness import RESULTS, commit, saccade, spread
from benchmarks.retrieval_engines import approximate_search, exact_search
from saccade.metrics.retrieval import micro_average_precision
from saccade.run.environment import describe
from saccade.serving.search.exact import ExactSearch
from saccade.serving.search.normalise import OWN_SKIPPED, Background, scores
from saccade.serving.search.whiten import fit, identity

MODEL, SIDE, STEPS = "rag-pico8", 32, 1200
NUM_CANDIDATES = 10

PARTS = ("copies", "exact", "approximate")

Describe = Callable[[Path], np.ndarray]
"""A folder of pictures to their vectors, in the order of their names."""


def main(arguments: Sequence[str]) -> None:
    """Runs the parts that were named, or all."""
    parts = [each for each in arguments if not each.isdigit()] or list(PARTS)
    seeds = [int(each) for each in arguments if each.isdigit()] or [0, 1, 2]
    torch.set_num_threads(1)
    for part in parts:
        if part == "copies":
            _save(part, _copies(seeds))
        elif part == "exact":
            _save(part, [exact_search(seed) for seed in seeds])
        elif part == "approximate":
            _save(part, [approximate_search(seed) for seed in seeds])
        else:
            raise SystemExit(f"no part {part!r}; there are {', '.join(PARTS)}")


def _copies(seeds: Sequence[int]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pictures = copies.gallery()
        copies.write(pictures, root / "gallery")
        copies.write(copies.background(), root / "background")
        copies.write(copies.training(), root / "training")
        for seed, (name, edit) in enumerate((copies.MILD | copies.OTHERS).items()):
            copies.write_edited(pictures, edit, root / name, seed=seed)
        rows = [
            _judge("pixels 32 x 32", _of_pictures(copies.tiny_pixels), root),
            _judge("difference hash, 256 bits", _of_pictures(copies.difference_hash), root),
        ]
        for seed in seeds:
            rows += _trained(root, seed)
    kinds = dict.fromkeys(row["by"] for row in rows if "seed" in row)
    figures = ("mild", "mu_ap", "mu_ap_normalised", *copies.MILD, *copies.OTHERS)
    return {
        "rows": rows,
        "summary": {
            kind: {name: spread([r[name] for r in rows if r["by"] == kind]) for name in figures}
            for kind in kinds
        },
    }


def _trained(root: Path, seed: int) -> list[dict[str, Any]]:
    """A model trained without labels through the command line, with and without whitening."""
    run = root / f"run{seed}"
    start = time.perf_counter()
    result, _ = saccade(
        "train", str(root / "training"), "--out", str(run), "--job", "pretrain",
        "--model", MODEL, "--steps", str(STEPS), "--seed", str(seed),
        "--set", f"data.image_size={SIDE}", "--set", "data.num_threads=1",
        "--set", "task.num_local_views=0", "--set", f"evaluate_every={STEPS // 2}",
    )  # fmt: skip
    seconds = round(time.perf_counter() - start, 1)
    made: dict[str, np.ndarray] = {}

    def vectors(folder: Path) -> np.ndarray:
        if folder.name not in made:
            out = root / f"vectors{seed}-{folder.name}"
            saccade("embed", str(run), str(folder), "--out", str(out))
            made[folder.name] = np.load(out / "vectors.npy")
        return made[folder.name]

    about = {"seed": seed, "model": MODEL, "steps": result["steps"], "train_seconds": seconds}
    return [
        _judge(name, vectors, root, is_whitened=is_whitened) | about
        for name, is_whitened in (("pretrained", False), ("pretrained, whitened", True))
    ]


def _judge(
    by: str, describe_folder: Describe, root: Path, *, is_whitened: bool = False
) -> dict[str, Any]:
    """Recall at 1 of each edit, and muAP over the mild ones with strangers among the queries."""
    raw = describe_folder(root / "gallery")
    whitening = fit(raw) if is_whitened else identity(raw.shape[1])
    gallery = whitening(raw)
    engine = ExactSearch(gallery.shape[1])
    engine.add(gallery)
    truth = np.arange(len(gallery))
    asked = {name: whitening(describe_folder(root / name)) for name in copies.MILD | copies.OTHERS}
    recall = {
        name: round(float((engine.search(queries, 1).rows[:, 0] == truth).mean()), 4)
        for name, queries in asked.items()
    }
    strangers = whitening(describe_folder(root / "background"))
    queries = np.concatenate([*(asked[name] for name in copies.MILD), strangers])
    wanted = np.concatenate([np.tile(truth, len(copies.MILD)), np.full(len(strangers), -1)])
    found = engine.search(queries, NUM_CANDIDATES)
    is_right = (found.rows == wanted[:, None]).ravel()
    level = Background(gallery, num_skipped=OWN_SKIPPED).level(queries)

    def mu_ap(of: np.ndarray) -> float:
        num_right = len(truth) * len(copies.MILD)
        return round(micro_average_precision(of.ravel(), is_right, num_right=num_right), 4)

    row = {
        "by": by,
        "dim": gallery.shape[1],
        "mild": round(float(np.mean([recall[name] for name in copies.MILD])), 4),
        **recall,
        "mu_ap": mu_ap(found.similarities),
        "mu_ap_normalised": mu_ap(scores(found.similarities, level)),
    }
    print(json.dumps(row), flush=True)
    return row


def _of_pictures(make: Callable[[Image.Image], np.ndarray]) -> Describe:
    def describe_folder(folder: Path) -> np.ndarray:
        found = []
        for path in sorted(folder.iterdir()):
            with Image.open(path) as picture:
                found.append(make(picture.convert("RGB")))
        return np.stack(found)

    return describe_folder


def _save(part: str, results: object) -> None:
    """Replaces one part of the results and leaves the others."""
    path = RESULTS / "retrieval.json"
    document = json.loads(path.read_text()) if path.exists() else {"benchmark": "retrieval"}
    document[part] = {
        "command": f"python -m benchmarks retrieval {part}",
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": describe(torch.device("cpu"), precision="see rows", attention="see rows"),
        "results": results,
    }
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
