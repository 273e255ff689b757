"""Picture, velocity and noise say one thing in three ways; the loss is always the velocity's."""

import pytest
import torch
from torch import Tensor

from saccade.losses.flow import Prediction, clean_picture, flow_losses, mix, spread, velocity

GAP = 0.05
KINDS: tuple[Prediction, ...] = ("picture", "velocity", "noise")


@pytest.fixture
def line() -> tuple[Tensor, Tensor, Tensor]:
    """Pictures, noise and times well inside the line."""
    torch.manual_seed(0)
    return torch.randn(4, 3, 5, 6), torch.randn(4, 3, 5, 6), torch.tensor([0.1, 0.4, 0.6, 0.9])


def answer(kind: Prediction, picture: Tensor, noise: Tensor) -> Tensor:
    """What a perfect network says."""
    return {"picture": picture, "velocity": picture - noise, "noise": noise}[kind]


def test_the_line_begins_in_noise_and_ends_in_the_picture(
    line: tuple[Tensor, Tensor, Tensor],
) -> None:
    picture, noise, _ = line

    assert torch.equal(mix(picture, noise, torch.zeros(4)), noise)
    assert torch.equal(mix(picture, noise, torch.ones(4)), picture)


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_answer_means_the_velocity_and_the_picture(
    kind: Prediction, line: tuple[Tensor, Tensor, Tensor]
) -> None:
    picture, noise, time = line
    asked = {"noisy": mix(picture, noise, time), "time": time}
    given = answer(kind, picture, noise)

    found = velocity(given, **asked, prediction=kind, smallest_gap=GAP)
    clean = clean_picture(given, **asked, prediction=kind, smallest_gap=GAP)

    torch.testing.assert_close(found, picture - noise, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(clean, picture, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_the_squared_error_of_the_velocity(
    kind: Prediction, line: tuple[Tensor, Tensor, Tensor]
) -> None:
    picture, noise, time = line
    given = answer(kind, picture, noise) + 0.3 * torch.randn_like(picture)

    found = flow_losses(
        given, picture=picture, noise=noise, time=time, prediction=kind, smallest_gap=GAP
    )

    asked = {"noisy": mix(picture, noise, time), "time": time}
    error = velocity(given, **asked, prediction=kind, smallest_gap=GAP) - (picture - noise)
    torch.testing.assert_close(found, error.square().mean(dim=(1, 2, 3)), rtol=1e-4, atol=1e-5)


def test_near_its_end_a_wrong_picture_counts_no_more_than_the_gap_allows() -> None:
    picture, off = torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), 0.1)

    losses = [
        flow_losses(
            off,
            picture=picture,
            noise=torch.randn_like(picture),
            time=torch.tensor([t]),
            prediction="picture",
            smallest_gap=GAP,
        ).item()
        for t in (0.5, 0.95, 0.99, 1.0)
    ]

    assert losses == pytest.approx([0.01 / 0.25, 0.01 / GAP**2, 0.01 / GAP**2, 0.01 / GAP**2])


def test_bf16_answers_are_judged_in_fp32() -> None:
    picture = torch.randn(2, 1, 4, 4)

    found = flow_losses(
        picture.bfloat16(),
        picture=picture,
        noise=torch.randn_like(picture),
        time=torch.rand(2),
        prediction="picture",
        smallest_gap=GAP,
    )

    assert found.dtype == torch.float32


def test_a_time_is_spread_over_the_pixels_of_its_picture() -> None:
    assert torch.equal(spread(torch.tensor([1.0, 2.0])).flatten(), torch.tensor([1.0, 2.0]))
