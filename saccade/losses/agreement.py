"""How far the views of a picture are from each other, for losses that learn from views."""

from jaxtyping import Float
from torch import Tensor


def disagreement(views: Float[Tensor, "V B D"], *, num_whole: int) -> Float[Tensor, ""]:
    """Mean squared distance, per channel, of every view from the mean of the global ones.

    A local view is drawn to what the whole picture says, and not the other way round
    (arXiv 2511.08544, equation 8 of 2606.02572). Without anything else in the loss, the least is
    reached when every picture has the same vector.

    Args:
        views: projected vectors, the global views first.
        num_whole: how many of the V are global, at least 1.
    """
    centre = views[:num_whole].mean(dim=0)  # B D
    return (views - centre).square().mean()
