"""Probabilities that keep their word, and pictures of other things, after a short training.

The calibration error is taken on the test pictures of CIFAR-10, before and after the temperature
that validation pictures gave. The other things are the test pictures of Fashion-MNIST and drawn
letters of Omniglot, resized like any picture. Beside the score that `--reject` uses stand its
controls: the energy, the largest probability, and kNN on nothing but what the head reads, at unit
length, as in arXiv 2204.06507.

    python -m benchmarks trust                 trains what is missing, see --help
    python -m benchmarks trust --collect       what there is to results/trust.json
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.harness import saccade
from benchmarks.ledger import Training, run_cases
from saccade.data.bare import open_bare
from saccade.data.samples import Samples
from saccade.data.sources import open_source
from saccade.jobs.classify.judge import judge
from saccade.metrics.outliers import auroc
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.evidence import evidence
from saccade.serving.known import NUM_NEIGHBOURS
from saccade.serving.load import load_engine
from saccade.serving.model import Model
from saccade.verbs.unknown import against_unknown
from saccade.verbs.unseen import best_part
from saccade.verbs.voice import Voice

UNKNOWN = {"fashion": "fashion-mnist", "omniglot": "omniglot/images_background_small1"}
FIGURES = ("top1", "log_loss", "brier", "ece", "ece_equal_mass", "aurc")
MOVED = ("log_loss", "brier", "ece", "ece_equal_mass")  # by the temperature
NUM_REMEMBERED = 2048  # by the control, as by the score itself

CASES = {"rag-pico4": {"model": "rag-pico4", "steps": 400, "evaluate_every": 400}}


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    run_cases(arguments, benchmark="trust", cases=CASES, train=train_case)


def train_case(training: Training) -> dict[str, Any]:
    """Trains once, unless the run is there already, and asks it about all three."""
    case, source = CASES[training.case], training.shared / "cifar10"
    folder = RunFolder(training.work / f"{training.case}-{training.seed}")
    if folder.config.exists():  # stopped on the way, or learned before what is measured changed
        saccade("train", str(source), "--out", str(folder.path), "--resume", "--device", "cpu")
    else:
        saccade(
            *("train", str(source), "--out", str(folder.path), "--model", str(case["model"])),
            *("--steps", str(case["steps"]), "--seed", str(training.seed), "--device", "cpu"),
            *("--set", f"evaluate_every={case['evaluate_every']}"),
        )
    engine = load_engine(folder.path, device="cpu")
    judged = judge(Model(engine), engine.loader(open_source(source).splits["test"]))
    assert judged.untempered is not None
    found: dict[str, Any] = {"n": judged.n, "temperature": judged.temperature}
    found |= {name: judged.metrics[name].value for name in FIGURES}
    found |= {f"{name}_before": judged.untempered.metrics[name].value for name in MOVED}
    found |= {f"refused_by_{row['by']}": row["refused"]["value"] for row in judged.refused}
    learned, known = (_read(engine, open_source(source).splits[part]) for part in ("train", "test"))
    for name, path in UNKNOWN.items():
        samples = best_part(open_bare(training.shared / path))[1]
        rows = against_unknown(engine, judged, samples, folder, Voice(is_quiet=True))
        found |= {f"{name}_auroc_{row['score']}": row["auroc"]["value"] for row in rows}
        found |= {f"{name}_fpr95_{row['score']}": row["fpr95"]["value"] for row in rows}
        control = auroc(_nearest(known, learned), _nearest(_read(engine, samples), learned))
        found[f"{name}_auroc_knn_read"] = control.value
    return found


def _read(engine: Engine, samples: Samples) -> torch.Tensor:
    """What the head reads of some of the pictures, at unit length."""
    drawn = np.random.default_rng(0).permutation(len(samples))[:NUM_REMEMBERED]
    batches = engine.loader(samples.take(np.sort(drawn))).batches()
    return F.normalize(torch.cat([evidence(engine, batch).parts[-1] for batch in batches]), dim=1)


def _nearest(vectors: torch.Tensor, remembered: torch.Tensor) -> np.ndarray:
    distances = torch.cdist(vectors, remembered).topk(NUM_NEIGHBOURS, largest=False).values
    return -distances[:, -1].double().numpy()
