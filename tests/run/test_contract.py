"""The contract comes back as it was written; other classes are refused with both lists."""

import dataclasses
import json
from pathlib import Path

import pytest

from saccade.errors import DataError, UsageError
from saccade.run.contract import Contract, DataRecord, Origin, load_contract, require_same_classes
from tests import tiny

CONTRACT = Contract(
    saccade="0.1.0",
    versions={"python": "3.11.7", "torch": "2.6"},
    job="classify",
    model_name="rag-pico4",
    class_names=("Äpfel", "10", "9"),
    preprocess=tiny.preprocess(),
    data=DataRecord(
        source="pictures",
        kind="class folder",
        fingerprint="ab" * 32,
        splits={"train": 3, "val": 1},
        class_counts={"train": [1, 1, 1]},
        notes=["a note"],
        ignored=[("x.txt", "not a picture")],
        bad={"y.png": "truncated"},
    ),
    num_parameters=12,
    seed=3,
    licence="not stated",
    figures={"val": {"top1": 1 / 3}},
)


def test_round_trip(tmp_path: Path):
    CONTRACT.save(tmp_path / "contract.json")
    assert load_contract(tmp_path / "contract.json") == CONTRACT


def test_weights_that_training_began_with_are_remembered(tmp_path: Path):
    origin = Origin(
        source="hf://owner/name",
        library="timm",
        architecture="vit_small_patch16_224",
        sha256="cd" * 32,
        has_new_head=True,
    )
    tuned = dataclasses.replace(CONTRACT, origin=origin)
    tuned.save(tmp_path / "contract.json")
    assert load_contract(tmp_path / "contract.json") == tuned


def test_a_contract_from_before_there_were_such_weights_is_read(tmp_path: Path):
    old = CONTRACT.to_json()
    del old["origin"]
    (tmp_path / "contract.json").write_text(json.dumps(old))
    assert load_contract(tmp_path / "contract.json") == CONTRACT


def test_header_holds_the_same_as_the_file(tmp_path: Path):
    CONTRACT.save(tmp_path / "contract.json")
    assert json.loads(CONTRACT.header()["contract"]) == json.loads(
        (tmp_path / "contract.json").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("broken", [{}, {"class_names": 3}, {"preprocess": {"height": "tall"}}])
def test_what_is_not_a_contract_is_refused_by_name(tmp_path: Path, broken: dict):
    CONTRACT.save(tmp_path / "contract.json")
    data = json.loads((tmp_path / "contract.json").read_text(encoding="utf-8"))
    (tmp_path / "contract.json").write_text(json.dumps({**data, **broken} if broken else {}))
    with pytest.raises(UsageError, match=r"contract\.json is not a contract"):
        load_contract(tmp_path / "contract.json")


def test_order_of_classes_does_not_matter():
    require_same_classes(["a", "b", "c"], ["c", "a", "b"], source="pictures")


def test_other_classes_are_refused_with_both_lists_and_the_difference():
    with pytest.raises(DataError) as caught:
        require_same_classes(["cat", "dog", "owl"], ["dog", "cat", "fox"], source="pets/")
    text = str(caught.value)
    assert "pets/" in text
    assert "cat, dog, owl" in text
    assert "dog, cat, fox" in text
    assert "only the model has: owl" in text
    assert "only the data has:  fox" in text


@pytest.mark.parametrize(("trained", "given"), [("abc", "ab"), ("ab", "abc")])
def test_a_class_too_few_or_too_many_is_refused(trained: str, given: str):
    with pytest.raises(DataError, match="only the"):
        require_same_classes(list(trained), list(given), source="x")


def test_the_advice_is_the_callers():
    with pytest.raises(DataError, match=r"ask somebody$"):
        require_same_classes(["a"], ["b"], source="x", advice="ask somebody")


def test_long_lists_are_cut_but_counted():
    with pytest.raises(DataError, match=r"\(1000 in all\)"):
        require_same_classes([str(k) for k in range(1000)], ["x"], source="many")


def test_contract_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CONTRACT.seed = 4  # pyrefly: ignore[read-only]
