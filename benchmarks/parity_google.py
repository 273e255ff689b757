"""Google's .npz files beside ours, through the loader of timm, which reads them too.

timm computes these weights with the exact GELU unless told otherwise; here it is told to take the
tanh approximation, as the Flax code does.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.compare import Outputs, error, ours
from benchmarks.parity_timm import PATCH, SIDE, SIZES, pictures, run
from saccade.weights.read import read

WIDTH, HEADS, HIDDEN, DEPTH = 48, 4, 80, 3


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One of Google's models, made small.

    Attributes:
        name: as the table of results says it.
        num_classes: K; 0 for weights without a head.
    """

    name: str
    num_classes: int = 7

    def save(self, folder: Path, *, seed: int) -> Path:
        """Writes the archive, with random numbers in it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "model.npz"
        np.savez(path, **arrays(num_classes=self.num_classes, seed=seed))
        return path

    def load(self, path: Path) -> nn.Module:
        """The model that timm makes of the archive."""
        import timm  # noqa: PLC0415  no dependency: only who compares needs it

        model = timm.create_model(
            "vit_base_patch16_224",
            img_size=SIDE,
            patch_size=PATCH,
            embed_dim=WIDTH,
            depth=DEPTH,
            num_heads=HEADS,
            mlp_ratio=(HIDDEN + 0.25) / WIDTH,
            num_classes=self.num_classes,
            dynamic_img_size=True,
            act_layer="gelu_tanh",
        )
        model.load_pretrained(str(path))
        return model

    def run(self, model: nn.Module, images: Tensor) -> Outputs:
        """Its tokens after each block, and its logits."""
        return run(model, images)


def arrays(*, num_classes: int, seed: int) -> dict[str, np.ndarray]:
    """Every array of such a file, by Google's names, drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, np.ndarray] = {}

    def put(name: str, *shape: int, fan_in: int = 0, centre: float = 0.0) -> None:
        spread = fan_in**-0.5 if fan_in else 0.3
        found[name] = (torch.randn(shape, generator=generator) * spread + centre).numpy()

    def norm(name: str) -> None:
        put(f"{name}/scale", WIDTH, centre=1.0)
        put(f"{name}/bias", WIDTH)

    def dense(name: str, inputs: int, outputs: int) -> None:
        put(f"{name}/kernel", inputs, outputs, fan_in=inputs)
        put(f"{name}/bias", outputs)

    put("cls", 1, 1, WIDTH)
    put("embedding/kernel", PATCH, PATCH, 3, WIDTH, fan_in=3 * PATCH**2)
    put("embedding/bias", WIDTH)
    num_positions = 1 + (SIDE // PATCH) ** 2
    put("Transformer/posembed_input/pos_embedding", 1, num_positions, WIDTH)
    for index in range(DEPTH):
        block = f"Transformer/encoderblock_{index}"
        norm(f"{block}/LayerNorm_0")
        norm(f"{block}/LayerNorm_2")
        attention = f"{block}/MultiHeadDotProductAttention_1"
        for part in ("query", "key", "value"):
            put(f"{attention}/{part}/kernel", WIDTH, HEADS, WIDTH // HEADS, fan_in=WIDTH)
            put(f"{attention}/{part}/bias", HEADS, WIDTH // HEADS)
        put(f"{attention}/out/kernel", HEADS, WIDTH // HEADS, WIDTH, fan_in=WIDTH)
        put(f"{attention}/out/bias", WIDTH)
        dense(f"{block}/MlpBlock_3/Dense_0", WIDTH, HIDDEN)
        dense(f"{block}/MlpBlock_3/Dense_1", HIDDEN, WIDTH)
    norm("Transformer/encoder_norm")
    if num_classes:
        dense("head", WIDTH, num_classes)
    return found


REFERENCES = (Reference(name="ViT, AugReg"), Reference(name="ViT without a head", num_classes=0))
"""Every model that is compared."""


def errors(reference: Reference, *, seed: int) -> dict[str, float]:
    """How far ours is from timm's at each size; read by both from one archive."""
    with TemporaryDirectory() as folder:
        path = reference.save(Path(folder), seed=seed)
        model, weights = reference.load(path), read(path)
    found = {}
    for size in SIZES:
        images = pictures(size, seed=seed + 1)
        found[size] = error(ours(weights, images), reference.run(model, images))
    return found
