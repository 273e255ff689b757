"""One frozen dataclass per model family: every number that decides its shape, none derived."""

from dataclasses import dataclass
from typing import Literal

AttentionPath = Literal["auto", "fused", "explicit"]
Position = Literal["sincos", "learned"]
Residual = Literal["prenorm", "rezero", "layerscale"]


@dataclass(frozen=True, kw_only=True)
class VitConfig:
    """A vision transformer: patches or a convolutional stem, positions, pre-norm blocks."""

    family: Literal["vit"] = "vit"
    embed_dim: int
    depth: int
    num_heads: int
    mlp_ratio: float
    patch_size: int
    stem: Literal["patches", "conv"]
    position: Position
    residual: Residual
    num_registers: int  # learned tokens beside the patches (arXiv 2309.16588); 0 for small models
    has_class_token: bool
    drop_path: float
    attention: AttentionPath = "auto"


@dataclass(frozen=True, kw_only=True)
class RagConfig:
    """ReZero and Attention: CNN features + the raw image, then ReZero blocks."""

    family: Literal["rag"] = "rag"
    embed_dim: int
    depth: int
    num_heads: int
    mlp_ratio: float
    patch_size: int  # a power of two: the CNN halves the picture that often
    conv_depth: int  # residual convolutions at each resolution
    position: Position
    residual: Residual
    has_features: bool  # off: the raw image alone, as an ablation
    has_raw_image: bool  # off: the CNN features alone, as an ablation
    drop_path: float
    attention: AttentionPath = "auto"


@dataclass(frozen=True, kw_only=True)
class AttentionCnnConfig:
    """A CNN whose feature maps attend to themselves, several times."""

    family: Literal["attncnn"] = "attncnn"
    embed_dim: int  # channels of the last stage; each earlier stage has half of the next
    conv_depth: int
    patch_size: int  # pixels per cell of the last feature map, a power of two
    num_heads: int
    num_attentions: int  # attention applied this often on each of the last two stages
    similarity: Literal["dot", "cosine"]
    projection: Literal["linear", "conv"]
    attention: AttentionPath = "auto"


@dataclass(frozen=True, kw_only=True)
class CnnConfig:
    """Convolution, pooling, fully connected: the baseline."""

    family: Literal["cnn"] = "cnn"
    embed_dim: int
    conv_depth: int
    patch_size: int


ModelConfig = VitConfig | RagConfig | AttentionCnnConfig | CnnConfig
