"""How well hidden patches were drawn (arXiv 2111.06377)."""

from jaxtyping import Bool, Float
from torch import Tensor

_EPS = 1e-6  # of the variance: a patch of one colour has none


def hidden_patches(
    drawn: Float[Tensor, "B n CPP"],
    patches: Float[Tensor, "B n CPP"],
    is_hidden: Bool[Tensor, "B n"],
) -> Float[Tensor, ""]:
    """Mean squared error on the hidden patches, against patches of mean 0 and variance 1.

    Normalising each patch asks for its drawing rather than its brightness, which the neighbours
    tell. In fp32 whatever the precision of the model.

    Args:
        drawn: by the decoder.
        patches: of the pictures, as ``patchify`` cuts them.
        is_hidden: which patches the encoder was not shown; at least one.
    """
    error = (drawn.float() - normalise_patches(patches)).square().mean(dim=2)  # B n
    return error[is_hidden].mean()


def normalise_patches(patches: Float[Tensor, "B n CPP"]) -> Float[Tensor, "B n CPP"]:
    """Each patch minus its mean, over its deviation."""
    mean, std = _mean_and_std(patches)
    return (patches - mean) / std


def denormalise_patches(
    drawn: Float[Tensor, "B n CPP"], patches: Float[Tensor, "B n CPP"]
) -> Float[Tensor, "B n CPP"]:
    """Drawn patches with the mean and deviation of the true ones; inverse of the above."""
    mean, std = _mean_and_std(patches)
    return drawn * std + mean


def _mean_and_std(
    patches: Float[Tensor, "B n CPP"],
) -> tuple[Float[Tensor, "B n 1"], Float[Tensor, "B n 1"]]:
    mean = patches.mean(dim=2, keepdim=True)
    variance = patches.var(dim=2, keepdim=True, correction=0)
    return mean, (variance + _EPS).sqrt()
