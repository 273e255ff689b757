"""From a configuration to a backbone: the one place where numbers become parts."""

from torch import nn

from saccade.backbones.attention_cnn import AttentionCnn, MapAttention, RepeatedAttention
from saccade.backbones.cnn import Cnn
from saccade.backbones.conv import ConvFeatures
from saccade.backbones.rag import Rag
from saccade.backbones.vit import Vit
from saccade.config.model import (
    AttentionCnnConfig,
    CnnConfig,
    ModelConfig,
    Position,
    RagConfig,
    VitConfig,
)
from saccade.shapes import Grid
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import LearnedPosition, PositionModule, SinCosPosition
from saccade.tokens.stem import ConvStem
from saccade.transformer.block import make_blocks

AnyBackbone = Vit | Rag | AttentionCnn | Cnn


def build_backbone(config: ModelConfig, *, in_channels: int, image_size: int) -> AnyBackbone:
    """Builds a backbone with fresh weights (from torch's global generator).

    Args:
        config: which family and its numbers.
        in_channels: 1 for grey pictures, 3 for RGB.
        image_size: pixels a side of the training pictures; only learned positions keep it, every
            backbone takes pictures of any size.

    Raises:
        ValueError: numbers that do not fit together, such as heads that do not divide the width.
    """
    match config:
        case VitConfig():
            return _vit(config, in_channels=in_channels, image_size=image_size)
        case RagConfig():
            return _rag(config, in_channels=in_channels, image_size=image_size)
        case AttentionCnnConfig():
            return _attention_cnn(config, in_channels=in_channels)
        case CnnConfig():
            return Cnn(features=_features(config, in_channels), embed_dim=config.embed_dim)


def _vit(config: VitConfig, *, in_channels: int, image_size: int) -> Vit:
    embed = PatchEmbed if config.stem == "patches" else ConvStem
    return Vit(
        embed=embed(in_channels, patch_size=config.patch_size, embed_dim=config.embed_dim),
        position=_position(config.position, config.embed_dim, -(-image_size // config.patch_size)),
        blocks=_blocks(config),
        embed_dim=config.embed_dim,
        num_prefix=int(config.has_class_token) + config.num_registers,
    )


def _rag(config: RagConfig, *, in_channels: int, image_size: int) -> Rag:
    raw_image = PatchEmbed(in_channels, patch_size=config.patch_size, embed_dim=config.embed_dim)
    return Rag(
        features=_features(config, in_channels) if config.has_features else None,
        raw_image=raw_image if config.has_raw_image else None,
        position=_position(config.position, config.embed_dim, -(-image_size // config.patch_size)),
        blocks=_blocks(config),
        embed_dim=config.embed_dim,
        patch_size=config.patch_size,
    )


def _attention_cnn(config: AttentionCnnConfig, *, in_channels: int) -> AttentionCnn:
    features = _features(config, in_channels)
    first = len(features.widths) - 2  # earlier maps are large; attention is quadratic in cells
    attentions = nn.ModuleList(
        RepeatedAttention(
            MapAttention(
                width,
                num_heads=config.num_heads,
                similarity=config.similarity,
                projection=config.projection,
                path=config.attention,
            )
            for _ in range(config.num_attentions if stage >= first else 0)
        )
        for stage, width in enumerate(features.widths)
    )
    return AttentionCnn(features=features, attentions=attentions, embed_dim=config.embed_dim)


def _features(config: RagConfig | AttentionCnnConfig | CnnConfig, in_channels: int) -> ConvFeatures:
    return ConvFeatures(
        in_channels,
        embed_dim=config.embed_dim,
        patch_size=config.patch_size,
        depth=config.conv_depth,
    )


def _blocks(config: VitConfig | RagConfig) -> nn.ModuleList:
    return make_blocks(
        embed_dim=config.embed_dim,
        depth=config.depth,
        num_heads=config.num_heads,
        mlp_ratio=config.mlp_ratio,
        residual=config.residual,
        drop_path=config.drop_path,
        attention=config.attention,
    )


def _position(position: Position, embed_dim: int, side: int) -> PositionModule:
    if position == "sincos":
        return SinCosPosition(embed_dim)
    return LearnedPosition(embed_dim, grid=Grid(1, side, side))
