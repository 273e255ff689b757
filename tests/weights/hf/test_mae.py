"""MAE of transformers is a ViT with a decoder that has to be left out by name."""

import pytest
import torch
from torch import Tensor

from saccade.errors import DataError
from saccade.weights.hf.convert import Written, from_transformers, to_transformers
from saccade.weights.pretrained import Pretrained
from tests.weights.hf.models import PREPROCESS, VIT, drawn

TENSORS = drawn(VIT, num_classes=0)
VIT_FILES = to_transformers(TENSORS, VIT, class_names=(), preprocess=PREPROCESS)
CONFIG = VIT_FILES.config | {"model_type": "vit_mae", "architectures": ["ViTMAEModel"]}


def read(files: Written, tensors: dict[str, Tensor]) -> Pretrained:
    return from_transformers(CONFIG, tensors, files.preprocessor, source="F", licence="mit")


@pytest.mark.parametrize("prefix", ["", "vit."])
def test_the_encoder_is_the_vit_of_the_same_numbers(prefix: str) -> None:
    found = read(VIT_FILES, {prefix + name: each for name, each in VIT_FILES.tensors.items()})

    assert found.model == VIT
    assert found.architecture == "ViTMAEModel"
    assert [name for name in TENSORS if not torch.equal(found.tensors[name], TENSORS[name])] == []


@pytest.mark.parametrize("name", ["decoder.mask_token", "decoder.decoder_embed.weight"])
def test_no_part_of_the_decoder_is_dropped_in_silence(name: str) -> None:
    with pytest.raises(DataError, match=f"not in the model: {name}"):
        read(VIT_FILES, VIT_FILES.tensors | {name: torch.zeros(1)})


def test_a_mask_token_of_the_encoder_is_unknown() -> None:
    with pytest.raises(DataError, match=r"not in the model: embeddings\.mask_token"):
        read(VIT_FILES, VIT_FILES.tensors | {"embeddings.mask_token": torch.zeros(1)})
