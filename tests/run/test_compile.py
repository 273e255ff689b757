"""A compiled backbone learns what the plain one does, under the same names."""

import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch

from saccade.errors import UsageError
from saccade.run.device import require_compiler
from saccade.run.learner import Learner
from tests import tiny


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")
def test_a_compiled_training_is_the_plain_one_to_rounding(tmp_path: Path) -> None:
    source = tiny.draw_folder(tmp_path / "pictures")
    runs = [tmp_path / "plain", tmp_path / "compiled"]
    for run, is_compiled in zip(runs, ("false", "true"), strict=True):
        # A process of its own: the checks of shapes that tests switch on cannot be compiled.
        command = tiny.train_command(source, run, model="vit-pico4", compile=is_compiled)
        done = tiny.run_command([*command, "--steps", "6"])
        assert done.returncode == 0, done.stderr

    plain, compiled = (safetensors.torch.load_file(run / "last.safetensors") for run in runs)
    assert compiled.keys() == plain.keys()
    for name, tensor in plain.items():
        torch.testing.assert_close(compiled[name], tensor, atol=2e-3, rtol=1e-3)


def test_without_a_compiler_it_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    config = tiny.config("vit-pico4", compile="true")
    with pytest.raises(UsageError, match=r"needs a C\+\+ compiler.*CXX"):
        Learner(tiny.task(config), config=config, device=torch.device("cpu"))


def test_on_a_gpu_triton_is_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs Triton"):
        require_compiler(torch.device("cuda"))
