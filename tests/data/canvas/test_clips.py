"""The direction of a clip is in the order of its frames, and in nothing else."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from saccade.data.canvas.chance import Chance
from saccade.data.canvas.clips import DIRECTIONS, ClipConfig, draw_clip, sweep
from saccade.data.canvas.handwriting import scikit_digits

Place = tuple[int, int]
STEPS = {
    "right": (1, 0),
    "left": (-1, 0),
    "down": (0, 1),
    "up": (0, -1),
}


def clip(number: int, config: ClipConfig = ClipConfig()) -> np.ndarray:  # noqa: B008  frozen
    written = scikit_digits("train")
    return draw_clip(written, seed=0, part="train", number=number, config=config).frames


def all_paths(label: int, num_frames: int) -> Iterator[tuple[tuple[Place, ...], float]]:
    """Every path that a direction can take, and how probable it is."""
    lines: list[list[Place]] = []
    across, down = step_of(label)
    for place in sweep(Chance(seed=0, stream=0, number=0), label=label):
        before = (place[0] - across, place[1] - down)
        if lines and lines[-1][-1] == before:
            lines[-1].append(place)
        else:
            lines.append([place])
    orders = list(itertools.permutations(lines))
    for order in orders:
        places = [place for line in order for place in line]
        for start in range(9):
            path = tuple(places[(start + t) % 9] for t in range(num_frames))
            yield path, 1 / len(orders) / 9


def step_of(label: int) -> Place:
    steps = [STEPS[word] for word in DIRECTIONS[label].split("-")]
    return sum(step[0] for step in steps), sum(step[1] for step in steps)


def best_accuracy(seen: Callable[[tuple[Place, ...]], object], num_frames: int) -> float:
    """Of whoever knows the world by heart and is shown ``seen(path)``."""
    chances: dict[object, list[float]] = defaultdict(lambda: [0.0] * 8)
    for label in range(8):
        for path, probability in all_paths(label, num_frames):
            chances[seen(path)][label] += probability / 8
    return sum(max(each) for each in chances.values())


@pytest.mark.parametrize("num_frames", [8, 9, 10])
def test_all_frames_without_their_order_leave_nothing_but_chance(num_frames: int):
    unordered = best_accuracy(lambda path: frozenset(Counter(path).items()), num_frames)
    assert unordered == pytest.approx(1 / 8)


def test_one_frame_leaves_nothing_but_chance():
    for t in range(8):
        assert best_accuracy(lambda path, t=t: path[t], 8) == pytest.approx(1 / 8)


def test_the_order_tells_all():
    assert best_accuracy(lambda path: path, 8) == pytest.approx(1)


def test_even_the_steps_within_pairs_of_frames_tell_all():
    def steps(path: tuple[Place, ...]) -> object:
        pairs = zip(path[::2], path[1::2], strict=True)
        return tuple(sorted((x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairs))

    assert best_accuracy(steps, 8) == pytest.approx(1)


@pytest.mark.parametrize("label", range(8))
def test_a_sweep_visits_each_place_once_and_mostly_in_its_direction(label: int):
    for number in range(20):
        places = sweep(Chance(seed=0, stream=0, number=number), label=label)
        assert sorted(places) == [(x, y) for x in range(3) for y in range(3)]
        steps = Counter((b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(places))
        assert steps[step_of(label)] >= 4
        assert steps.most_common(1)[0][0] == step_of(label)


def test_the_lines_of_a_sweep_come_in_every_order():
    sweeps = {tuple(sweep(Chance(seed=0, stream=0, number=k), label=0)) for k in range(60)}
    assert len(sweeps) == 6


# Characters this small do not overlap from place to place, so the median is the background.
FAR = ClipConfig(step_px=8, min_size=6.0, max_size=7.0)


def places_of(frames: np.ndarray) -> list[Place]:
    """Where the character of a ``FAR`` clip is in each frame: column and row of the grid."""
    moved = np.abs(frames.astype(int) - np.median(frames, axis=0)).sum(3) > 0
    lefts = np.array([np.flatnonzero(each.any(0))[0] for each in moved])
    tops = np.array([np.flatnonzero(each.any(1))[0] for each in moved])
    columns, rows = (lefts - lefts.min()) // 8, (tops - tops.min()) // 8
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


@pytest.mark.parametrize("label", range(8))
def test_the_character_mostly_goes_where_the_label_says(label: int):
    steps: Counter[Place] = Counter()
    for number in range(label, 8 * 10, 8):
        path = places_of(clip(number, FAR))
        steps.update((b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(path))
    assert steps.most_common(1)[0][0] == step_of(label)


def test_a_clip_begins_anywhere_in_its_sweep():
    missing: Counter[Place] = Counter()
    for number in range(0, 8 * 90, 8):  # to the right, all of them
        grid = {(x, y) for x in range(3) for y in range(3)}
        missing.update(grid - set(places_of(clip(number, FAR))))
    assert sum(missing.values()) == 90
    assert len(missing) == 9
    assert max(missing.values()) < 25


def test_the_character_is_the_only_thing_that_moves():
    for number in range(8):
        frames = clip(number).astype(int)
        changed = (frames != frames[:1]).any((0, 3))
        assert np.ptp(np.flatnonzero(changed.any(1))) <= 2 * 4 + 22
        assert changed.mean() < 0.8
        # What was drawn is the same at each place: frames are shifted copies on one background.
        assert len({frame.tobytes() for frame in frames}) == 8
        background = np.median(frames, axis=0)
        assert (np.abs(frames - background).sum((1, 2, 3)) > 0).all()


def test_eight_in_a_row_show_the_eight_directions():
    written = scikit_digits("train")
    labels = [draw_clip(written, seed=0, part="train", number=n).label for n in range(8, 16)]
    assert labels == list(range(8))


def test_clip_7_is_always_clip_7():
    assert clip(7).tobytes() == clip(7).tobytes()
    assert clip(7).tobytes() != clip(15).tobytes()


def test_sizes_and_channels_are_those_asked_for():
    frames = clip(0, ClipConfig(height=40, width=24, num_frames=9, is_grey=True))
    assert frames.shape == (9, 40, 24, 3)
    assert (frames == frames[..., :1]).all()


def test_numbers_of_frames_that_would_tell_the_direction_are_not_drawn():
    assert best_accuracy(frozenset, 5) > 1.5 / 8
    with pytest.raises(ValueError, match=r"num_frames is 5.*8, 9, 10, 17"):
        clip(0, ClipConfig(num_frames=5))


@pytest.mark.parametrize("num_frames", range(2, 11))
def test_the_numbers_that_are_drawn_are_all_that_hide_the_direction(num_frames: int):
    """Every path of every direction is looked at."""
    unordered = best_accuracy(lambda path: frozenset(Counter(path).items()), num_frames)
    assert ClipConfig(num_frames=num_frames).hides_direction == (unordered < 0.1251)
