"""Configs survive JSON, are overridden with the right types, and say what is wrong with them."""

import json
from dataclasses import replace

import pytest

from saccade.backbones.sizes import model_config
from saccade.config.json import from_json, override, parse_settings, to_json
from saccade.config.model import ModelConfig, VitConfig
from saccade.config.run import Preprocess, RunConfig
from saccade.errors import UsageError

FREEZE = ("backbone.embed.*", "backbone.blocks.0.*")


def through_text(config: object) -> dict[str, object]:
    return json.loads(json.dumps(to_json(config)))


def test_a_model_survives_json_as_its_own_family(model: ModelConfig) -> None:
    again = from_json(type(model), through_text(model))

    assert type(again) is type(model)
    assert again == model


@pytest.mark.parametrize("budget_seconds", [60.0, None])
def test_a_run_survives_json(
    run: RunConfig, model: ModelConfig, budget_seconds: float | None
) -> None:
    run = replace(run, model=model, budget_seconds=budget_seconds)

    again = from_json(RunConfig, through_text(run))

    assert again == run
    assert type(again.model) is type(run.model)


def test_tuples_survive_json_as_tuples() -> None:
    config = Preprocess(
        height=8, width=6, channels=3, fit="pad", mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0)
    )

    again = from_json(Preprocess, through_text(config))

    assert again == config
    assert hash(again) == hash(config)


def test_whole_numbers_in_json_become_floats_where_floats_belong(run: RunConfig) -> None:
    again = from_json(VitConfig, to_json(run.model) | {"mlp_ratio": 4})

    assert type(again.mlp_ratio) is float


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("optim.lr", "3e-4", 3e-4),
        ("optim.lr", "1", 1.0),
        ("steps", "200", 200),
        ("budget_seconds", "12.5", 12.5),
        ("model.has_class_token", "true", True),
        ("model.has_class_token", "false", False),
        ("model.has_class_token", "1", True),
        ("model.residual", "rezero", "rezero"),
        ("data.source", "123", "123"),
        ("model.position_grid", "1,8,8", (1, 8, 8)),
        ("model.position_grid", " 2, 16 ,4 ", (2, 16, 4)),
        ("optim.freeze", "backbone.embed.*,backbone.blocks.0.*", FREEZE),
        ("optim.freeze", "", ()),
    ],
)
def test_text_takes_the_type_of_its_setting(
    run: RunConfig, name: str, text: str, expected: object
) -> None:
    changed = to_json(override(run, {name: text}))
    value, before = changed, to_json(run)
    for part in name.split("."):
        value = value[part]

    assert value == expected
    assert type(value) is type(expected)
    *path, last = name.split(".")
    inside = changed
    for part in path:
        inside, before = inside[part], before[part]
    assert {k: v for k, v in inside.items() if k != last} == {
        k: v for k, v in before.items() if k != last
    }


def test_overriding_returns_another_config_and_leaves_the_first(run: RunConfig) -> None:
    changed = override(run, {"model.depth": "7", "seed": "3"})

    assert isinstance(changed.model, VitConfig)
    assert (changed.model.depth, changed.seed) == (7, 3)
    assert isinstance(run.model, VitConfig)
    assert (run.model.depth, run.seed) == (2, 0)
    assert override(run, {}) == run


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("optim.lrr", "optim.lr"),
        ("optim.weigth_decay", "optim.weight_decay"),
        ("model.dept", "model.depth"),
        ("otpim.lr", "optim.lr"),
        ("sed", "seed"),
        ("seed.x", "seed"),
        ("batch_size", "data.batch_size"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_nearest(
    run: RunConfig, name: str, offered: str
) -> None:
    with pytest.raises(UsageError, match=f"no setting {name}; did you mean '{offered}'"):
        override(run, {name: "1"})


@pytest.mark.parametrize("name", ["model", "optim", "", "."])
def test_a_whole_section_or_nothing_cannot_be_set(run: RunConfig, name: str) -> None:
    with pytest.raises(UsageError, match="no setting"):
        override(run, {name: "1"})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("steps", "many", "int"),
        ("steps", "1.5", "int"),
        ("optim.lr", "fast", "float"),
        ("model.has_class_token", "perhaps", "bool"),
        ("model.mlp_ratio", "", "float"),
    ],
)
def test_a_value_of_another_type_names_setting_value_and_type(
    run: RunConfig, name: str, text: str, expected: str
) -> None:
    with pytest.raises(UsageError, match=f"{name} is '{text}': expected {expected}"):
        override(run, {name: text})


@pytest.mark.parametrize(
    ("text", "expected"), [("1,8", "length 3"), ("1,8,8,8", "length 3"), ("1,8,wide", "int")]
)
def test_a_list_of_another_length_or_type_names_its_setting(
    run: RunConfig, text: str, expected: str
) -> None:
    with pytest.raises(UsageError, match=rf"model\.position_grid is \[.*: expected .*{expected}"):
        override(run, {"model.position_grid": text})


def test_a_value_that_is_no_choice_is_answered_with_the_choices(run: RunConfig) -> None:
    with pytest.raises(UsageError, match=r"model\.residual is 'rezro'.*rezero"):
        override(run, {"model.residual": "rezro"})


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_a_number_that_is_none_is_refused(run: RunConfig, text: str) -> None:
    """One of these in a learning rate would surface hours later, as a model of NaNs."""
    with pytest.raises(UsageError, match=rf"optim\.lr is '{text}'"):
        override(run, {"optim.lr": text})


# As config.json held it before models had the settings that have a default now.
FIRST_VIT = {
    "family": "vit",
    "embed_dim": 96,
    "depth": 4,
    "num_heads": 3,
    "mlp_ratio": 2.0,
    "patch_size": 4,
    "stem": "conv",
    "position": "sincos",
    "residual": "prenorm",
    "num_registers": 0,
    "has_class_token": False,
    "drop_path": 0.0,
    "attention": "auto",
}


def test_the_settings_that_came_later_may_be_missing(run: RunConfig) -> None:
    data = to_json(run) | {"model": FIRST_VIT}
    del data["gradient_checkpointing"], data["optim"]["freeze"]

    again = from_json(RunConfig, data)

    assert again == replace(run, model=model_config("vit-pico4"))


@pytest.mark.parametrize(("has_class_token", "pool"), [(True, "class"), (False, "mean")])
def test_a_first_model_with_a_class_token_is_still_read_by_it(
    run: RunConfig, has_class_token: bool, pool: str
) -> None:
    model = FIRST_VIT | {"has_class_token": has_class_token}

    again = from_json(RunConfig, to_json(run) | {"model": model})
    told = from_json(RunConfig, to_json(run) | {"model": model | {"pool": "mean"}})

    assert isinstance(again.model, VitConfig)
    assert isinstance(told.model, VitConfig)
    assert (again.model.pool, told.model.pool) == (pool, "mean")


def test_every_missing_key_is_listed_in_its_place(run: RunConfig) -> None:
    data = to_json(run)
    del data["optim"]["lr"], data["optim"]["beta1"]

    with pytest.raises(UsageError, match=r"lacks optim\.lr, optim\.beta1$"):
        from_json(RunConfig, data)


def test_an_unknown_key_deep_in_a_file_is_named_with_its_place(run: RunConfig) -> None:
    data = to_json(run)
    data["augment"]["flipp"] = 0.5

    with pytest.raises(UsageError, match=r"no setting augment\.flipp; did you mean 'flip'"):
        from_json(RunConfig, data)


@pytest.mark.parametrize("family", ["vitt", None, ["vit"]])
def test_an_unknown_family_is_answered_with_the_known(run: RunConfig, family: object) -> None:
    data = to_json(run)
    data["model"]["family"] = family

    with pytest.raises(UsageError, match="no family is called"):
        from_json(RunConfig, data)


@pytest.mark.parametrize("section", ["optim", "model"])
@pytest.mark.parametrize("value", [5, "vit", None, []])
def test_a_section_that_is_no_section_is_refused_by_name(
    run: RunConfig, section: str, value: object
) -> None:
    with pytest.raises(UsageError, match=section):
        from_json(RunConfig, to_json(run) | {section: value})


def test_assignments_are_taken_apart_at_the_first_equals_sign() -> None:
    given = ["optim.lr=3e-4", " data.source = a=b ", "seed="]

    assert parse_settings(given) == {"optim.lr": "3e-4", "data.source": "a=b", "seed": ""}
    assert parse_settings([]) == {}


def test_an_assignment_without_a_value_is_shown_how_to_write_it() -> None:
    with pytest.raises(UsageError, match=r"--set optim\.lr .*name=value"):
        parse_settings(["seed=1", "optim.lr"])
