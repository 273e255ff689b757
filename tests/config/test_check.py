"""A number that no run could use is refused by name, with its range; no number is without one."""

import dataclasses
import math
import re
from types import NoneType
from typing import Any, get_args, get_type_hints

import pytest

from saccade.config.check import RANGES, Range, check
from saccade.config.run import RunConfig
from saccade.config.task import GenerateConfig, PretrainConfig, TaskConfig
from saccade.errors import UsageError
from tests import tiny

FAMILIES = ("vit", "rag", "attncnn", "cnn")

# Numbers that a range cannot describe, each with the reason.
ELSEWHERE = {
    "data.channels": "1 or 3, and not 2",
    "model.position_grid": "three numbers; LearnedPosition refuses a grid without cells",
    "teach.width": "what the teacher sees decides it",
    "budget_seconds": "--budget is read by parse_seconds, which has its own smallest value",
}

# Numbers that may not pass another one, which is moved out of their way.
MOVED = {
    "task.smallest_local": {"largest_local": 1.0},
    "task.largest_local": {"smallest_local": 0.01},
    "task.guidance_from": {"guidance_to": 1.0},
    "task.guidance_to": {"guidance_from": 0.0},
}


def numbers(config_type: type, prefix: str = "") -> dict[str, type]:
    """All numbers in a dataclass, in those inside it and in each of a union, with their types."""
    found: dict[str, type] = {}
    for name, kind in get_type_hints(config_type).items():
        for choice in set(get_args(kind) or (kind,)) - {NoneType}:
            if dataclasses.is_dataclass(choice):
                assert isinstance(choice, type)
                found |= numbers(choice, f"{prefix}{name}.")
            elif choice in (int, float):
                found[prefix + name] = choice
    return found


NUMBERS = numbers(RunConfig)
WHOLE = [name for name, kind in NUMBERS.items() if kind is int]
BOUNDED = [name for name, allowed in RANGES.items() if allowed.high is not None]


def configs_with(name: str, value: float) -> list[RunConfig]:
    """A config of each family and each job that has this number, with the number replaced."""
    families = [tiny.config(f"{family}-pico4") for family in FAMILIES]
    jobs = [dataclasses.replace(families[0], task=kind()) for kind in get_args(TaskConfig)]
    replaced = (with_number(config, name.split("."), NUMBERS[name](value)) for config in families)
    if name.startswith("task."):
        replaced = (with_number(config, name.split("."), NUMBERS[name](value)) for config in jobs)
    found = [config for config in replaced if config is not None]
    assert found
    moved = MOVED.get(name, {})
    return [
        dataclasses.replace(config, task=dataclasses.replace(config.task, **moved))
        for config in found
    ]


def with_number(part: Any, path: list[str], value: float) -> Any:
    """The part with one number replaced; None where it has no such number."""
    if not dataclasses.is_dataclass(part) or path[0] not in vars(part):
        return None
    if len(path) == 1:
        return dataclasses.replace(part, **{path[0]: value})
    inside = with_number(getattr(part, path[0]), path[1:], value)
    return None if inside is None else dataclasses.replace(part, **{path[0]: inside})


def beside(name: str, value: float, *, towards: float) -> float:
    """The next number of this type."""
    if name in WHOLE:
        return value + math.copysign(1, towards)
    return math.nextafter(value, towards)


def require_allowed(name: str, value: float) -> None:
    for config in configs_with(name, value):
        assert check(config) is config


def require_refused(name: str, value: float) -> None:
    says = f"{name} is {value:g}; expected {RANGES[name]}"
    for config in configs_with(name, value):
        with pytest.raises(UsageError, match=f"^{re.escape(says)}$"):
            check(config)


def test_numbers_of_a_config_are_all_found_by_the_walk() -> None:
    """Else the next test could pass by not looking."""
    found = {name: kind.__name__ for name, kind in NUMBERS.items()}

    assert {"seed": "int", "budget_seconds": "float", "optim.lr": "float"}.items() <= found.items()
    assert {"model.num_registers": "int", "model.num_attentions": "int"}.items() <= found.items()
    assert not {"job", "model.family", "model.has_class_token", "data.source"} & set(found)


def test_every_number_of_every_family_has_a_range_and_no_range_is_stale() -> None:
    assert set(NUMBERS) == set(RANGES) | set(ELSEWHERE)
    assert not set(RANGES) & set(ELSEWHERE)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_good_config_is_returned_as_it_is(family: str) -> None:
    config = tiny.config(f"{family}-pico4")

    assert check(config) is config


@pytest.mark.parametrize("name", RANGES)
def test_the_smallest_value_is_allowed_and_what_is_below_it_is_refused(name: str) -> None:
    low = RANGES[name].low
    require_allowed(name, low)
    require_refused(name, beside(name, low, towards=-math.inf))
    require_refused(name, low - 1)


@pytest.mark.parametrize("name", BOUNDED)
def test_the_largest_value_is_judged_as_the_range_says_and_what_is_above_is_refused(
    name: str,
) -> None:
    high = RANGES[name].high
    assert high is not None
    (require_allowed if RANGES[name].has_high else require_refused)(name, high)
    require_allowed(name, beside(name, high, towards=-math.inf))
    require_refused(name, beside(name, high, towards=math.inf))


@pytest.mark.parametrize("name", sorted(set(RANGES) - set(BOUNDED)))
def test_where_there_is_no_largest_value_a_million_is_allowed(name: str) -> None:
    require_allowed(name, 10**6)


@pytest.mark.parametrize("name", sorted(set(RANGES) - set(WHOLE)))
def test_what_is_not_a_number_is_in_no_range(name: str) -> None:
    require_refused(name, math.nan)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("data.batch_size", 0, "data.batch_size is 0; expected 1 or more"),
        ("seed", -1, "seed is -1; expected 0 or more"),
        ("optim.beta2", 1.0, "optim.beta2 is 1; expected 0 to below 1"),
        ("augment.rotate_degrees", 181.5, "augment.rotate_degrees is 181.5; expected 0 to 180"),
        ("model.drop_path", -0.1, "model.drop_path is -0.1; expected 0 to below 1"),
        ("model.num_attentions", -2, "model.num_attentions is -2; expected 0 or more"),
        ("data.channels", 2, "data.channels is 2; expected 1 (grey) or 3 (RGB)"),
    ],
)
def test_the_message_names_the_number_its_value_and_its_range(
    name: str, value: float, message: str
) -> None:
    for config in configs_with(name, value):
        with pytest.raises(UsageError) as caught:
            check(config)
        assert str(caught.value) == message
        assert caught.value.exit_code == 2


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_rgb_are_both_allowed(channels: int) -> None:
    require_allowed("data.channels", channels)


@pytest.mark.parametrize(
    ("allowed", "says", "inside", "outside"),
    [
        (Range(1), "1 or more", (1, 2, 1e9), (0, 0.999, -1)),
        (Range(0, 1), "0 to 1", (0, 0.5, 1), (-1e-9, 1.001)),
        (Range(0, 1, has_high=False), "0 to below 1", (0, 0.999), (1, 2, -0.1)),
        (Range(0.01), "0.01 or more", (0.01, 4.0), (0.0, 0.009)),
    ],
)
def test_a_range_says_what_it_holds(
    allowed: Range, says: str, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert str(allowed) == says
    assert all(allowed.holds(value) for value in inside)
    assert not any(allowed.holds(value) for value in outside)


@pytest.mark.parametrize("family", FAMILIES)
def test_blocks_can_be_computed_again_only_where_there_are_blocks(family: str) -> None:
    config = dataclasses.replace(tiny.config(f"{family}-pico4"), gradient_checkpointing=True)
    if family in ("vit", "rag"):
        assert check(config) is config
        return
    with pytest.raises(UsageError, match=f"gradient_checkpointing is on, and {family} has no"):
        check(config)


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (PretrainConfig(smallest_local=0.5, largest_local=0.3), "smallest_local is 0.5"),
        (PretrainConfig(num_global_views=1, num_local_views=0), "views of one picture"),
        (PretrainConfig(method="dino", num_global_views=1), "two or more global ones"),
        (PretrainConfig(method="mae", decoder_dim=65), "heads that divide the width"),
        (GenerateConfig(guidance_from=0.9, guidance_to=0.1), "guidance_from is 0.9"),
    ],
)
def test_numbers_that_do_not_go_together_are_refused(task: TaskConfig, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check(dataclasses.replace(tiny.config("vit-pico4"), task=task))


def test_numbers_that_a_method_does_not_use_are_not_compared() -> None:
    for task in (
        PretrainConfig(decoder_dim=65),
        PretrainConfig(method="mae", smallest_local=0.5, largest_local=0.3, num_global_views=1),
        PretrainConfig(method="dino", num_local_views=0),
    ):
        config = dataclasses.replace(tiny.config("vit-pico4"), task=task)
        assert check(config) is config


def test_pictures_are_blended_one_way_and_only_where_two_classes_can_be_learned() -> None:
    config = tiny.config("vit-pico4")
    both = dataclasses.replace(config.augment, mixup=0.5, cutmix=0.5)
    too_often = dataclasses.replace(config.augment, mixup=0.6, cutmix=0.5)

    allowed = dataclasses.replace(config, augment=both)
    assert check(allowed) is allowed
    with pytest.raises(UsageError, match="a sum of at most 1"):
        check(dataclasses.replace(config, augment=too_often))
    with pytest.raises(UsageError, match=r"classify and video, so expected 0 for detect"):
        check(dataclasses.replace(config, augment=both, job="detect"))
