"""Picture, boxes, masks and classes tell the same story, and scene 7 is always scene 7."""

from dataclasses import replace

import numpy as np

from saccade.data.canvas.handwriting import scikit_digits
from saccade.data.canvas.scenes import Scene, SceneConfig, draw_scene

SMALL = SceneConfig(height=48, width=64, min_size=10.0, max_size=24.0)


def scene(number: int, config: SceneConfig = SMALL, *, seed: int = 0) -> Scene:
    written = scikit_digits("train")
    return draw_scene(written, seed=seed, part="train", number=number, config=config)


def test_a_scene_depends_on_its_number_and_not_on_those_before():
    first = scene(7)
    scene(8)
    again = scene(7)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.boxes_xyxy.tolist() == again.boxes_xyxy.tolist()
    assert first.image.tobytes() != scene(7, seed=1).image.tobytes()


def test_the_parts_of_a_world_are_drawn_differently():
    images = {
        draw_scene(scikit_digits("train"), seed=0, part=part, number=0).image.tobytes()
        for part in ("train", "val", "test")
    }
    assert len(images) == 3


def test_each_box_is_tight_round_its_mask():
    for number in range(30):
        each = scene(number)
        for k, (left, top, right, bottom) in enumerate(each.boxes_xyxy.astype(int), 1):
            mask = each.segments == k
            inside = mask[top:bottom, left:right]
            assert mask.sum() == inside.sum() > 0
            assert inside[0].any()
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()


def test_the_class_of_each_pixel_follows_from_segments_and_labels():
    each = scene(3)
    naive = np.zeros((48, 64), dtype=np.uint8)
    for k, label in enumerate(each.labels.tolist(), 1):
        naive[each.segments == k] = label + 1
    assert each.classes().tolist() == naive.tolist()


def test_boxes_hardly_overlap():
    for number in range(30):
        boxes = scene(number).boxes_xyxy
        for a in range(len(boxes)):
            for b in range(a):
                low = np.maximum(boxes[a, :2], boxes[b, :2])
                high = np.minimum(boxes[a, 2:], boxes[b, 2:])
                shared = np.prod((high - low).clip(0))
                areas = np.prod(boxes[[a, b], 2:] - boxes[[a, b], :2], axis=1)
                assert shared <= 0.25 * areas.min()  # a covered box may have shrunk


def test_ink_differs_from_what_surrounds_it_but_has_no_brightness_of_its_own():
    contrasts = []
    for number in range(60):
        each = scene(number, replace(SMALL, max_characters=1))
        grey = each.image.mean(2) / 255
        contrasts.append(grey[each.segments == 1].mean() - grey[each.segments == 0].mean())
    sizes = np.abs(contrasts)
    assert np.median(sizes) > 0.15
    assert 0.25 < np.mean(np.array(contrasts) > 0) < 0.75


def test_characters_go_as_far_as_every_border():
    boxes = np.concatenate([scene(number).boxes_xyxy for number in range(80)])
    assert boxes[:, 0].min() == boxes[:, 1].min() == 0
    assert boxes[:, 2].max() == 64
    assert boxes[:, 3].max() == 48


def test_the_counts_and_classes_asked_for_all_occur():
    scenes = [scene(number, SceneConfig()) for number in range(80)]
    assert {len(each.labels) for each in scenes} >= {1, 2, 3, 4, 5}
    assert set(np.concatenate([each.labels for each in scenes]).tolist()) == set(range(10))


def test_grey_pictures_have_three_equal_channels():
    image = scene(0, replace(SMALL, is_grey=True)).image
    assert (image == image[:, :, :1]).all()
    assert not (scene(0).image == scene(0).image[:, :, :1]).all()


def test_a_canvas_smaller_than_its_characters_is_filled_by_one():
    each = scene(0, SceneConfig(height=8, width=9))
    assert each.image.shape == (8, 9, 3)
    assert len(each.labels) >= 1
