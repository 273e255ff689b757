"""A run that was killed, at any moment, and resumed is bitwise the run that never stopped.

Real processes of the real command line, killed with real signals. One thread each, since sums
depend on how they are split over threads, and the precision is pinned, since it is measured.
"""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch

import saccade
from saccade.errors import DataError
from saccade.run.checkpoint import checkpoints, load_latest
from tests import tiny

TIMES = {"seconds", "images_per_second", "step_seconds", "data_wait", "memory_gib", "mfu"}
"""What may differ in the log: fields that carry time, or what the process has used."""

RAG = {"model": "rag-pico4", "model__drop_path": "0.2"}
VIT = {"model": "vit-pico4", "model__drop_path": "0.2", "precision": "bf16"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.draw_folder(tmp_path_factory.mktemp("resume") / "pictures")


@pytest.fixture(scope="module")
def rag(source: Path) -> Path:
    """A run that never stopped."""
    return finished(source, source.parent / "rag", RAG)


@pytest.fixture(scope="module")
def vit(source: Path) -> Path:
    """Another, of another family, with random drop-path and in bf16."""
    return finished(source, source.parent / "vit", VIT)


def finished(source: Path, out: Path, settings: dict[str, str]) -> Path:
    named = tiny.SETTINGS | {name.replace("__", "."): text for name, text in settings.items()}
    model = named.pop("model")
    saccade.train(source, out, model=model, steps=40, settings=named, device="cpu", is_quiet=True)
    return out


def resumed(source: Path, out: Path) -> Path:
    done = tiny.run_command(
        tiny.command("train", source, "--out", out, "--resume", "--device", "cpu")
    )
    assert done.returncode == 0, done.stderr
    return out


def stop(
    arguments: list[str], number: int, when: Callable[[], bool]
) -> subprocess.CompletedProcess[str]:
    """Starts a command and sends it a signal as soon as ``when`` is true."""
    child = subprocess.Popen(
        arguments,
        env=tiny.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 100
    try:
        while child.poll() is None and not when():
            assert time.monotonic() < deadline, "the moment to stop never came"
            time.sleep(0.002)
        child.send_signal(number)
        out, err = child.communicate(timeout=100)
    finally:
        child.kill()
    return subprocess.CompletedProcess(arguments, child.returncode, out, err)


def log(run: Path) -> list[dict[str, Any]]:
    lines = (run / "log.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def is_logged(run: Path, step: int) -> Callable[[], bool]:
    def look() -> bool:
        return (run / "log.jsonl").exists() and any(r.get("step", 0) >= step for r in log(run))

    return look


def is_saved(run: Path, step: int) -> Callable[[], bool]:
    return lambda: any(int(path.name[5:]) >= step for path in run.glob("checkpoints/step-*"))


def is_being_saved(run: Path, step: int) -> Callable[[], bool]:
    return lambda: (
        any(int(path.name[6:-4]) >= step for path in run.glob("checkpoints/.step-*.tmp"))
        or is_saved(run, step)()
    )


def without_times(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in TIMES}


def require_equal(run: Path, whole: Path) -> None:
    for name in ("weights.safetensors", "last.safetensors"):
        assert tiny.same_bits(
            safetensors.torch.load_file(run / name), safetensors.torch.load_file(whole / name)
        ), name
    found, expected = (load_latest(path / "checkpoints") for path in (run, whole))
    assert found is not None
    assert expected is not None
    assert found.damaged == ()
    assert {name.partition("/")[0] for name in found.tensors} == {"task", "average", "optimizer"}
    assert tiny.same_bits(found.tensors, expected.tensors)
    kept = TIMES | {"log_bytes"}
    assert {k: v for k, v in found.state.items() if k not in kept} == {
        k: v for k, v in expected.state.items() if k not in kept
    }
    assert [without_times(r) for r in log(run)] == [without_times(r) for r in log(whole)]
    for split in ("val", "test"):
        name = f"evaluation/{split}.json"
        assert json.loads((run / name).read_text()) == json.loads((whole / name).read_text())


@pytest.mark.slow
def test_killed_again_and_again_and_resumed_is_the_run_that_never_stopped(source: Path, rag: Path):
    out = source.parent / "rag-killed"
    moments = [is_logged(out, 5), is_saved(out, 14), is_being_saved(out, 28)]
    arguments = tiny.train_command(source, out, **RAG)
    for moment in moments:
        killed = stop(arguments, signal.SIGKILL, moment)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not (out / "last.safetensors").exists()
        arguments = tiny.command("train", source, "--out", out, "--resume", "--device", "cpu")
    require_equal(resumed(source, out), rag)
    assert [path.name for path in checkpoints(out / "checkpoints")][-1] == "step-00000040"
    assert not list(out.rglob(".*"))


@pytest.mark.slow
def test_a_transformer_with_drop_path_in_bf16_resumes_to_the_bit_too(source: Path, vit: Path):
    out = source.parent / "vit-killed"
    killed = stop(tiny.train_command(source, out, **VIT), signal.SIGKILL, is_logged(out, 20))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    saccade.train(source, out, resume=True, device="cpu", is_quiet=True)
    require_equal(out, vit)


@pytest.mark.slow
def test_killed_between_parts_of_a_step_or_while_it_is_judged_it_resumes_to_the_bit(source: Path):
    settings = VIT | {"data__micro_batch": "5", "evaluate_every": "1", "steps": "12"}
    whole, out = source.parent / "parts", source.parent / "parts-killed"
    done = tiny.run_command(tiny.train_command(source, whole, **settings))
    assert done.returncode == 0, done.stderr
    arguments = tiny.train_command(source, out, **settings)
    for step in (2, 5, 9):  # most of the time goes into judging, the rest into parts of steps
        killed = stop(arguments, signal.SIGKILL, is_logged(out, step))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        arguments = tiny.command("train", source, "--out", out, "--resume", "--device", "cpu")
    require_equal(resumed(source, out), whole)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_the_step_it_came_at_and_resume_completes_equal(
    source: Path, rag: Path, number: int, code: int
):
    out = source.parent / f"rag-{code}"
    arguments = [*tiny.train_command(source, out, **RAG), "--json"]
    stopped = stop(arguments, number, is_logged(out, 10))
    assert stopped.returncode == code, stopped.stderr
    document = json.loads(stopped.stdout)
    assert document["exit_code"] == code
    assert "--resume" in document["error"]
    assert "--resume" in stopped.stderr
    assert "Traceback" not in stopped.stderr

    newest = load_latest(out / "checkpoints")
    assert newest is not None
    step = newest.state["step"]
    assert 10 <= step < 40
    assert f"stopped at step {step}" in document["error"]
    saccade.train(source, out, resume=True, device="cpu", is_quiet=True)
    require_equal(out, rag)


@pytest.mark.slow
def test_number_of_decoding_threads_and_the_cache_change_nothing(source: Path, rag: Path):
    threads = {**RAG, "data.num_threads": "3", "data.cache_gib": "0"}
    require_equal(finished(source, source.parent / "rag-threads", threads), rag)


def test_resuming_a_finished_run_trains_no_further(source: Path, rag: Path, tmp_path: Path):
    out = tmp_path / "run"
    shutil.copytree(rag, out)
    (out / "report.html").unlink()
    before = (out / "log.jsonl").read_bytes()
    result = saccade.train(source, out, resume=True, device="cpu", is_quiet=True)
    assert result.steps == 40
    assert (out / "report.html").is_file()
    assert (out / "log.jsonl").read_bytes() == before
    for name in ("weights.safetensors", "config.json", "contract.json"):
        assert (out / name).read_bytes() == (rag / name).read_bytes()
    require_equal(out, rag)


@pytest.mark.parametrize("change", ["added", "removed", "renamed", "replaced", "moved"])
def test_resume_on_changed_data_is_refused_and_the_run_is_untouched(
    source: Path, rag: Path, tmp_path: Path, change: str
):
    changed, out = tmp_path / "pictures", tmp_path / "run"
    shutil.copytree(source, changed)
    shutil.copytree(rag, out)
    first = changed / "apple" / "000.png"
    match change:
        case "added":
            shutil.copy(first, changed / "apple" / "new.png")
        case "removed":
            first.unlink()
        case "renamed":
            first.rename(changed / "apple" / "new.png")
        case "replaced":
            first.write_bytes(first.read_bytes() + b"more")
        case "moved":
            first.rename(changed / "leaf" / "new.png")
    before = tiny.tree(out)
    with pytest.raises(DataError, match="not the data this run was started on"):
        saccade.train(changed, out, resume=True, device="cpu", is_quiet=True)
    assert tiny.tree(out) == before


def test_resume_on_other_classes_is_refused_with_both_lists(rag: Path, tmp_path: Path):
    other = tiny.draw_folder(tmp_path / "pictures", classes=("apple", "leaf", "sea"), count=4)
    with pytest.raises(DataError, match=r"only the model has: sky\n.*only the data has:  sea"):
        saccade.train(other, rag, resume=True, device="cpu", is_quiet=True)


def test_the_same_data_at_another_place_may_be_resumed(source: Path, rag: Path, tmp_path: Path):
    shutil.copytree(source, tmp_path / "elsewhere")
    shutil.copytree(rag, tmp_path / "run")
    result = saccade.train(
        tmp_path / "elsewhere", tmp_path / "run", resume=True, device="cpu", is_quiet=True
    )
    assert result.steps == 40
