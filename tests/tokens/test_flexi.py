"""Weights for another patch size embed a resized patch as the patch was embedded before."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from saccade.tokens.flexi import resize_patches


def resize(patches: Tensor, size: int) -> Tensor:
    return F.interpolate(
        patches, size=(size, size), mode="bilinear", align_corners=False, antialias=True
    )


def embed(patches: Tensor, weight: Tensor) -> Tensor:
    """One number per patch and channel of the embedding."""
    return torch.einsum("bcij,dcij->bd", patches, weight)


def made(patch_size: int, *, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(5, 3, patch_size, patch_size, dtype=dtype)


@pytest.mark.parametrize(("old", "new"), [(4, 5), (4, 8), (7, 16), (16, 30), (1, 3)])
def test_larger_patches_are_embedded_exactly_as_before(old: int, new: int):
    weight, patches = made(old), torch.randn(20, 3, old, old, dtype=torch.float64)
    grown = resize_patches(weight, patch_size=new)
    assert grown.shape == (5, 3, new, new)
    torch.testing.assert_close(embed(resize(patches, new), grown), embed(patches, weight))


@pytest.mark.parametrize("kind", ["constant", "linear"])
def test_plain_patches_keep_their_embedding(kind: str):
    ramp = torch.arange(4, dtype=torch.float64).expand(1, 3, 4, 4)
    patches = torch.full_like(ramp, 0.7) if kind == "constant" else 0.2 * ramp - ramp.mT
    weight = made(4)
    new = embed(resize(patches, 8), resize_patches(weight, patch_size=8))
    torch.testing.assert_close(new, embed(patches, weight))


@pytest.mark.parametrize(("old", "new"), [(8, 4), (7, 5), (16, 14), (4, 6)])
def test_it_is_the_least_squares_solution_over_all_patches(old: int, new: int):
    """Every patch is a sum of patches with one lit pixel; solved as one dense system."""
    weight = made(old)
    lit = torch.eye(old * old, dtype=torch.float64).reshape(-1, 1, old, old)
    resized = resize(lit, new).reshape(old * old, new * new)
    target = weight.flatten(0, 1).reshape(15, old * old).T
    solved = torch.linalg.lstsq(resized, target, driver="gelsd").solution
    wanted = solved.T.reshape(5, 3, new, new)
    torch.testing.assert_close(resize_patches(weight, patch_size=new), wanted)


def test_the_frames_of_tubelets_are_resized_one_by_one():
    weight = torch.randn(5, 3, 2, 4, 4)
    resized = resize_patches(weight, patch_size=6)
    assert resized.shape == (5, 3, 2, 6, 6)
    for frame in range(2):
        alone = resize_patches(weight[:, :, frame], patch_size=6)
        torch.testing.assert_close(resized[:, :, frame], alone)


def test_the_same_size_changes_no_bit_and_the_type_stays():
    weight = made(4, dtype=torch.float32)
    assert torch.equal(resize_patches(weight, patch_size=4), weight)
    assert resize_patches(weight.bfloat16(), patch_size=5).dtype == torch.bfloat16


def test_a_patch_without_pixels_is_refused():
    with pytest.raises(ValueError, match="patch_size is 0; a patch has at least 1 pixel"):
        resize_patches(made(4), patch_size=0)
