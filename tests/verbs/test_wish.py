"""The words of a call are checked before anything is done; a resume may only repeat them."""

from dataclasses import replace
from typing import Any

import pytest

from saccade.config.run import RunConfig
from saccade.errors import UsageError
from saccade.run.contract import Contract, DataRecord, Origin
from saccade.verbs.wish import DEFAULT_MODEL, Said, make_wish, require_same_wish
from tests import tiny


def said(**words: Any) -> Said:
    nothing: dict[str, Any] = dict.fromkeys(
        ("job", "model", "budget", "epochs", "steps", "seed", "init")
    ) | {"settings": {}, "new_head": False}
    return Said(**(nothing | words))


ORIGIN = Origin(
    source="hf://owner/name",
    library="timm",
    architecture="vit_tiny",
    sha256="0" * 64,
    has_new_head=True,
)


def run(origin: Origin | None = None) -> tuple[RunConfig, Contract]:
    config = tiny.config("rag-pico4", steps=40)
    nothing = DataRecord(
        source="",
        kind="",
        fingerprint="",
        splits={"train": 72},
        class_counts={},
        notes=[],
        ignored=[],
        bad={},
    )
    contract = Contract(
        saccade="0",
        versions={},
        job="classify",
        model_name="rag-pico4" if origin is None else "vit_tiny of timm",
        class_names=tiny.CLASSES,
        preprocess=tiny.preprocess(),
        data=nothing,
        num_parameters=1,
        seed=0,
        licence="mit",
        origin=origin,
    )
    if origin is not None:
        config = replace(config, model=tiny.foreign_config())
    return config, contract


def test_without_words_there_is_a_model_and_a_budget():
    wish = make_wish(said())
    assert wish.model == DEFAULT_MODEL
    assert wish.budget_seconds == 600
    assert (wish.seed, wish.settings) == (0, {})
    assert make_wish(said(steps=3)).budget_seconds is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"budget": "1m", "epochs": 2.0}, "--budget 1m and --epochs 2.0 were given"),
        ({"steps": 0}, "--steps is 0; it must be a number above 0"),
        ({"epochs": float("inf")}, "--epochs is inf"),
        ({"settings": {"steps": "3"}}, "--set steps cannot say how long to train; use --steps"),
        ({"settings": {"seed": "-1"}}, "seed is '-1'"),
        ({"budget": "soon"}, "not a duration"),
        ({"new_head": True}, "--new-head replaces the head of the weights that --init names"),
    ],
)
def test_words_that_do_not_fit_together_are_refused(words: dict[str, Any], message: str):
    with pytest.raises(UsageError, match=message):
        make_wish(said(**words))


@pytest.mark.parametrize(
    "words",
    [{}, {"model": "rag"}, {"model": "rag-pico4", "steps": 40}, {"epochs": 20.0}, {"seed": 0}],
)
def test_the_words_of_a_run_may_be_repeated(words: dict[str, Any]):
    require_same_wish(said(**words), *run())


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ({"model": "vit"}, "--model"),
        ({"steps": 41}, "--steps"),
        ({"epochs": 40.0}, "--epochs"),
        ({"budget": "1h"}, "--budget"),
        ({"seed": 1}, "--seed"),
        ({"settings": {"optim.lr": "9"}}, "--set"),
        ({"init": "weights"}, "--init"),
        ({"init": "weights", "new_head": True}, "--init, --new-head"),
    ],
)
def test_other_words_are_named_and_refused(words: dict[str, Any], option: str):
    with pytest.raises(UsageError, match=f"config.json, and {option} asks for others"):
        require_same_wish(said(**words), *run())


@pytest.mark.parametrize("words", [{"steps": 40}, {"epochs": 20.0}])
def test_of_a_run_with_a_budget_nobody_can_ask_for_steps(words: dict[str, Any]):
    config, contract = run()
    with pytest.raises(UsageError, match=f"--{next(iter(words))} asks for others"):
        require_same_wish(said(**words), replace(config, budget_seconds=600.0), contract)


def test_a_run_that_began_with_weights_knows_them_by_their_name():
    repeated = said(init=ORIGIN.source, new_head=True, model="vit")
    require_same_wish(repeated, *run(ORIGIN))
    for words, option in (
        ({"init": "hf://owner/other"}, "--init"),
        ({"model": "rag"}, "--model"),
        ({"model": "vit-s16"}, "--model"),
    ):
        with pytest.raises(UsageError, match=option):
            require_same_wish(said(**words), *run(ORIGIN))
