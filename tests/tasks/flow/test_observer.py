"""An observer learns classes where there are some, stays as it is where not, and can be named."""

import torch

from saccade.tasks.flow.observer import NUM_FEATURES, Observer

IMAGES = torch.randint(0, 256, (6, 3, 12, 12), dtype=torch.uint8)


def observer(num_classes: int, seed: int = 0) -> Observer:
    torch.manual_seed(seed)
    return Observer(3, num_classes=num_classes)


def test_there_is_one_vector_for_each_picture() -> None:
    assert observer(2).eval().features(IMAGES).shape == (6, NUM_FEATURES)


def test_with_classes_it_learns_them() -> None:
    made, labels = observer(2).train(), torch.arange(6) % 2
    optimizer = torch.optim.AdamW(made.parameters(), lr=2e-2)
    for _ in range(8):
        losses = made.losses(IMAGES, labels)
        optimizer.zero_grad()
        losses["observer_loss"].backward()
        optimizer.step()

    assert made.has_learned
    assert losses["observer_loss"] < 0.5
    assert losses["observer_top1"] == 1


def test_without_classes_nothing_of_it_is_trained() -> None:
    made = observer(0)

    assert not made.has_learned
    assert not any(p.requires_grad for p in made.parameters())


def test_a_picture_alone_has_the_features_that_it_has_in_a_batch() -> None:
    made = observer(2).eval()

    torch.testing.assert_close(made.features(IMAGES[2:3])[0], made.features(IMAGES)[2])


def test_the_same_numbers_have_the_same_name_and_others_another() -> None:
    first = observer(2).fingerprint()

    assert observer(2).fingerprint() == first
    assert observer(2, seed=1).fingerprint() != first
    assert len(first) == 12
