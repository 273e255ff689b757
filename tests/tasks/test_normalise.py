"""Bytes become numbers around zero, of pictures and of clips, and bytes again."""

import torch

from saccade.config.run import Preprocess
from saccade.tasks.normalise import Normalise

MEAN, STD = (0.5, 0.4, 0.3), (0.1, 0.2, 0.3)
PREPROCESS = Preprocess(height=4, width=4, channels=3, fit="crop", mean=MEAN, std=STD)


def test_each_channel_has_its_own_mean_and_deviation() -> None:
    clips = torch.randint(256, (2, 5, 3, 4, 6), dtype=torch.uint8)
    normalise = Normalise(PREPROCESS)

    of_clips, of_frames = normalise(clips), normalise(clips[:, 0])

    for c, (mean, std) in enumerate(zip(MEAN, STD, strict=True)):
        torch.testing.assert_close(of_clips[:, :, c], (clips[:, :, c] / 255 - mean) / std)
    assert torch.equal(of_clips[:, 0], of_frames)
    assert of_frames.is_contiguous(memory_format=torch.channels_last)


def test_bytes_come_back_and_what_lies_outside_is_cut_off() -> None:
    images = torch.randint(256, (2, 3, 4, 4), dtype=torch.uint8)
    normalise = Normalise(PREPROCESS)

    assert torch.equal(normalise.to_bytes(normalise(images)), images)
    assert (normalise.to_bytes(torch.full((1, 3, 1, 1), 100.0)) == 255).all()
    assert (normalise.to_bytes(torch.full((1, 3, 1, 1), -100.0)) == 0).all()


def test_nothing_of_it_is_among_the_weights() -> None:
    assert not Normalise(PREPROCESS).state_dict()
