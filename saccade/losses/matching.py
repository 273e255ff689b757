"""Which of many proposals is to learn which object: the assignment that costs least in all."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from scipy.optimize import linear_sum_assignment
from torch import Tensor

NOBODY = -1
"""In place of a proposal's number: the column holds no object, or none was left for it."""

_WORST = 1e6  # in place of a cost that is not a number; sums of a picture's costs stay exact enough


@torch.no_grad()
def assign(costs: Float[Tensor, "B Q M"], is_object: Bool[Tensor, "B M"]) -> Int64[Tensor, "B M"]:
    """Gives each object of a picture a proposal of its own (Hungarian matching).

    The naive version tries every way to give M of the Q proposals away and keeps the cheapest.
    Costs are compared in float64 on the CPU; one that is not finite counts as very high, so that a
    model that has gone astray is reported by its loss and not by its matching.

    Args:
        costs: of proposal q for object m; any float type, any device.
        is_object: which columns hold an object; pictures have different numbers of them.

    Returns:
        The proposal of each object; ``NOBODY`` where there is no object, or where a picture has
        more objects than proposals and this one was too dear.
    """
    table = costs.detach().to("cpu", torch.float64).numpy()
    table = np.nan_to_num(table, nan=_WORST, posinf=_WORST, neginf=-_WORST).clip(-_WORST, _WORST)
    real = is_object.cpu().numpy()
    chosen = np.full(real.shape, NOBODY, dtype=np.int64)
    for b, of_picture in enumerate(table):
        columns = np.flatnonzero(real[b])
        proposals, objects = linear_sum_assignment(of_picture[:, columns])
        chosen[b, columns[objects]] = proposals
    return torch.from_numpy(chosen).to(costs.device)
