"""What is kept of each picture until all pictures are there."""

import torch
from jaxtyping import Shaped
from torch import Tensor


class Rows:
    """Rows of numbers that come batch by batch, on the CPU."""

    def __init__(self) -> None:
        self._parts: list[Tensor] = []

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def add(self, rows: Shaped[Tensor, "n ..."]) -> None:
        """Adds those of a batch, of the same shape and type as all others."""
        self._parts.append(rows.cpu())

    def extend(self, other: "Rows") -> None:
        """Adds all that another has, behind what is here."""
        self._parts += other._parts

    def whole(self) -> Shaped[Tensor, "n ..."]:
        """All of them in the order in which they came; there is at least one."""
        return torch.cat(self._parts)
