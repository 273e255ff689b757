"""From a configuration to a backbone: the one place where numbers become parts."""

from torch import nn

from saccade.backbones.attention_cnn import AttentionCnn, MapAttention, RepeatedAttention
from saccade.backbones.cnn import Cnn
from saccade.backbones.conv import ConvEmbed, ConvFeatures
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Embed, Position, Vit
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    RagConfig,
    VitConfig,
)
from saccade.shapes import Grid
from saccade.tokens.clip_stem import ClipStem
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import LearnedPosition, SinCosPosition
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.stem import ConvStem
from saccade.tokens.tubelets import TubeletEmbed
from saccade.transformer.attention import SelfAttention
from saccade.transformer.block import Block, Blocks
from saccade.transformer.mlp import GatedMlp, Mlp
from saccade.transformer.residual import make_gate

AnyBackbone = Vit | Rag | AttentionCnn | Cnn


def build_backbone(config: ModelConfig, *, in_channels: int) -> AnyBackbone:
    """Builds a backbone with fresh weights (from torch's global generator).

    Args:
        config: which family and its numbers.
        in_channels: 1 for grey pictures, 3 for RGB.

    Raises:
        ValueError: numbers that do not fit together, such as heads that do not divide the width.
    """
    match config:
        case VitConfig():
            return _vit(config, in_channels)
        case RagConfig():
            return _rag(config, in_channels)
        case AttentionCnnConfig():
            return _attention_cnn(config, in_channels)
        case CnnConfig():
            features = _features(config, in_channels, depth=config.conv_depth)
            return Cnn(features=features, embed_dim=config.embed_dim)


def _vit(config: VitConfig, in_channels: int) -> Vit:
    _require_prefix(config)
    embed_dim, norm_eps = config.embed_dim, config.norm_eps
    return Vit(
        embed=_embed(config, in_channels),
        position=_vit_position(config),
        embed_norm=nn.LayerNorm(embed_dim, eps=norm_eps)
        if config.has_embed_norm
        else nn.Identity(),
        blocks=Blocks(
            Block(
                attention=SelfAttention(
                    embed_dim,
                    num_heads=config.num_heads,
                    path=config.attention,
                    similarity=config.similarity,
                    projection=config.projection,
                    has_qk_norm=config.has_qk_norm,
                    has_bias=config.has_qkv_bias,
                    norm_eps=norm_eps,
                    window_size=0 if index in global_blocks(config) else config.window_size,
                ),
                mlp=_mlp(config),
                attention_gate=make_gate(config.residual, embed_dim),
                mlp_gate=make_gate(config.residual, embed_dim),
                embed_dim=embed_dim,
                drop_path=_drop_path(config, index),
                norm_eps=norm_eps,
            )
            for index in range(config.depth)
        ),
        norm=nn.LayerNorm(embed_dim, eps=norm_eps)
        if config.final_norm == "tokens"
        else nn.Identity(),
        embed_dim=embed_dim,
        num_prefix=int(config.has_class_token) + config.num_registers,
    )


def global_blocks(config: VitConfig) -> set[int]:
    """The blocks of a windowed model that see everything: evenly spread, the last among them."""
    count = config.num_global_blocks
    return {(turn + 1) * config.depth // count - 1 for turn in range(count)}


def _require_prefix(config: VitConfig) -> None:
    if config.pool != "mean" and not config.has_class_token:
        raise ValueError(
            f"pool is {config.pool!r} and has_class_token is False; without a class token only "
            "'mean' can be read"
        )
    if config.pool == "distilled" and config.num_registers == 0:
        raise ValueError("pool is 'distilled', which reads a second token; num_registers is 0")
    num_prefix = int(config.has_class_token) + config.num_registers
    if config.position == "learned" and config.num_prefix_positions > num_prefix:
        raise ValueError(
            f"num_prefix_positions is {config.num_prefix_positions}, but only {num_prefix} class "
            "and register tokens stand before the patches"
        )


def _embed(config: VitConfig, in_channels: int) -> Embed:
    patch_size, embed_dim = config.patch_size, config.embed_dim
    if config.tubelet_size > 1:
        if config.stem == "cnn":
            raise ValueError("stem is 'cnn'; clips (tubelet_size > 1) need 'patches' or 'conv'")
        kind = TubeletEmbed if config.stem == "patches" else ClipStem
        return kind(
            in_channels,
            patch_size=patch_size,
            tubelet_size=config.tubelet_size,
            embed_dim=embed_dim,
        )
    match config.stem:
        case "patches":
            return PatchEmbed(
                in_channels,
                patch_size=patch_size,
                embed_dim=embed_dim,
                has_bias=config.has_patch_bias,
            )
        case "conv":
            return ConvStem(in_channels, patch_size=patch_size, embed_dim=embed_dim)
        case "cnn":
            return ConvEmbed(_features(config, in_channels, depth=1))


def _vit_position(config: VitConfig) -> Position:
    match config.position:
        case "none":
            return nn.Identity()
        case "sincos":
            return SinCosPosition(config.embed_dim, num_axes=3 if config.tubelet_size > 1 else 2)
        case "learned":
            return LearnedPosition(
                config.embed_dim,
                grid=Grid(*config.position_grid),
                num_prefix_positions=config.num_prefix_positions,
                antialias=config.position_antialias,
            )
        case "rotary":
            return RotaryPosition(config.embed_dim // config.num_heads, base=config.rotary_base)


def _mlp(config: VitConfig) -> Mlp | GatedMlp:
    kind = GatedMlp if config.has_gated_mlp else Mlp
    hidden_dim = round(config.embed_dim * config.mlp_ratio)
    return kind(config.embed_dim, hidden_dim=hidden_dim, activation=config.activation)


def _rag(config: RagConfig, in_channels: int) -> Rag:
    embed_dim, patch_size = config.embed_dim, config.patch_size
    features = None
    if config.has_features:
        features = ConvEmbed(_features(config, in_channels, depth=config.conv_depth))
    raw_image = None
    if config.has_raw_image:
        raw_image = PatchEmbed(in_channels, patch_size=patch_size, embed_dim=embed_dim)
    return Rag(
        features=features,
        raw_image=raw_image,
        position=_rag_position(config),
        blocks=Blocks(
            Block(
                attention=SelfAttention(
                    embed_dim,
                    num_heads=config.num_heads,
                    path=config.attention,
                    similarity=config.similarity,
                    projection=config.projection,
                ),
                mlp=Mlp(embed_dim, hidden_dim=round(embed_dim * config.mlp_ratio)),
                attention_gate=make_gate(config.residual, embed_dim),
                mlp_gate=make_gate(config.residual, embed_dim),
                embed_dim=embed_dim,
                drop_path=_drop_path(config, index),
            )
            for index in range(config.depth)
        ),
        embed_dim=embed_dim,
        patch_size=patch_size,
    )


def _rag_position(config: RagConfig) -> Position:
    match config.position:
        case "none":
            return nn.Identity()
        case "sincos":
            return SinCosPosition(config.embed_dim)
        case "learned":
            return LearnedPosition(config.embed_dim, grid=Grid(*config.position_grid))
        case "rotary":
            return RotaryPosition(config.embed_dim // config.num_heads, base=100.0)


def _attention_cnn(config: AttentionCnnConfig, in_channels: int) -> AttentionCnn:
    features = _features(config, in_channels, depth=config.conv_depth)
    first = len(features.widths) - 2  # earlier maps are large; attention is quadratic in cells
    attentions = nn.ModuleList(
        RepeatedAttention(
            MapAttention(
                SelfAttention(
                    width,
                    num_heads=config.num_heads,
                    path=config.attention,
                    similarity=config.similarity,
                    projection=config.projection,
                ),
                channels=width,
            )
            for _ in range(config.num_attentions if stage >= first else 0)
        )
        for stage, width in enumerate(features.widths)
    )
    return AttentionCnn(features=features, attentions=attentions, embed_dim=config.embed_dim)


def _features(config: ModelConfig, in_channels: int, *, depth: int) -> ConvFeatures:
    return ConvFeatures(
        in_channels, embed_dim=config.embed_dim, patch_size=config.patch_size, depth=depth
    )


def _drop_path(config: VitConfig | RagConfig, index: int) -> float:
    """Grows linearly from 0 in the first block to ``drop_path`` in the last."""
    return config.drop_path * index / max(config.depth - 1, 1)
