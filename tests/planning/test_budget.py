"""One dial: durations are read as people write them, and the dearest model that fits is chosen."""

import itertools
from collections.abc import Callable

import pytest

from saccade.backbones.sizes import model_config, parse_name
from saccade.errors import UsageError
from saccade.planning.budget import Candidate, candidates, choose, parse_seconds, wanted_epochs
from saccade.planning.classify import batch_size_for, natural_side, patch_for


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("90s", 90),
        ("10m", 600),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("2m30s", 150),
        ("1d", 86400),
    ],
)
def test_durations_are_read(text: str, seconds: float):
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "ten minutes", "10 m 5", "-5m", "10m!", "1h,30m"])
def test_what_is_no_duration_is_refused_with_examples(text: str):
    with pytest.raises(UsageError, match="is not a duration; write it as 90s, 10m"):
        parse_seconds(text)


@pytest.mark.parametrize("text", ["1s", "29.9s", "0m"])
def test_a_budget_too_short_to_learn_in_is_refused(text: str):
    with pytest.raises(UsageError, match="too short"):
        parse_seconds(text)


def num_tokens(candidate: Candidate) -> int:
    return (candidate.image_size // model_config(candidate.model).patch_size) ** 2


def cost(candidate: Candidate) -> tuple[int, int]:
    return candidate.image_size, model_config(candidate.model).embed_dim


@pytest.mark.parametrize("family", ["vit", "rag", "attncnn", "cnn"])
@pytest.mark.parametrize("side", [8, 28, 64, 130, 224, 3000])
def test_candidates_go_from_cheap_to_dear_and_each_is_another(family: str, side: int):
    found = list(candidates(parse_name(family), side=side, image_size=None))
    assert len(set(found)) == len(found) >= 2
    for before, after in itertools.pairwise(found):
        assert after.image_size >= before.image_size
        assert cost(after)[1] >= cost(before)[1]
        assert cost(after) > cost(before)
    assert all(candidate.image_size <= natural_side(side) for candidate in found)
    assert found[-1].image_size == natural_side(side)


@pytest.mark.parametrize("side", [8, 16, 28, 32, 40, 64, 96, 128, 224, 500])
def test_every_candidate_divides_its_picture_into_whole_patches(side: int):
    for candidate in candidates(parse_name("rag"), side=side, image_size=None):
        assert candidate.image_size % model_config(candidate.model).patch_size == 0


def test_a_pinned_size_patch_or_side_stays_pinned():
    for found in candidates(parse_name("vit-ti"), side=200, image_size=None):
        assert found.model.startswith("vit-ti")
    for found in candidates(parse_name("vit-ti8"), side=200, image_size=None):
        assert found.model == "vit-ti8"
    for found in candidates(parse_name("vit"), side=200, image_size=96):
        assert found.image_size == 96
    assert list(candidates(parse_name("rag-s4"), side=200, image_size=32)) == [
        Candidate("rag-s4", 32)
    ]


@pytest.mark.parametrize("image_size", [16, 28, 32, 64, 128, 224, 512])
def test_patches_are_powers_of_two_and_leave_enough_tokens(image_size: int):
    patch_size = patch_for(image_size)
    assert patch_size in (2, 4, 8, 16)
    assert image_size // patch_size >= 7 or patch_size == 2


@pytest.mark.parametrize(("side", "expected"), [(8, 16), (16, 16), (28, 28), (32, 32), (33, 36)])
def test_small_pictures_keep_their_size(side: int, expected: int):
    assert natural_side(side) == expected


def test_large_pictures_are_never_enlarged_by_much():
    for side in range(41, 1000, 7):
        assert natural_side(side) <= max(64, side * 1.2)


def test_batches_grow_with_the_data_but_never_beyond_128():
    sizes = [batch_size_for(n) for n in (10, 100, 1000, 10_000, 10**6)]
    assert sizes == sorted(sizes)
    assert sizes[0] >= 8
    assert sizes[-1] <= 256


def test_fewer_pictures_are_seen_more_often():
    epochs = [wanted_epochs(n) for n in (0, 100, 1000, 50_000, 10**7)]
    assert epochs == sorted(epochs, reverse=True)
    assert all(1 <= each <= 1000 for each in epochs)


LADDER = [Candidate(f"rag-{size}4", 32) for size in ("pico", "nano", "ti", "s")]


def fake(*seconds: float) -> tuple[Callable[[Candidate], float], list[Candidate]]:
    """A measure with known answers, and what it was asked."""
    asked: list[Candidate] = []

    def measure(candidate: Candidate) -> float:
        asked.append(candidate)
        return seconds[LADDER.index(candidate)]

    return measure, asked


def steps_wanted(num_pictures: int) -> float:
    batch_size = min(batch_size_for(num_pictures), num_pictures)
    return wanted_epochs(num_pictures) * num_pictures / batch_size


@pytest.mark.parametrize("fits", [1, 2, 3, 4])
def test_the_dearest_that_sees_the_data_often_enough_is_chosen(fits: int):
    wanted = steps_wanted(10_000)
    costs = [10 / wanted * (0.5 if k < fits else 2.0) for k in range(4)]
    measure, asked = fake(*costs)
    choice = choose(
        iter(LADDER),
        num_pictures=10_000,
        batch_size=128,
        epochs=wanted_epochs(10_000),
        seconds=10.0,
        measure=measure,
    )
    assert choice.candidate == LADDER[fits - 1]
    assert choice.seconds_per_step == costs[fits - 1]
    assert choice.steps == int(10.0 / costs[fits - 1])
    assert asked == LADDER[: fits + 1]  # nothing beyond the first that does not fit is measured


def test_when_nothing_fits_the_cheapest_is_chosen():
    measure, asked = fake(100.0, 200.0, 300.0, 400.0)
    choice = choose(
        iter(LADDER),
        num_pictures=10_000,
        batch_size=128,
        epochs=wanted_epochs(10_000),
        seconds=10.0,
        measure=measure,
    )
    assert choice.candidate == LADDER[0]
    assert choice.steps == 1
    assert asked == LADDER[:1]


def test_a_handful_of_pictures_is_no_reason_to_fail():
    measure, _ = fake(0.01, 0.01, 0.01, 0.01)
    choice = choose(
        iter(LADDER), num_pictures=3, batch_size=3, epochs=100.0, seconds=10.0, measure=measure
    )
    assert choice.candidate == LADDER[-1]


def test_a_larger_batch_sees_the_data_more_often_in_as_many_steps():
    few, many = (
        choose(
            iter(LADDER),
            num_pictures=5_000,
            batch_size=size,
            epochs=wanted_epochs(5_000),
            seconds=600.0,
            measure=fake(1, 1, 1, 1)[0],
        )
        for size in (32, 512)
    )
    assert few.candidate == LADDER[0]
    assert many.candidate == LADDER[-1]


def test_everything_that_was_timed_is_remembered_in_order():
    seconds = {"cnn-pico4": 0.1, "cnn-nano4": 0.2, "cnn-ti4": 0.8}
    options = iter([Candidate(name, 32) for name in seconds])

    choice = choose(
        options,
        num_pictures=1000,
        batch_size=100,
        epochs=20.0,
        seconds=40.0,
        measure=lambda candidate: seconds[candidate.model],
    )

    assert choice.candidate.model == "cnn-nano4"
    assert [(tried.candidate.model, tried.pictures_per_second) for tried in choice.tried] == [
        ("cnn-pico4", pytest.approx(1000)),
        ("cnn-nano4", pytest.approx(500)),
        ("cnn-ti4", pytest.approx(125)),
    ]
    assert [tried.epochs for tried in choice.tried] == [40, 20, 5]
