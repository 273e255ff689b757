"""What a file of weights from elsewhere turns into: all that is needed to use the model."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from saccade.config.model import VitConfig
from saccade.config.run import Preprocess


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """Weights in our names, with all that has to travel with them.

    Attributes:
        source: where they came from, as the user named it.
        library: whose layout it was: ``google``, ``timm``, ``torchvision`` or ``transformers``.
        architecture: the name that library gives the model, such as ``vit_small_patch16_224``.
        model: the shape.
        class_names: in the order of the logits; empty when the weights have no head.
        preprocess: how a picture has to be prepared.
        licence: of the weights, as their source states it; ``"not stated"`` otherwise.
        tensors: by the names of our task, ``backbone.`` and ``head.`` in front.
        notes: what a user should hear, such as assumptions that the file did not settle.
    """

    source: str
    library: str
    architecture: str
    model: VitConfig
    class_names: tuple[str, ...]
    preprocess: Preprocess
    licence: str
    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...]
