"""An embedder, ready to answer in Python."""

from collections.abc import Sequence
from pathlib import Path

from saccade.data.sources import open_pictures
from saccade.serving.engine import Engine
from saccade.serving.features import Embeddings, embed
from saccade.tasks.embed import Embed


class Embedder:
    """A model trained to bring pictures of one class together; ``saccade.load`` makes one.

    Args:
        engine: an embedder with its weights.
    """

    def __init__(self, engine: Engine[Embed]) -> None:
        self.engine = engine

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that it was trained to tell apart; it embeds pictures of others too."""
        return self.engine.class_names

    def embed(self, inputs: str | Path | Sequence[str | Path]) -> Embeddings:
        """Pictures, or folders of them, as vectors of unit length, to compare them by.

        Raises:
            UsageError: a path does not exist.
        """
        paths = [inputs] if isinstance(inputs, str | Path) else list(inputs)
        return embed(
            self.engine.task,
            self.engine.loader(open_pictures(paths)),
            device=self.engine.device,
            precision=self.engine.precision,
        )
