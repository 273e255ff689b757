"""How far a student is from what its teacher says."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def soft_disagreement(
    logits: Float[Tensor, "B K"], told: Float[Tensor, "B K"], *, temperature: float
) -> Float[Tensor, ""]:
    """Mean Kullback-Leibler divergence from the teacher's probabilities, in fp32.

    Times the squared temperature, so that gradients stay as large as those of labels whatever the
    temperature is (arXiv 1503.02531, section 2). 0 where both say the same.

    Args:
        logits: the student's.
        told: the teacher's.
        temperature: divides both; the higher, the more the unlikely classes count.
    """
    mine = (logits.float() / temperature).log_softmax(dim=1)
    theirs = (told.float() / temperature).log_softmax(dim=1)
    return F.kl_div(mine, theirs, log_target=True, reduction="batchmean") * temperature**2


def hard_disagreement(
    logits: Float[Tensor, "B K"], told: Float[Tensor, "B K"]
) -> Float[Tensor, ""]:
    """Mean cross-entropy with the class that the teacher answers (arXiv 2012.12877), in fp32."""
    return F.cross_entropy(logits.float(), told.argmax(dim=1))


def angle(vectors: Float[Tensor, "B h w D"], told: Float[Tensor, "B h w D"]) -> Float[Tensor, " B"]:
    """Of each picture 1 less the mean cosine between the student's and the teacher's, 0 to 2.

    Args:
        vectors: the student's, of any length.
        told: the teacher's, of unit length.
    """
    return 1 - (F.normalize(vectors.float(), dim=3) * told.float()).sum(dim=3).mean(dim=(1, 2))
