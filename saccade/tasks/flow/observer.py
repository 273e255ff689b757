"""The eye that tells how far made pictures are from real ones: a small network of the run's own."""

import hashlib

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from saccade.backbones.cnn import Cnn
from saccade.backbones.conv import ConvFeatures
from saccade.heads.classify import ClassHead, pooled
from saccade.losses.classify import cross_entropy
from saccade.tokens.tokens import Tokens

NUM_FEATURES = 64
"""Few enough that some 1,300 pictures tell their covariance (20 for each feature)."""

PATCH_SIZE = 4


class Observer(nn.Module):
    """A convolutional network that classifies real pictures; its last features are compared.

    It learns from the training pictures alone, beside what makes pictures, and no gradient goes
    from one to the other. Where there are no classes it keeps its random numbers, whose features
    still tell textures and contrasts apart, and is frozen. Distances of two observers cannot be
    compared, so a figure names its observer by ``fingerprint``.

    Args:
        channels: of the pictures.
        num_classes: K; 0 where there are none.
    """

    def __init__(self, channels: int, *, num_classes: int) -> None:
        super().__init__()
        features = ConvFeatures(channels, embed_dim=NUM_FEATURES, patch_size=PATCH_SIZE, depth=1)
        self.backbone = Cnn(features=features, embed_dim=NUM_FEATURES)
        self.head = None
        if num_classes:
            self.head = ClassHead(NUM_FEATURES, num_classes=num_classes, pool="mean")
        else:
            self.requires_grad_(requires_grad=False)

    @property
    def has_learned(self) -> bool:
        """Whether it knows classes, and is not random."""
        return self.head is not None

    def tokens(self, images: UInt8[Tensor, "B C H W"]) -> Tokens:
        """A map of features, one for each cell of four pixels a side."""
        return self.backbone(images / 127.5 - 1)

    def features(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B F"]:
        """One vector per picture."""
        return pooled(self.tokens(images), "mean").float()

    def logits(self, images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B K"]:
        """What it takes each picture for; only where there are classes."""
        assert self.head is not None
        return self.head(self.tokens(images)).logits.float()

    def losses(
        self, images: UInt8[Tensor, "B C H W"], labels: Int64[Tensor, " B"]
    ) -> dict[str, Float[Tensor, ""]]:
        """Its cross-entropy, and the share of real pictures that it knows."""
        logits = self.logits(images)
        return {
            "observer_loss": cross_entropy(logits, labels, label_smoothing=0.0),
            "observer_top1": (logits.detach().argmax(dim=1) == labels).float().mean(),
        }

    def fingerprint(self) -> str:
        """Twelve letters of a hash of all its numbers."""
        found = hashlib.sha256()
        for name, tensor in sorted(self.state_dict().items()):
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            found.update(name.encode())
            found.update(flat.view(torch.uint8).numpy().data)
        return found.hexdigest()[:12]
