"""Run lengths and polygons become the masks that the COCO tools make of them, and come back."""

import json
from pathlib import Path

import numpy as np
import pytest

from saccade.data.decoding.decode import UnreadablePicture
from saccade.data.regions import (
    box_of,
    decode_rle,
    encode_rle,
    fill_polygons,
    polygon_area,
    rle_area,
)

# 3 x 4 pixels, counted down the columns: 2 without, 3 with, 1 without, 2 with, 4 without.
RUNS = [2, 3, 1, 2, 4]
MASK = np.array(
    [
        [0, 1, 1, 0],
        [0, 1, 1, 0],
        [1, 0, 0, 0],
    ],
    dtype=bool,
)


def random_mask(rng: np.random.Generator) -> np.ndarray:
    height, width = rng.integers(1, 40, 2)
    return rng.random((height, width)) < rng.choice([0.0, 0.02, 0.5, 0.9, 1.0])


def naive_runs(mask: np.ndarray) -> list[int]:
    """Pixel by pixel down the columns."""
    runs, is_inside = [0], False
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if mask[row, column] != is_inside:
                runs.append(0)
                is_inside = not is_inside
            runs[-1] += 1
    return runs


def test_runs_count_down_the_columns_and_begin_outside() -> None:
    assert naive_runs(MASK) == RUNS
    assert np.array_equal(decode_rle(RUNS, height=3, width=4), MASK)


def test_a_mask_that_begins_inside_has_a_first_run_of_zero() -> None:
    found = decode_rle([0, 5, 1], height=2, width=3)

    assert found.tolist() == [[True, True, True], [True, True, False]]


def test_a_known_compressed_string_is_read_and_written() -> None:
    """By hand: 7, 9 and 200 as they are, then 40 - 9 = 31 and 144 - 200 = -56, lowest bits first.

    7 and 9 are one character each, 48 + 7 and 48 + 9. 200 = 6 * 32 + 8 has more than five bits, the
    top bit of 31 would be taken for a sign, and -56 = -2 * 32 + 8 has a sign: these need two.
    """
    text = "79X6o0XN"
    runs = [7, 9, 200, 40, 144]
    assert sum(runs) == 400

    mask = decode_rle(text, height=20, width=20)

    assert naive_runs(mask) == runs
    assert encode_rle(mask) == text
    assert np.array_equal(decode_rle(text.encode(), height=20, width=20), mask)


@pytest.mark.parametrize("seed", range(40))
def test_decoding_is_the_inverse_of_encoding(seed: int) -> None:
    mask = random_mask(np.random.default_rng(seed))
    height, width = mask.shape

    assert np.array_equal(decode_rle(encode_rle(mask), height=height, width=width), mask)
    assert np.array_equal(decode_rle(naive_runs(mask), height=height, width=width), mask)


def test_runs_of_another_picture_are_refused_with_both_numbers() -> None:
    with pytest.raises(UnreadablePicture, match=r"cover 12 pixels.*4 x 4 = 16"):
        decode_rle(RUNS, height=4, width=4)


@pytest.mark.parametrize("counts", [[5, -1, 8], [[1, 2], 9], ["x", 1]])
def test_runs_that_are_no_lengths_are_refused(counts: list) -> None:
    with pytest.raises(UnreadablePicture):
        decode_rle(counts, height=3, width=4)


def test_a_string_that_is_no_compressed_form_is_refused() -> None:
    with pytest.raises(UnreadablePicture, match="character ' '"):
        decode_rle("7 9", height=3, width=4)
    with pytest.raises(UnreadablePicture, match="middle of a number"):
        decode_rle("X", height=3, width=4)


def naive_fill(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """A pixel is inside when a ray from its middle to the left crosses the outline oddly often."""
    inside = np.zeros((height, width), dtype=bool)
    for row in range(height):
        for column in range(width):
            x, y, crossings = column + 0.5, row + 0.5, 0
            for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
                if (y0 > y) != (y1 > y):
                    crossings += x0 + (y - y0) / (y1 - y0) * (x1 - x0) < x
            inside[row, column] = crossings % 2 == 1
    return inside


def test_a_rectangle_of_whole_pixels_is_filled_exactly() -> None:
    mask = fill_polygons([[2, 1, 5, 1, 5, 4, 2, 4]], height=6, width=8)

    expected = np.zeros((6, 8), dtype=bool)
    expected[1:4, 2:5] = True
    assert np.array_equal(mask, expected)


@pytest.mark.parametrize("seed", range(10))
def test_a_polygon_covers_the_pixels_whose_middle_lies_inside_but_for_its_rim(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = np.arange(9) * 0.7 + rng.uniform(0, 0.5, 9)
    radius = rng.uniform(12, 17, 9)
    corners = np.stack([22 + radius * np.cos(angles), 20 + radius * np.sin(angles)], axis=1)

    mask = fill_polygons([corners.ravel().tolist()], height=40, width=44)

    expected = naive_fill(corners, 40, 44)
    assert (mask != expected).sum() <= 0.06 * expected.sum()
    shifted = [np.roll(expected, step, axis) for axis in (0, 1) for step in (-1, 1)]
    rim = np.any([each != expected for each in shifted], axis=0)
    assert not ((mask != expected) & ~rim).any()


def test_a_polygon_is_the_same_whichever_way_it_is_walked() -> None:
    corners = [3.2, 1.7, 17.4, 5.1, 12.9, 16.3, 2.1, 11.8]
    backwards = np.array(corners).reshape(-1, 2)[::-1].ravel().tolist()

    forth = fill_polygons([corners], height=20, width=20)
    back = fill_polygons([backwards], height=20, width=20)

    assert forth.sum() > 100
    assert np.array_equal(forth, back)


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    mask = fill_polygons([[-5, -5, 3, -5, 3, 50, -5, 50]], height=10, width=10)

    expected = np.zeros((10, 10), dtype=bool)
    expected[:, :3] = True
    assert np.array_equal(mask, expected)


def test_the_parts_of_an_object_are_united_where_they_overlap_too() -> None:
    parts = [[0, 0, 4, 0, 4, 4, 0, 4], [2, 2, 6, 2, 6, 6, 2, 6]]

    mask = fill_polygons(parts, height=8, width=8)

    alone = [fill_polygons([part], height=8, width=8) for part in parts]
    assert mask.sum() == 16 + 16 - 4
    assert np.array_equal(mask, alone[0] | alone[1])


def test_no_polygon_is_an_empty_mask() -> None:
    assert not fill_polygons([], height=3, width=3).any()


@pytest.mark.parametrize(
    "polygon",
    [
        [1, 2, 3, 4],
        [1, 2, 3, 4, 5],
        [0, 0, 1, 1, float("nan"), 2],
        [0] * 5 + [1e12],
        [0] * 5 + ["x"],
    ],
)
def test_a_polygon_without_three_whole_corners_is_refused(polygon: list[float]) -> None:
    with pytest.raises(UnreadablePicture, match="polygon"):
        fill_polygons([polygon], height=9, width=9)


def test_the_box_of_a_mask_is_half_open_and_zero_for_nothing() -> None:
    assert box_of(MASK).tolist() == [0, 0, 3, 3]
    assert box_of(MASK[:2]).tolist() == [1, 0, 3, 2]
    assert box_of(np.zeros((3, 4), dtype=bool)).tolist() == [0, 0, 0, 0]


def test_real_annotations_have_the_areas_and_boxes_of_the_coco_tools(shared_data: Path) -> None:
    folder = shared_data / "coco_eval_oracle"
    known = json.loads((folder / "instances_val2014_100.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in known["images"]}
    off = []
    for annotation in known["annotations"][:120]:
        height, width = sizes[annotation["image_id"]]
        if annotation["iscrowd"]:
            counts = annotation["segmentation"]["counts"]
            mask = decode_rle(counts, height=height, width=width)
            assert mask.sum() == annotation["area"] == rle_area(counts)
        else:
            mask = fill_polygons(annotation["segmentation"], height=height, width=width)
            off.append(abs(mask.sum() / annotation["area"] - 1))
            area = sum(map(polygon_area, annotation["segmentation"]))
            assert area == pytest.approx(annotation["area"])
        x, y, box_width, box_height = annotation["bbox"]
        distance = abs(box_of(mask) - [x, y, x + box_width, y + box_height])
        assert np.median(distance) <= 1.5

    assert np.median(off) < 0.01  # the area in the file is that of the polygon, not of the pixels


def test_real_compressed_masks_are_written_as_they_were_read(shared_data: Path) -> None:
    folder = shared_data / "coco_eval_oracle"
    found = json.loads((folder / "instances_val2014_fakesegm100_results.json").read_text())
    for detection in found[:100]:
        height, width = detection["segmentation"]["size"]
        counts = detection["segmentation"]["counts"]
        assert encode_rle(decode_rle(counts, height=height, width=width)) == counts
