"""Random numbers of one drawing: a pure function of (seed, stream, number)."""

import numpy as np
from jaxtyping import Float64


class Chance:
    """A row of random numbers that belongs to one drawing and to no other.

    Philox is a counter and a hash (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
    SC 2011), so drawing 7 is the same whether 0 to 6 were drawn or not. Only its raw numbers are
    used: numpy promises that they stay the same, but not how it shuffles or draws normal ones.
    """

    def __init__(self, *, seed: int, stream: int, number: int) -> None:
        """Starts the row.

        Args:
            seed: at least 0.
            stream: which kind of drawing, so that the kinds do not share their numbers.
            number: which drawing of this kind.
        """
        assert seed >= 0
        assert 0 <= number < 1 << 32
        key = np.array([seed, (stream << 32) + number], dtype=np.uint64)
        self._generator = np.random.Generator(np.random.Philox(key=key))

    def numbers(self, *shape: int) -> Float64[np.ndarray, "..."]:
        """Numbers in [0, 1)."""
        return self._generator.random(shape)

    def between(self, low: float, high: float) -> float:
        """One number in [low, high)."""
        return low + (high - low) * self._generator.random()

    def below(self, count: int) -> int:
        """One of 0 to ``count - 1``."""
        return int(self._generator.random() * count)

    def order(self, count: int) -> list[int]:
        """0 to ``count - 1`` in some order."""
        return np.argsort(self._generator.random(count), kind="stable").tolist()
