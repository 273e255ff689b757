"""What a student makes of what its teacher says."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from saccade.config.model import Pool
from saccade.config.task import TeachConfig
from saccade.data.targets import Told, ToldFeatures, ToldLogits
from saccade.heads.classify import pooled
from saccade.losses.teach import angle, hard_disagreement, soft_disagreement
from saccade.tokens.tokens import Tokens


class Lesson(nn.Module):
    """The teacher's part of a loss, and what of it must be learned but is left behind afterwards.

    Args:
        config: which of the teacher's words, and how they are taken.
        embed_dim: the width D of the student's tokens.
        pool: how the student's tokens become the vector of a picture.
    """

    def __init__(self, config: TeachConfig, *, embed_dim: int, pool: Pool) -> None:
        super().__init__()
        self.config = config
        self.pool: Pool = pool
        is_double = pool == "class_and_mean" and config.of == "picture"
        width = 2 * embed_dim if is_double else embed_dim
        # A student's vectors have another length and other axes than its teacher's.
        self.map = nn.Linear(width, config.width) if config.method == "features" else None

    def blend(self, loss: Float[Tensor, ""], taught: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """The loss of labels and that of the teacher, in their shares."""
        if not self.config.has_labels:
            return taught
        return loss.lerp(taught, self.config.weight)

    def said(self, logits: Float[Tensor, "B K"], told: ToldLogits) -> Float[Tensor, ""]:
        """How far the student's probabilities are from the teacher's, or from its answers."""
        if self.config.method == "hard":
            return hard_disagreement(logits, told.logits)
        return soft_disagreement(logits, told.logits, temperature=self.config.temperature)

    def seen(self, tokens: Tokens, told: ToldFeatures) -> Float[Tensor, " B"]:
        """How far the student's vectors of each picture point away from the teacher's."""
        return angle(self.vectors(tokens, told), told.vectors)

    def vectors(self, tokens: Tokens, told: ToldFeatures) -> Float[Tensor, "B h w D2"]:
        """The student's vectors in the teacher's room, on the teacher's grid."""
        assert self.map is not None
        if self.config.of == "picture":
            return self.map(pooled(tokens, self.pool))[:, None, None]
        cells = tokens.as_map().float()  # B D h w
        size = told.vectors.shape[1:3]
        if cells.shape[2:] != size:
            cells = F.interpolate(cells, size=size, mode="bilinear", antialias=True)
        return self.map(cells.permute(0, 2, 3, 1))

    def loss(self, tokens: Tokens, logits: Float[Tensor, "B K"], told: Told) -> Float[Tensor, ""]:
        """The teacher's part of a classifier's loss."""
        if isinstance(told, ToldLogits):
            return self.said(logits, told)
        return self.seen(tokens, told).mean()


def build_lesson(config: TeachConfig, *, embed_dim: int, pool: Pool) -> Lesson | None:
    """The part of a task that listens to a teacher; None where there is none."""
    if config.method == "none":
        return None
    return Lesson(config, embed_dim=embed_dim, pool=pool)
