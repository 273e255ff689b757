"""Vectors collected in pieces give the figures of all of them."""

import pytest
import torch

from saccade.metrics.representation import effective_rank, mean_std, votes_of_the_others
from saccade.tasks.pretrain.representation import Vectors


def test_figures_are_those_of_all_vectors_together() -> None:
    vectors, labels = torch.randn(30, 8), torch.arange(30) % 3
    collected = Vectors()
    for part in (slice(0, 20), slice(20, 30)):
        collected.update(vectors[part], labels[part])

    figures = collected.figures()

    votes = votes_of_the_others(vectors, labels, num_classes=3)
    assert len(collected) == 30
    assert figures["effective_rank"] == pytest.approx(effective_rank(vectors))
    assert figures["mean_std"] == pytest.approx(mean_std(vectors))
    right = (votes.argmax(dim=1) == labels).float().mean().item()
    assert figures["knn_top1"] == pytest.approx(right)


def test_without_classes_there_is_no_figure_about_them() -> None:
    collected = Vectors()
    collected.update(torch.randn(5, 8), None)

    assert set(collected.figures()) == {"effective_rank", "mean_std"}
