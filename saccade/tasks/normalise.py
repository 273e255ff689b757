"""From the bytes of pictures to the numbers that a backbone is given."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from saccade.config.run import Preprocess


class Normalise(nn.Module):
    """Scaled to [0, 1], minus the mean, over the deviation: numbers around 0.

    Both are part of the preprocessing contract and not of the weights: config.json holds them.

    Args:
        preprocess: gives mean and standard deviation of each channel.
    """

    mean: Float[Tensor, "C 1 1"]
    std: Float[Tensor, "C 1 1"]

    def __init__(self, preprocess: Preprocess) -> None:
        super().__init__()
        for name, values in (("mean", preprocess.mean), ("std", preprocess.std)):
            numbers = torch.tensor(values, dtype=torch.float32)[:, None, None]
            self.register_buffer(name, numbers, persistent=False)

    def forward(
        self, images: UInt8[Tensor, "B C H W"] | UInt8[Tensor, "B T C H W"]
    ) -> Float[Tensor, "B C H W"] | Float[Tensor, "B T C H W"]:
        """Pictures, channels last in memory as convolutions like them; or clips."""
        scaled = (images / 255 - self.mean) / self.std
        return scaled if images.ndim == 5 else _channels_last(scaled)

    def to_bytes(self, numbers: Float[Tensor, "B C H W"]) -> UInt8[Tensor, "B C H W"]:
        """The inverse; what lies outside is cut off."""
        pixels = (numbers * self.std + self.mean) * 255
        return pixels.round().clamp(0, 255).to(torch.uint8)


def _channels_last(images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    return images.contiguous(memory_format=torch.channels_last)
