"""What is taken from a plain picture, so that a translator learns to give it back."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from saccade.config.task import EditConfig

_LUMA = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


def condition_channels(edit: EditConfig, channels: int) -> int:
    """Channels of the condition, for pictures of so many."""
    return 1 if edit.kind == "colourise" else channels


def degraded(
    images: UInt8[Tensor, "B C H W"],
    noise: Float[Tensor, "B C H W"],
    edit: EditConfig,
) -> UInt8[Tensor, "B C2 H W"]:
    """The condition that a picture is to be found from.

    Args:
        images: as they were.
        noise: of standard deviation 1; used to denoise alone.
        edit: what is taken away: colour, silence, or all but every so manieth pixel.
    """
    match edit.kind:
        case "colourise":
            return grey(images)
        case "denoise":
            return _bytes(images + 255 * edit.noise * noise)
        case "enlarge":
            height, width = images.shape[2:]
            small = (-(-height // edit.factor), -(-width // edit.factor))
            shrunk = F.interpolate(images.float(), size=small, mode="bilinear", antialias=True)
            again = F.interpolate(_bytes(shrunk).float(), size=(height, width), mode="bilinear")
            return _bytes(again)
        case "none":
            return images


def grey(images: UInt8[Tensor, "B C H W"]) -> UInt8[Tensor, "B 1 H W"]:
    """How bright each pixel looks."""
    if images.shape[1] == 1:
        return images
    weights = torch.tensor(_LUMA, device=images.device)[:, None, None]
    return _bytes((images * weights).sum(dim=1, keepdim=True))


def _bytes(images: Float[Tensor, "B C H W"]) -> UInt8[Tensor, "B C H W"]:
    return images.round().clamp(0, 255).to(torch.uint8)
