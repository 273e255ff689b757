"""Run folders as training leaves them, small and made up."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.metrics.classify import ClassMetrics

MakeRun = Callable[..., Path]


def png_bytes(*, side: int, seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_json(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data), encoding="utf-8")


def evaluation(names: list[str], *, n: int, seed: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(len(names), (n,), generator=generator)
    logits = torch.randn(n, len(names), generator=generator)
    logits[torch.arange(n), labels] += 2.0
    meter = ClassMetrics(names)
    meter.update(logits.softmax(dim=1), labels)
    return meter.result().to_json()


def contract(names: list[str]) -> dict[str, Any]:
    num = len(names)
    return {
        "saccade": "0.1.0",
        "job": "classify",
        "model_name": "rag-nano4",
        "class_names": names,
        "preprocess": {
            "height": 28, "width": 28, "channels": 1, "fit": "crop", "mean": [0.3], "std": [0.2]
        },
        "data": {
            "source": "/photos/animals",
            "kind": "class folder",
            "fingerprint": "ab" * 32,
            "splits": {"train": 8 * num, "val": num, "test": 60},
            "class_counts": {"train": [8] * num, "val": [1] * num, "test": [2] * num},
            "notes": ["60 pictures are held out for test."],
            "ignored": [["Thumbs.db", "left by a system"]],
            "bad": {"cat/torn.jpg": "truncated"},
        },
        "num_parameters": 123456,
        "seed": 7,
        "licence": "CC0-1.0",
        "figures": {},
    }  # fmt: skip


CONFIG = {
    "job": "classify",
    "seed": 7,
    "steps": 100,
    "model": {"family": "rag", "embed_dim": 96},
    "optim": {"lr": 0.001, "label_smoothing": 0.1},
}


def log_lines() -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [
        {"kind": "train", "step": step, "epoch": step / 20, "loss": 2.0 / step, "top1": step / 100,
         "lr": 0.001, "grad_norm": 0.5, "images_per_second": 900.0, "seconds": step / 2}
        for step in range(2, 101, 2)
    ]  # fmt: skip
    for step in (50, 100):
        figures = {"top1": 0.8, "log_loss": 0.5, "ece": 0.1, "macro_f1": 0.79}
        lines.append(
            {"kind": "eval", "split": "val", "step": step, "metrics": figures, "seconds": step / 2}
        )
    lines.append({"kind": "note", "step": 4, "text": "a checkpoint was damaged"})
    return lines


def gallery(run: Path, names: list[str]) -> dict[str, Any]:
    (run / "pictures").mkdir(parents=True)
    for i in range(4):
        (run / "pictures" / f"{i}.png").write_bytes(png_bytes(side=28 if i < 2 else 64, seed=i))
    entry = {"label": names[0], "predicted": names[1], "probability": 0.93, "path": "cat/1.jpg"}
    return {
        "batch": [{"file": "pictures/0.png", "label": names[0]}],
        "data": [{"file": "pictures/1.png", "label": names[1]}],
        "mistakes": [{**entry, "file": "pictures/2.png", "overlay": "pictures/3.png"}],
        "attention": [
            {**entry, "file": "pictures/2.png",
             "maps": {"legrad": "pictures/3.png", "rollout": "pictures/3.png"}}
        ],
    }  # fmt: skip


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes a complete run folder; ``without`` names the parts that are not there yet."""

    def make(names: list[str] | None = None, *, without: tuple[str, ...] = ()) -> Path:
        names = names or ["cat", "dog", "owl"]
        run = tmp_path / "run"
        run.mkdir()
        parts: dict[str, Any] = {
            "config.json": CONFIG,
            "contract.json": contract(names),
            "environment.json": {"machine": "Linux x86_64", "cpu": "a CPU", "num_threads": 2},
            "evaluation/val.json": {"split": "val", **evaluation(names, n=40, seed=1)},
            "evaluation/test.json": {"split": "test", **evaluation(names, n=60, seed=2)},
        }
        for name, data in parts.items():
            if not name.startswith(without or ("-",)):
                write_json(run / name, data)
        if "log.jsonl" not in without:
            (run / "log.jsonl").write_text("".join(json.dumps(x) + "\n" for x in log_lines()))
        if "pictures" not in without:
            write_json(run / "pictures" / "index.json", gallery(run, names))
        return run

    return make


@pytest.fixture
def converted(make_run: MakeRun) -> Path:
    """Weights of another library in a run folder: nothing was trained or measured."""
    run = make_run(without=("evaluation", "log.jsonl", "pictures"))
    promised = contract(["cat", "dog"])
    promised["data"] |= {"source": "", "kind": "unknown", "fingerprint": "", "splits": {}}
    promised["origin"] = {
        "source": "hf://owner/name",
        "library": "timm",
        "architecture": "vit_small_patch16_224",
        "sha256": "cd" * 32,
        "has_new_head": False,
    }
    write_json(run / "contract.json", promised)
    config = json.loads((run / "config.json").read_text())
    write_json(run / "config.json", config | {"steps": 0})
    return run
