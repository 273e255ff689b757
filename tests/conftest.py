"""What every test may rely on: one thread, a fixed seed, no colours, no window, no GPU needed."""

import os
from pathlib import Path

import pytest
import torch

os.environ["MPLBACKEND"] = "Agg"
os.environ["NO_COLOR"] = "1"

REPOSITORY = Path(__file__).resolve().parents[1]

# Sums depend on how they are split over threads, and models this small are fastest on one.
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    """Fresh layers draw their weights from torch's global generator, so each test restarts it."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real pictures that may stand beside the checkout."""
    folder = REPOSITORY / ".." / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the shared/data folder beside the checkout")
    return folder.resolve()
