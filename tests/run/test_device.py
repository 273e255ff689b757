"""A device is one that works here, and running on it changes nothing but the precision."""

import json
import os

import pytest
import torch

from saccade.errors import UsageError
from saccade.run.device import (
    Precision,
    autocast,
    choose_device,
    choose_precision,
    num_cores,
    place,
)
from saccade.run.environment import attention_path, describe, versions
from tests import tiny

CPU = torch.device("cpu")


def test_the_device_named_is_used_and_otherwise_there_is_one():
    assert choose_device("cpu") == CPU
    torch.empty(1, device=choose_device())


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "meta-physical"])
def test_a_device_that_is_not_here_is_refused_by_name(name: str):
    with pytest.raises(UsageError, match=f"device {name!r} cannot be used here"):
        choose_device(name)


def test_precision_is_one_of_the_two():
    assert choose_precision(CPU) in ("bf16", "fp32")


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)]
)
def test_autocast_multiplies_in_the_precision_asked_for(precision: Precision, dtype: torch.dtype):
    with autocast(CPU, precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_placing_a_task_changes_no_number():
    task, images = tiny.task(tiny.config("cnn-pico4")).eval(), torch.randint(256, (2, 3, 16, 16))
    before = task(images.to(torch.uint8)).logits
    after = place(task, CPU)(images.to(torch.uint8)).logits
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)


def test_environment_is_plain_data_with_versions():
    about = describe(CPU, precision="fp32", attention="fused")
    assert json.loads(json.dumps(about)) == about
    assert about["torch"] == versions()["torch"]
    assert about["device"] == "cpu"


@pytest.mark.parametrize(
    ("model", "paths"), [("cnn-pico4", {"none"}), ("rag-pico4", {"fused", "explicit"})]
)
def test_attention_path_is_named(model: str, paths: set[str]):
    config = tiny.config(model)
    found = attention_path(config.model, image_size=16, device=CPU, precision="bf16")
    assert found in paths


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch):
    assert 1 <= num_cores() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert num_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert num_cores() == 1


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two GPUs, as far as is asked here, and what was done with them."""
    done: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: done.append(f"set {number}"))
    monkeypatch.setattr(torch, "empty", lambda *_, device: done.append(f"use {device}"))
    return done


@pytest.mark.parametrize(
    ("name", "did"), [(None, []), ("cuda", ["use cuda:1"]), ("cuda:0", ["use cuda:1"])]
)
def test_each_process_of_torchrun_touches_the_gpu_of_its_number_alone(
    gpus: list[str], monkeypatch: pytest.MonkeyPatch, name: str | None, did: list[str]
):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device(name) == torch.device("cuda", 1)
    assert gpus == ["set 1", *did]


def test_alone_the_gpu_is_the_one_that_was_named(gpus: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device("cuda:0") == torch.device("cuda", 0)
    assert choose_device() == torch.device("cuda")
    assert gpus == ["use cuda:0"]


@pytest.mark.parametrize("name", [None, "cuda"])
def test_more_processes_than_gpus_are_refused(
    gpus: list[str], monkeypatch: pytest.MonkeyPatch, name: str | None
):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UsageError, match=r"process 3 .* there are 2; .*--nproc-per-node 2"):
        choose_device(name)
    assert gpus == []
