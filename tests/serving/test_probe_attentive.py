"""The attentive probe learns what is in single tokens, the same way every time."""

import pytest
import torch

from saccade.serving.probe_attentive import attentive_logits, fit_attentive


def pictures(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """One of nine tokens, anywhere, says the class."""
    generator = torch.Generator().manual_seed(count)
    labels = torch.arange(count) % 3
    tokens = 0.3 * torch.randn(count, 9, 16, generator=generator)
    place = torch.randint(9, (count,), generator=generator)
    tokens[torch.arange(count), place, labels] += 4
    return tokens.half(), labels


def test_it_finds_the_token_that_says_the_class() -> None:
    tokens, labels = pictures(300)
    fresh, wanted = pictures(200)

    probe = fit_attentive(tokens, labels, num_classes=3, seed=0)

    assert not probe.training
    found = attentive_logits(probe, fresh).argmax(dim=1)
    assert (found == wanted).float().mean() > 0.9


def test_the_seed_decides_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saccade.serving.probe_attentive.FEWEST_STEPS", 10)
    tokens, labels = pictures(20)
    state = torch.get_rng_state()
    first, second, other = (
        attentive_logits(fit_attentive(tokens, labels, num_classes=3, seed=seed), tokens)
        for seed in (0, 0, 1)
    )

    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_answers_do_not_depend_on_the_pieces_they_are_computed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("saccade.serving.probe_attentive.FEWEST_STEPS", 10)
    tokens, labels = pictures(30)
    probe = fit_attentive(tokens, labels, num_classes=3, seed=0)

    whole = attentive_logits(probe, tokens)

    torch.testing.assert_close(attentive_logits(probe, tokens[7:8]), whole[7:8])
