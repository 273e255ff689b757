"""A plain transformer on raw patches, told how noisy its picture is (JiT, arXiv 2511.13720)."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from saccade.config.model import ModelConfig, VitConfig
from saccade.tokens.patches import PatchEmbed
from saccade.tokens.positions import SinCosPosition
from saccade.tokens.rotary import RotaryPosition
from saccade.tokens.tokens import Tokens
from saccade.transformer.attention import SelfAttention
from saccade.transformer.linear import Linear
from saccade.transformer.mlp import GatedMlp, Mlp
from saccade.transformer.modulate import (
    ModulatedBlock,
    ModulatedBlocks,
    Modulation,
    init_modulated,
)
from saccade.transformer.residual import make_gate

NUM_WAVES = 64
"""Sines and cosines, as many of each, that a time is written in."""

FASTEST_WAVE = 1000.0
"""Radians from one end of the path to the other; the slowest wave makes a tenth of one."""


class Denoised(NamedTuple):
    """What the head makes a picture of.

    Attributes:
        tokens: one for each patch.
        condition: the time, and what else was asked for.
    """

    tokens: Tokens
    condition: Float[Tensor, "B D"]


class Denoiser(nn.Module):
    """Noisy pictures, with or without others beside them as channels, to tokens.

    Args:
        embed: pictures to embedded patches.
        position: adds to each patch where it stands.
        rotary: also turns queries and keys by it; an identity where nothing does.
        time: writes a time as a vector.
        blocks: the transformer.
        embed_dim: the width D.
    """

    def __init__(
        self,
        *,
        embed: PatchEmbed,
        position: SinCosPosition,
        rotary: RotaryPosition | nn.Identity,
        time: "TimeEmbed",
        blocks: ModulatedBlocks,
        embed_dim: int,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.patch_size = embed.patch_size
        self.embed = embed
        self.position = position
        self.rotary = rotary
        self.time = time
        self.blocks = blocks
        self.blocks.apply(init_modulated)

    def forward(
        self,
        images: Float[Tensor, "B C H W"],
        *,
        time: Float[Tensor, " B"],
        asked: Float[Tensor, "B D"] | None = None,
    ) -> Denoised:
        """Tokens of pictures of any size; sides that the patch does not divide are padded.

        Args:
            images: in [-1, 1], with noise.
            time: of each, from 0 (noise) to 1 (no noise).
            asked: what else is known of it, such as its class as a vector.
        """
        condition = self.time(time)  # B D
        if asked is not None:
            condition = condition + asked
        tokens = self.rotary(self.position(self.embed(images)))  # B N D
        return Denoised(self.blocks(tokens, condition), condition)


class TimeEmbed(nn.Module):
    """A number in [0, 1] as a vector: waves of many lengths, then two linear maps."""

    def __init__(self, embed_dim: int) -> None:
        super().__init__()
        self.widen = Linear(2 * NUM_WAVES, embed_dim)
        self.activation = nn.SiLU()
        self.narrow = Linear(embed_dim, embed_dim)

    def forward(self, time: Float[Tensor, " B"]) -> Float[Tensor, "B D"]:
        """The vector of each time."""
        return self.narrow(self.activation(self.widen(waves(time))))


def waves(time: Float[Tensor, " B"]) -> Float[Tensor, "B waves"]:
    """Sines and cosines of a time, from ``FASTEST_WAVE`` down to 1/10000 of it."""
    octave = torch.arange(NUM_WAVES, device=time.device, dtype=torch.float32) / NUM_WAVES
    angles = time.float()[:, None] * (FASTEST_WAVE * torch.exp(-math.log(10_000) * octave))
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def build_denoiser(config: ModelConfig, *, in_channels: int) -> Denoiser:
    """Builds a denoiser with fresh weights (from torch's global generator).

    Args:
        config: the shape. It stands on linear patches and sin-cos positions whatever ``stem`` and
            ``position`` say; ``rotary`` turns queries and keys besides.
        in_channels: of the noisy picture and of those beside it.

    Raises:
        ValueError: not a shape of ``vit``, or one that cannot be gated by a condition.
    """
    if not isinstance(config, VitConfig):
        raise ValueError(
            f"the model is of the family {config.family}; pictures are generated and translated by "
            "vit alone, such as vit-nano4"
        )
    _require_plain(config)
    embed_dim = config.embed_dim
    return Denoiser(
        embed=PatchEmbed(in_channels, patch_size=config.patch_size, embed_dim=embed_dim),
        position=SinCosPosition(embed_dim),
        rotary=RotaryPosition(embed_dim // config.num_heads, base=config.rotary_base)
        if config.position == "rotary"
        else nn.Identity(),
        time=TimeEmbed(embed_dim),
        blocks=ModulatedBlocks(_block(config, index) for index in range(config.depth)),
        embed_dim=embed_dim,
    )


def _block(config: VitConfig, index: int) -> ModulatedBlock:
    embed_dim = config.embed_dim
    kind = GatedMlp if config.has_gated_mlp else Mlp
    hidden_dim = round(embed_dim * config.mlp_ratio)
    return ModulatedBlock(
        attention=SelfAttention(
            embed_dim,
            num_heads=config.num_heads,
            path=config.attention,
            similarity=config.similarity,
            has_qk_norm=config.has_qk_norm,
            has_bias=config.has_qkv_bias,
            norm_eps=config.norm_eps,
        ),
        mlp=kind(embed_dim, hidden_dim=hidden_dim, activation=config.activation),
        attention_gate=make_gate(config.residual, embed_dim),
        mlp_gate=make_gate(config.residual, embed_dim),
        modulation=Modulation(embed_dim, num_parts=6),
        embed_dim=embed_dim,
        drop_path=config.drop_path * index / max(config.depth - 1, 1),
        norm_eps=config.norm_eps,
    )


def _require_plain(config: VitConfig) -> None:
    """Refuses what a denoiser would leave out without a word."""
    extra = {
        "has_class_token": config.has_class_token,
        "num_registers": config.num_registers > 0,
        "window_size": config.window_size > 0,
        "projection": config.projection != "linear",
        "tubelet_size": config.tubelet_size > 1,
        "has_embed_norm": config.has_embed_norm,
    }
    named = [f"model.{name}" for name, is_on in extra.items() if is_on]
    if named:
        raise ValueError(
            f"{', '.join(named)} cannot be used here: a denoiser has one token for each patch, "
            "plain attention and nothing else; leave them at their defaults"
        )
