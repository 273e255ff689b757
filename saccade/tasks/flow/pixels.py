"""Bytes and the range that pictures are made in."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def to_range(images: UInt8[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Bytes to numbers in [-1, 1]."""
    return images / 127.5 - 1


def to_bytes(images: Float[Tensor, "B C H W"]) -> UInt8[Tensor, "B C H W"]:
    """The inverse of ``to_range``; what lies outside is cut off."""
    return ((images.float() + 1) * 127.5).round_().clamp_(0, 255).to(torch.uint8)
