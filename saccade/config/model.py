"""One frozen dataclass per model family: every number that decides its shape, none derived.

A field with a default came later than the others; the default is what models were before it, so
that the run folders of then can still be read.
"""

from dataclasses import dataclass
from typing import Literal

Activation = Literal["gelu", "gelu_tanh", "quick_gelu", "silu"]
AttentionPath = Literal["auto", "fused", "explicit"]
Pool = Literal["mean", "class", "class_and_mean", "distilled"]
Position = Literal["none", "sincos", "learned", "rotary"]
Projection = Literal["linear", "conv"]
Residual = Literal["prenorm", "rezero", "layerscale"]
Similarity = Literal["dot", "cosine"]
Stem = Literal["patches", "conv", "cnn"]


@dataclass(frozen=True, kw_only=True)
class VitConfig:
    """A vision transformer: patches or a convolutional stem, positions, pre-norm blocks."""

    family: Literal["vit"] = "vit"
    embed_dim: int
    depth: int
    num_heads: int
    mlp_ratio: float
    patch_size: int
    stem: Stem  # linear patches, a few strided convolutions, or the pyramid of cnn
    position: Position
    residual: Residual
    num_registers: int  # learned tokens beside the patches (arXiv 2309.16588); 0 for small models
    has_class_token: bool
    drop_path: float
    attention: AttentionPath = "auto"

    # What is looked at, and how.
    similarity: Similarity = "dot"
    projection: Projection = "linear"  # conv: a depthwise 3 x 3 on queries, keys and values
    has_qk_norm: bool = False  # LayerNorm on the queries and keys of each head (arXiv 2302.05442)
    window_size: int = 0  # cells a side that a block looks at; 0: every block sees everything
    num_global_blocks: int = 4  # of the windowed blocks, spread evenly (arXiv 2203.16527)

    # What published weights differ in.
    tubelet_size: int = 1  # frames in one token (arXiv 2103.15691); above 1 the input is a clip
    position_grid: tuple[int, int, int] = (1, 14, 14)  # t, h, w that learned positions are kept for
    num_prefix_positions: int = 0  # of the class and register tokens, the first that have one
    position_antialias: bool = True  # of the two bicubic kernels that resample learned positions
    rotary_base: float = 100.0  # the longest period of rotary positions, in half pictures
    activation: Activation = "gelu"
    has_gated_mlp: bool = False  # SwiGLU and its like (arXiv 2002.05202)
    has_qkv_bias: bool = True
    has_patch_bias: bool = True
    has_embed_norm: bool = False  # a LayerNorm before the first block, as in CLIP
    norm_eps: float = 1e-6
    final_norm: Literal["tokens", "pooled"] = "tokens"  # before or after pooling
    pooled_norm_eps: float = 1e-6  # of a norm after pooling; norm_eps is of all others
    pool: Pool = "mean"  # how a head reads the tokens


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
    similarity: Similarity = "dot"
    projection: Projection = "linear"
    position_grid: tuple[int, int, int] = (1, 14, 14)


@dataclass(frozen=True, kw_only=True)
class AttentionCnnConfig:
    """A CNN whose feature maps attend to themselves, several times."""

    family: Literal["attncnn"] = "attncnn"
    embed_dim: int  # channels of the last stage; each earlier stage has half of the next
    conv_depth: int
    patch_size: int  # pixels per cell of the last feature map, a power of two
    num_heads: int
    num_attentions: int  # attention applied this often on each of the last two stages
    similarity: Similarity
    projection: Projection
    attention: AttentionPath = "auto"


@dataclass(frozen=True, kw_only=True)
class CnnConfig:
    """Convolution, pooling, fully connected: the baseline."""

    family: Literal["cnn"] = "cnn"
    embed_dim: int
    conv_depth: int
    patch_size: int


ModelConfig = VitConfig | RagConfig | AttentionCnnConfig | CnnConfig
