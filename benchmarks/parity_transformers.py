"""transformers' models beside ours: which classes, how small, at which sizes."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmarks.compare import Outputs, error, ours, randomise, recorded
from saccade.weights.read import read

PATCH = 8
SIZES = {"native": (32, 32), "larger": (48, 48), "not square": (40, 64)}
"""Pictures of each comparison, height and width in pixels."""

_SHAPE = {
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": PATCH,
}
_WIDE = {**_SHAPE, "intermediate_size": 80}
_CLASSES = {"num_labels": 7}
_DECODER = {
    "decoder_hidden_size": 16,
    "decoder_num_hidden_layers": 1,
    "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 24,
}
_CLIPS = {**_WIDE, **_DECODER, "num_frames": 6, "tubelet_size": 2}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A class of theirs, how it is built, and how it is run.

    Attributes:
        model: its name.
        config: the name of its configuration.
        settings: of the configuration.
        part: the submodule that answers, where the whole does more than ours.
        resizes: whether other sizes are its default, an argument, or not there.
        variant: what the settings are about, for the table.
        leave_out: tensors that ours has no place for.
    """

    model: str
    config: str
    settings: dict[str, Any]
    part: str = ""
    resizes: Literal["always", "when asked", "never"] = "when asked"
    variant: str = ""
    leave_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As the table of results says it."""
        return f"{self.model}, {self.variant}" if self.variant else self.model

    @property
    def sizes(self) -> list[str]:
        """Those of ``SIZES`` that it can be run at."""
        return ["native"] if self.resizes == "never" else list(SIZES)

    def build(self, *, seed: int) -> Any:
        """The model, one of their classes, with random weights."""
        import transformers  # noqa: PLC0415  no dependency: only who compares needs it

        config = getattr(transformers, self.config)(**self.settings)
        config._attn_implementation = "eager"
        model = getattr(transformers, self.model)(config)
        randomise(model, seed=seed)
        return model

    def run(self, model: nn.Module, images: Tensor) -> Outputs:
        """Its tokens after each block, and its answer."""
        arguments: dict[str, Any] = {}
        if self.resizes == "when asked":
            arguments["interpolate_pos_encoding"] = True
        if "MAE" in self.model and "Video" not in self.model:
            # It shuffles the patches by noise; noise in order leaves them as they are.
            count = (images.shape[-2] // PATCH) * (images.shape[-1] // PATCH)
            arguments["noise"] = torch.arange(count).float().expand(len(images), -1)

        def call() -> Tensor:
            answer = model.get_submodule(self.part)(images, **arguments)
            return answer.logits if "Classification" in self.model else answer.last_hidden_state

        # All their blocks are called so, wherever a version of the library keeps them.
        inside = model.get_submodule(self.part).modules()
        blocks = [each for each in inside if type(each).__name__.endswith("Layer")]
        return recorded(model, blocks, call)

    def images(self, size: str, *, seed: int) -> Tensor:
        """Random pictures, or clips for a model that reads them."""
        generator = torch.Generator().manual_seed(seed)
        frames = (self.settings["num_frames"],) if "num_frames" in self.settings else ()
        return torch.randn(2, *frames, 3, *SIZES[size], generator=generator)


REFERENCES = [
    Reference(model="ViTModel", config="ViTConfig", settings=_WIDE),
    Reference(
        model="ViTForImageClassification",
        config="ViTConfig",
        settings={**_WIDE, **_CLASSES, "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-3},
    ),
    Reference(
        model="ViTForImageClassification",
        config="ViTConfig",
        settings={**_WIDE, **_CLASSES, "qkv_bias": False},
        variant="no biases in attention",
    ),
    Reference(
        model="DeiTForImageClassification",
        config="DeiTConfig",
        settings={**_WIDE, **_CLASSES},
    ),
    Reference(
        model="DeiTForImageClassificationWithTeacher",
        config="DeiTConfig",
        settings={**_WIDE, **_CLASSES},
    ),
    Reference(
        model="Dinov2Model",
        config="Dinov2Config",
        settings={**_SHAPE, "mlp_ratio": 2, "layer_norm_eps": 1e-2},
        resizes="always",
    ),
    Reference(
        model="Dinov2ForImageClassification",
        config="Dinov2Config",
        settings={**_SHAPE, **_CLASSES, "use_swiglu_ffn": True},
        resizes="always",
        variant="SwiGLU",
    ),
    Reference(
        model="Dinov2WithRegistersModel",
        config="Dinov2WithRegistersConfig",
        settings={**_SHAPE, "use_swiglu_ffn": True},
        resizes="always",
        variant="SwiGLU",
    ),
    Reference(
        model="Dinov2WithRegistersForImageClassification",
        config="Dinov2WithRegistersConfig",
        settings={**_SHAPE, **_CLASSES, "num_register_tokens": 3},
        resizes="always",
    ),
    Reference(
        model="DINOv3ViTModel",
        config="DINOv3ViTConfig",
        settings={**_WIDE, "num_register_tokens": 4, "layer_norm_eps": 1e-2},
        resizes="always",
    ),
    Reference(
        model="DINOv3ViTModel",
        config="DINOv3ViTConfig",
        settings={
            **_WIDE,
            "use_gated_mlp": True,
            "hidden_act": "silu",
            "query_bias": False,
            "value_bias": False,
        },
        resizes="always",
        variant="SwiGLU, no registers, no biases in attention",
    ),
    Reference(
        model="ViTMAEModel",
        config="ViTMAEConfig",
        settings={**_WIDE, "mask_ratio": 0.0},
    ),
    Reference(
        model="ViTMAEForPreTraining",
        config="ViTMAEConfig",
        settings={**_WIDE, **_DECODER, "mask_ratio": 0.0},
        part="vit",
        leave_out=("decoder.*",),
    ),
    Reference(
        model="VideoMAEModel",
        config="VideoMAEConfig",
        settings={**_CLIPS, "use_mean_pooling": False},
        resizes="never",
    ),
    Reference(
        model="VideoMAEForVideoClassification",
        config="VideoMAEConfig",
        settings={**_CLIPS, **_CLASSES, "layer_norm_eps": 1e-2},
        resizes="never",
    ),
    Reference(
        model="VideoMAEForPreTraining",
        config="VideoMAEConfig",
        settings={**_CLIPS, "use_mean_pooling": False},
        part="videomae",
        resizes="never",
        leave_out=("decoder.*", "encoder_to_decoder.*", "mask_token"),
    ),
]
"""Every class that is compared."""


def errors(reference: Reference, *, seed: int) -> dict[str, float]:
    """How far ours is from theirs at each size; saved by them, read by us."""
    model = reference.build(seed=seed)
    with TemporaryDirectory() as name:
        folder = Path(name)
        model.save_pretrained(folder)
        weights = read(folder, leave_out=reference.leave_out)
    found = {}
    for size in reference.sizes:
        images = reference.images(size, seed=seed)
        found[size] = error(ours(weights, images), reference.run(model, images))
    return found
