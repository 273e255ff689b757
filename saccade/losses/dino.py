"""DINO: a student says of every view what its teacher says of the global ones (2104.14294)."""

from jaxtyping import Float
from torch import Tensor


def teacher_agreement(
    student: Float[Tensor, "V B K"], teacher: Float[Tensor, "V2 B K"], *, temperature: float
) -> Float[Tensor, ""]:
    """Cross-entropy of student and teacher, the mean over all pairs of different views.

    The plain version::

        terms = []
        for i in range(V2):
            for j in range(V):
                if i != j:
                    log_probs = log_softmax(student[j] / temperature)
                    terms.append(-(teacher[i] * log_probs).sum(dim=1).mean())
        return mean(terms)

    Args:
        student: logits, the global views first, in fp32.
        teacher: probabilities for the V2 global views, from ``sharpened``.
        temperature: of the student.
    """
    log_probs = (student / temperature).log_softmax(dim=2)
    num_views, num_pictures, _ = student.shape
    num_whole = len(teacher)
    # The sum over all pairs is a product of sums; those of a view with itself are taken out.
    every = -(teacher.sum(dim=0) * log_probs.sum(dim=0)).sum()
    same = -(teacher * log_probs[:num_whole]).sum()
    return (every - same) / (num_pictures * num_whole * (num_views - 1))


def sharpened(
    teacher: Float[Tensor, "V2 B K"], centre: Float[Tensor, " K"], *, temperature: float
) -> Float[Tensor, "V2 B K"]:
    """The teacher's probabilities, centred and sharp.

    Centred, so that no prototype takes all pictures; sharp, so that not all prototypes take each
    picture. Either alone would let everything become one.

    Args:
        teacher: logits, in fp32.
        centre: their running mean.
        temperature: below that of the student.
    """
    return ((teacher - centre) / temperature).softmax(dim=2)
