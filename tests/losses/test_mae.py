"""Only hidden patches count, and each is asked for without its brightness and contrast."""

import pytest
import torch

from saccade.losses.mae import denormalise_patches, hidden_patches, normalise_patches


def test_it_is_the_mean_squared_error_on_the_hidden_patches() -> None:
    drawn, patches = torch.randn(2, 3, 4), 50 * torch.rand(2, 3, 4)
    is_hidden = torch.tensor([[True, False, True], [False, False, True]])

    terms = []
    for b, n in [(0, 0), (0, 2), (1, 2)]:
        patch = patches[b, n]
        normal = (patch - patch.mean()) / (patch.var(correction=0) + 1e-6).sqrt()
        terms.append(((drawn[b, n] - normal) ** 2).mean())

    found = hidden_patches(drawn, patches, is_hidden)
    torch.testing.assert_close(found, torch.stack(terms).mean(), rtol=1e-4, atol=1e-5)


def test_what_is_drawn_over_visible_patches_does_not_matter() -> None:
    drawn, patches = torch.randn(2, 3, 4), torch.rand(2, 3, 4)
    is_hidden = torch.tensor([[True, False, False]] * 2)
    other = drawn.clone()
    other[:, 1:] += 100

    first, second = (hidden_patches(each, patches, is_hidden) for each in (drawn, other))
    assert first == second


def test_brightness_and_contrast_of_a_patch_do_not_matter() -> None:
    drawn, patches = torch.randn(2, 3, 4), torch.rand(2, 3, 4)
    is_hidden = torch.ones(2, 3, dtype=torch.bool)

    plain = hidden_patches(drawn, patches, is_hidden)

    torch.testing.assert_close(
        hidden_patches(drawn, 3 * patches + 7, is_hidden), plain, rtol=1e-3, atol=1e-4
    )


def test_a_patch_of_one_colour_is_nothing_special() -> None:
    patches = torch.full((1, 2, 12), 0.7)

    assert normalise_patches(patches).abs().max() < 1e-3
    found = hidden_patches(torch.zeros(1, 2, 12), patches, torch.ones(1, 2, dtype=torch.bool))
    assert found.item() == pytest.approx(0, abs=1e-6)


def test_denormalising_is_the_inverse() -> None:
    patches = 100 * torch.rand(2, 3, 48)

    torch.testing.assert_close(denormalise_patches(normalise_patches(patches), patches), patches)


def test_half_precision_drawings_are_compared_in_fp32() -> None:
    drawn, patches = torch.randn(2, 3, 4).bfloat16(), torch.rand(2, 3, 4)

    found = hidden_patches(drawn, patches, torch.ones(2, 3, dtype=torch.bool))

    assert found.dtype == torch.float32
