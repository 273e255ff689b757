"""Maps over the input are read at the centres of the picture's pixels."""

import pytest
import torch
import torch.nn.functional as F

from saccade.config.run import Preprocess
from saccade.data.placement import Placement, place
from saccade.serving import resample
from saccade.serving.resample import in_picture, is_seen, likeliest_in_picture

CPU = torch.device("cpu")


def placement(height: int, width: int, *, is_cut: bool = False) -> Placement:
    preprocess = Preprocess(
        height=8,
        width=8,
        channels=3,
        fit="crop" if is_cut else "pad",
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
    )
    return place(height, width, preprocess)


def test_a_picture_of_the_models_size_keeps_every_number() -> None:
    maps = torch.randn(3, 8, 8)

    assert torch.equal(in_picture(maps, placement(8, 8), cell_size=1), maps)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (4, 4), (24, 24)])
def test_without_bars_it_is_bilinear_enlarging(height: int, width: int) -> None:
    maps = torch.randn(2, 8, 8)

    found = in_picture(maps, placement(height, width), cell_size=1)

    expected = F.interpolate(maps[None], (height, width), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_cells_are_enlarged_as_if_to_the_input_first() -> None:
    cells = torch.randn(2, 4, 4)

    found = in_picture(cells, placement(8, 8), cell_size=2)

    expected = F.interpolate(cells[None], scale_factor=2, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_bars_of_a_padded_picture_are_left_out() -> None:
    """A slope over the input is read where the picture lies: rows 2 to 5 of 8."""
    rows = (torch.arange(8.0) + 0.5)[:, None].expand(8, 8)[None]
    wide = placement(4, 8)
    assert wide.top == 2

    found = in_picture(rows, wide, cell_size=1)

    assert found.shape == (1, 4, 8)
    torch.testing.assert_close(found[0, :, 0], torch.tensor([2.5, 3.5, 4.5, 5.5]))
    assert is_seen(wide, CPU).all()


def test_a_crop_says_what_it_left_out() -> None:
    seen = is_seen(placement(8, 16, is_cut=True), CPU)

    assert seen.shape == (8, 16)
    assert seen[:, 4:12].all()
    assert not seen[:, :4].any()
    assert not seen[:, 12:].any()


def test_the_likeliest_class_is_found_some_classes_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probs = torch.rand(7, 8, 8).softmax(dim=0)
    where = placement(12, 16)
    best, classes = in_picture(probs, where, cell_size=1).max(dim=0)

    for numbers in (1, 12 * 16 * 3, 2**25):
        monkeypatch.setattr(resample, "NUMBERS_AT_A_TIME", numbers)
        found, their_probs = likeliest_in_picture(probs, where)
        assert torch.equal(found, classes)
        assert torch.equal(their_probs, best)
