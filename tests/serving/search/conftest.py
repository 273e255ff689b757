"""A tiny untrained model and a small gallery, for the tests of searching."""

from pathlib import Path

import pytest
import torch

from saccade.config.task import EmbedConfig
from saccade.serving.engine import Engine
from saccade.tasks.build_embed import build_embedder
from saccade.tasks.embed import Embed
from tests import tiny
from tests.contract.worlds.world import RAG


def make_engine(*, seed: int = 0, out_dim: int = 6) -> Engine[Embed]:
    task = build_embedder(
        RAG,
        EmbedConfig(out_dim=out_dim),
        class_names=tiny.CLASSES,
        preprocess=tiny.preprocess(),
        seed=seed,
    )
    return Engine(
        task=task.eval(),
        job="embed",
        preprocess=tiny.preprocess(),
        precision="fp32",
        num_threads=1,
        device=torch.device("cpu"),
    )


@pytest.fixture(scope="session")
def engine() -> Engine[Embed]:
    return make_engine()


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    """Seven pictures of each of three classes, and a broken one."""
    folder = tiny.draw_folder(tmp_path / "gallery", count=7)
    (folder / "leaf" / "broken.png").write_bytes(b"\x89PNG no picture")
    return folder
