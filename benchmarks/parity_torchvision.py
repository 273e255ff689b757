"""torchvision's vision transformer beside ours. It takes pictures of one size only."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import safetensors.torch
import torch
from torch import Tensor, nn

from benchmarks.compare import Outputs, error, ours, randomise, recorded
from saccade.weights.read import read

SIZE = (32, 32)
"""Height and width in pixels of its pictures."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A model of torchvision, made small.

    Attributes:
        name: as the table of results says it.
        num_classes: K.
    """

    name: str
    num_classes: int = 7

    def build(self, seed: int) -> nn.Module:
        """The model with random weights; 96 wide, which settles 3 heads."""
        from torchvision.models import VisionTransformer  # noqa: PLC0415  no dependency

        model = VisionTransformer(
            image_size=SIZE[0],
            patch_size=8,
            num_layers=3,
            num_heads=3,
            hidden_dim=96,
            mlp_dim=160,
            num_classes=self.num_classes,
        )
        randomise(model, seed=seed)
        return model

    def save(self, model: nn.Module, folder: Path) -> None:
        """One bare safetensors file, as whoever converts torchvision's pickle gets it."""
        folder.mkdir(parents=True, exist_ok=True)
        safetensors.torch.save_file(model.state_dict(), folder / "model.safetensors")

    def run(self, model: nn.Module, images: Tensor) -> Outputs:
        """Its tokens after each block, and its logits."""
        blocks = model.get_submodule("encoder.layers").children()
        return recorded(model, blocks, lambda: model(images))


def pictures(*, seed: int) -> Tensor:
    """Random pictures of the one size."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, *SIZE, generator=generator)


REFERENCES = (Reference(name="ViT"),)
"""Every model that is compared."""


def errors(reference: Reference, *, seed: int) -> dict[str, float]:
    """How far ours is from theirs at their one size."""
    model = reference.build(seed)
    with TemporaryDirectory() as folder:
        reference.save(model, Path(folder))
        weights = read(folder)
    images = pictures(seed=seed + 1)
    return {"native": error(ours(weights, images), reference.run(model, images))}
