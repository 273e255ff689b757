"""Google's .npz files give the same tokens and logits here as through timm's loader."""

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.parity_google import REFERENCES, SIZES, Reference, errors
from saccade.weights.google import google_rules
from saccade.weights.read import read
from saccade.weights.rename import write_tensors

pytest.importorskip("timm", reason="needs timm: pip install saccade[parity]")

LIMIT = 1e-5

references = pytest.mark.parametrize("reference", REFERENCES, ids=lambda each: each.name)


@references
def test_every_block_and_the_logits_agree(reference: Reference) -> None:
    found = errors(reference, seed=0)

    assert found.keys() == SIZES.keys()
    assert max(found.values()) <= LIMIT, found


@references
def test_the_names_lead_back_to_the_same_arrays(reference: Reference, tmp_path: Path) -> None:
    path = reference.save(tmp_path, seed=0)
    found = read(path)

    rules = google_rules(found.model, num_classes=len(found.class_names))
    back = write_tensors(found.tensors, rules=rules)

    with np.load(path) as theirs:
        assert sorted(back) == sorted(theirs.files)
        assert all(torch.equal(back[name], torch.from_numpy(theirs[name])) for name in back)
