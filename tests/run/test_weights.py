"""Weights fit exactly or are refused with both sides, and the file says itself what it is."""

import errno
import json
import os
from pathlib import Path

import pytest
import safetensors
import torch
from torch import nn

from saccade.errors import SaccadeError, UsageError
from saccade.run.device import place
from saccade.run.weights import load_weights, save_weights
from tests import tiny


@pytest.mark.parametrize("model", ["rag-pico4", "cnn-pico4"])
def test_round_trip_is_exact(tmp_path: Path, model: str):
    task = tiny.task(tiny.config(model))
    other = tiny.task(tiny.config(model, seed="1"))
    place(task, torch.device("cpu"))
    assert not tiny.same_bits(task.state_dict(), other.state_dict())
    save_weights(tmp_path / "w.safetensors", task, header={})
    load_weights(tmp_path / "w.safetensors", other)
    assert tiny.same_bits(task.state_dict(), other.state_dict())


def test_header_carries_the_contract(tmp_path: Path):
    header = {"contract": json.dumps({"class_names": ["Äpfel", "梨"]}, ensure_ascii=False)}
    save_weights(tmp_path / "w.safetensors", nn.Linear(2, 3), header=header)
    with safetensors.safe_open(tmp_path / "w.safetensors", framework="pt") as file:
        assert file.metadata() == header


def test_the_same_weights_make_the_same_bytes(tmp_path: Path):
    layer = nn.Linear(2, 3)
    for name in ("a", "b"):
        save_weights(tmp_path / name, layer, header={"contract": "x"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_of_another_model_are_refused_with_both_sides(tmp_path: Path):
    save_weights(
        tmp_path / "w", nn.ModuleDict({"a": nn.Linear(2, 3), "b": nn.Linear(1, 1)}), header={}
    )
    model = nn.ModuleDict({"a": nn.Linear(2, 4), "c": nn.Linear(5, 6)})
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(UsageError, match="does not fit") as caught:
        load_weights(tmp_path / "w", model)
    lines = str(caught.value).splitlines()
    assert "  - c.weight [6, 5]" in lines
    assert "  + b.weight [1, 1]" in lines
    assert "  ~ a.weight: model [4, 2], file [3, 2]" in lines
    assert tiny.same_bits(model.state_dict(), before)


@pytest.mark.parametrize("num_bytes", [0, 5, 100, -1])
def test_a_damaged_file_is_named_with_its_size(tmp_path: Path, num_bytes: int):
    path = tmp_path / "w.safetensors"
    save_weights(path, nn.Linear(20, 3), header={})
    os.truncate(path, num_bytes if num_bytes >= 0 else path.stat().st_size - 1)
    with pytest.raises(UsageError, match=rf"w\.safetensors.*{path.stat().st_size}.*damaged"):
        load_weights(path, nn.Linear(20, 3))


def test_missing_weights_are_said_to_be_missing(tmp_path: Path):
    with pytest.raises(UsageError, match="there are no weights at"):
        load_weights(tmp_path / "w.safetensors", nn.Linear(2, 3))


def test_a_full_disk_keeps_the_old_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, layer = tmp_path / "w.safetensors", nn.Linear(2, 3)
    save_weights(path, layer, header={})
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SaccadeError, match=r"could not write .*No space left") as caught:
        save_weights(path, nn.Linear(2, 3), header={})
    assert caught.value.exit_code == 1
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["w.safetensors"]
