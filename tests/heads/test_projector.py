"""A projector has the shape it says, and prototypes are compared by their direction alone."""

import pytest
import torch

from saccade.heads.projector import Projector, Prototypes


def test_a_projector_maps_to_its_width_and_normalises_over_the_batch() -> None:
    projector = Projector(6, hidden_dim=16, out_dim=4).train()
    vectors = 100 * torch.randn(32, 6) + 50

    hidden = projector.project[:2](vectors)

    assert projector(vectors).shape == (32, 4)
    torch.testing.assert_close(hidden.mean(dim=0), torch.zeros(16), rtol=0, atol=1e-3)
    torch.testing.assert_close(hidden.std(dim=0, correction=0), torch.ones(16), rtol=0, atol=1e-2)


def test_an_evaluated_projector_answers_each_vector_by_itself() -> None:
    projector = Projector(6, hidden_dim=16, out_dim=4)
    projector(torch.randn(32, 6))
    projector.eval()
    vectors = torch.randn(5, 6)

    torch.testing.assert_close(projector(vectors)[2:3], projector(vectors[2:3]))


def test_prototypes_answer_with_cosines() -> None:
    head = Prototypes(6, hidden_dim=16, out_dim=4, num_prototypes=10)
    vectors = torch.randn(5, 6)
    found = head(vectors)

    for b in range(5):
        direction = head.project(vectors[b : b + 1])[0]
        for k in range(10):
            expected = torch.cosine_similarity(direction, head.prototypes.weight[k], dim=0)
            assert found[b, k].item() == pytest.approx(expected.item(), abs=1e-5)


def test_the_length_of_a_prototype_does_not_matter() -> None:
    head = Prototypes(6, hidden_dim=16, out_dim=4, num_prototypes=10)
    vectors = torch.randn(5, 6)
    before = head(vectors)
    with torch.no_grad():
        head.prototypes.weight.mul_(7)

    torch.testing.assert_close(head(vectors), before)


def test_cosines_are_in_fp32_under_autocast_too() -> None:
    head = Prototypes(6, hidden_dim=16, out_dim=4, num_prototypes=10)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(torch.randn(5, 6))

    assert found.dtype == torch.float32
