"""A model saved by transformers gives the same tokens and answers here, after every block."""

from pathlib import Path

import pytest
import torch

from benchmarks.compare import error, ours
from benchmarks.parity_transformers import REFERENCES, Reference, errors
from saccade.weights.read import read

pytest.importorskip(
    "transformers", reason="compares with transformers: pip install saccade[parity]"
)

RESIZING = [each for each in REFERENCES if each.resizes != "never"]

LARGEST_ERROR = 1e-5
"""max|a - b| / max|b| in fp32, over all blocks and the answer."""


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda each: each.name)
def test_tokens_after_every_block_and_answers_are_those_of_transformers(
    reference: Reference,
) -> None:
    found = errors(reference, seed=1)

    assert list(found) == reference.sizes
    assert max(found.values()) <= LARGEST_ERROR, found


@pytest.mark.parametrize("reference", RESIZING, ids=lambda each: each.name)
def test_pictures_smaller_than_in_training_agree_too(reference: Reference, tmp_path: Path) -> None:
    model = reference.build(seed=2)
    model.save_pretrained(tmp_path)
    images = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(2))

    mine = ours(read(tmp_path, leave_out=reference.leave_out), images)

    assert error(mine, reference.run(model, images)) <= LARGEST_ERROR
