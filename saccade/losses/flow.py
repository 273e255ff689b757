"""The straight line from noise to a picture: ``z = t x + (1 - t) e``, and its velocity ``x - e``.

Time 0 is noise and time 1 is the picture (arXiv 2209.03003). A network may answer with the picture
x, the velocity v or the noise e; each follows from another and z, and the loss is always that of
the velocity. Which answer is asked for matters all the same: pictures lie near a surface of few
dimensions, noise and velocities fill all of them, and a network that is narrower than its patches
cannot let them through (arXiv 2511.13720).
"""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

Prediction = Literal["picture", "velocity", "noise"]


def mix(
    picture: Float[Tensor, "B C H W"],
    noise: Float[Tensor, "B C H W"],
    time: Float[Tensor, " B"],
) -> Float[Tensor, "B C H W"]:
    """The point of the line at a time from 0 (noise) to 1 (picture)."""
    t = spread(time)
    return t * picture + (1 - t) * noise


def velocity(
    answer: Float[Tensor, "B C H W"],
    *,
    noisy: Float[Tensor, "B C H W"],
    time: Float[Tensor, " B"],
    prediction: Prediction,
    smallest_gap: float,
) -> Float[Tensor, "B C H W"]:
    """The direction that a network's answer means, for one that is asked at ``noisy``.

    Args:
        answer: of the network.
        noisy: the point on the line.
        time: of it.
        prediction: what the answer is.
        smallest_gap: the least that is divided by, as in the loss.
    """
    t = spread(time)
    match prediction:
        case "picture":
            return (answer - noisy) / (1 - t).clamp(min=smallest_gap)
        case "velocity":
            return answer
        case "noise":
            return (noisy - answer) / t.clamp(min=smallest_gap)


def clean_picture(
    answer: Float[Tensor, "B C H W"],
    *,
    noisy: Float[Tensor, "B C H W"],
    time: Float[Tensor, " B"],
    prediction: Prediction,
    smallest_gap: float,
) -> Float[Tensor, "B C H W"]:
    """The picture that a network's answer means: where its velocity leads from ``noisy``."""
    if prediction == "picture":
        return answer
    return noisy + (1 - spread(time)) * velocity(
        answer, noisy=noisy, time=time, prediction=prediction, smallest_gap=smallest_gap
    )


def flow_losses(
    answer: Float[Tensor, "B C H W"],
    *,
    picture: Float[Tensor, "B C H W"],
    noise: Float[Tensor, "B C H W"],
    time: Float[Tensor, " B"],
    prediction: Prediction,
    smallest_gap: float,
) -> Float[Tensor, " B"]:
    """The mean squared error of each picture's velocity, in fp32.

    An error of the picture counts ``1 / (1 - t)^2`` times, one of the noise ``1 / t^2`` times, as
    they do in the velocity; both are held below ``1 / smallest_gap^2``.
    """
    t = spread(time.float())
    answer = answer.float()
    match prediction:
        case "picture":
            error = (answer - picture) / (1 - t).clamp(min=smallest_gap)
        case "velocity":
            error = answer - (picture - noise)
        case "noise":
            error = (answer - noise) / t.clamp(min=smallest_gap)
    return error.square().mean(dim=(1, 2, 3))


def spread(time: Float[Tensor, " B"]) -> Float[Tensor, "B 1 1 1"]:
    """A time for each picture, to be multiplied with its pixels."""
    return time[:, None, None, None]
