"""What was saved comes back to the bit; what was damaged since is passed over, and named."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from saccade.errors import SaccadeError
from saccade.run import checkpoint
from saccade.run.checkpoint import KEEP, MANIFEST, STATE, TENSORS
from tests.tiny import same_bits


def tensors(seed: int = 0, *, size: int = 50) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(size, 3, generator=generator)
    return {
        "weight": x,
        "half": x.bfloat16(),
        "count": torch.tensor(seed, dtype=torch.int64),
        "scalar": torch.tensor(1 / 3),
        "transposed": torch.randn(4, 6, generator=generator).T,
        "kernel": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "odd": torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]),
        "nothing": torch.empty(0, 2),
    }


STATE_OF = {"step": 7, "progress": 0.1 + 0.2, "best": None, "sums": {"loss": 1e-17, "top1": 2 / 3}}


def save(folder: Path, step: int) -> None:
    checkpoint.save(folder, step=step, tensors=tensors(step), state={"step": step})


def latest_step(folder: Path) -> int:
    found = checkpoint.load_latest(folder)
    assert found is not None
    assert same_bits(
        {"weight": found.tensors["weight"]}, {"weight": tensors(found.state["step"])["weight"]}
    )
    return found.state["step"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_saved_comes_back_to_the_bit(tmp_path: Path):
    given = tensors()
    checkpoint.save(tmp_path, step=7, tensors=given, state=STATE_OF)
    found = checkpoint.load_latest(tmp_path)
    assert found is not None
    assert same_bits(found.tensors, given)
    assert found.state == STATE_OF
    assert found.damaged == ()


def test_where_nothing_was_saved_there_is_nothing_to_load(tmp_path: Path):
    assert checkpoint.load_latest(tmp_path) is None
    assert checkpoint.load_latest(tmp_path / "missing") is None


def test_newest_are_kept_and_found_by_number_not_by_spelling(tmp_path: Path):
    for step in (9, 10, 100):
        save(tmp_path, step)
    assert len(names(tmp_path)) == KEEP == 2
    assert [path.name for path in checkpoint.checkpoints(tmp_path)] == names(tmp_path)
    assert latest_step(tmp_path) == 100
    save(tmp_path, 123_456_789)  # more digits than the name has room for
    assert latest_step(tmp_path) == 123_456_789
    assert len(names(tmp_path)) == KEEP


def test_same_step_can_be_saved_again(tmp_path: Path):
    save(tmp_path, 5)
    save(tmp_path, 5)
    assert latest_step(tmp_path) == 5
    assert len(names(tmp_path)) == 1


def flip(path: Path, where: int) -> None:
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a flipped bit in the tensors": lambda c: flip(c / TENSORS, -5),
    "a flipped bit in the header": lambda c: flip(c / TENSORS, 20),
    "a flipped bit in the state": lambda c: flip(c / STATE, 3),
    "a flipped bit in a hash": lambda c: flip(c / MANIFEST, 40),
    "truncated tensors": lambda c: os.truncate(c / TENSORS, 100),
    "empty tensors": lambda c: os.truncate(c / TENSORS, 0),
    "empty manifest": lambda c: os.truncate(c / MANIFEST, 0),
    "a manifest of zeros": lambda c: (c / MANIFEST).write_bytes(bytes(200)),
    "no manifest": lambda c: (c / MANIFEST).unlink(),
    "no tensors": lambda c: (c / TENSORS).unlink(),
    "no files": lambda c: [path.unlink() for path in c.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_newest_one_is_passed_over_and_named(
    tmp_path: Path, damage: Callable[[Path], object]
):
    save(tmp_path, 10)
    save(tmp_path, 20)
    damage(tmp_path / "step-00000020")
    found = checkpoint.load_latest(tmp_path)
    assert found is not None
    assert found.state == {"step": 10}
    assert same_bits(found.tensors, tensors(10) | {"kernel": found.tensors["kernel"]})
    assert found.damaged == ("step-00000020",)


def test_every_single_byte_of_a_checkpoint_is_guarded(tmp_path: Path):
    checkpoint.save(tmp_path, step=1, tensors={"x": torch.arange(3.0)}, state={"step": 1})
    whole = tmp_path / "step-00000001"
    for file in (TENSORS, STATE):
        for where in range((whole / file).stat().st_size):
            flip(whole / file, where)
            with pytest.raises(SaccadeError):
                checkpoint.load_latest(tmp_path)
            flip(whole / file, where)
    assert checkpoint.load_latest(tmp_path) is not None


def test_when_all_are_damaged_that_is_said_with_their_names(tmp_path: Path):
    for step in (1, 2):
        save(tmp_path, step)
        flip(tmp_path / f"step-{step:08d}" / TENSORS, -1)
    with pytest.raises(SaccadeError, match=r"damaged.*step-00000002.*step-00000001") as caught:
        checkpoint.load_latest(tmp_path)
    assert caught.value.exit_code == 1


def test_leftovers_of_a_killed_process_are_swept_away(tmp_path: Path):
    save(tmp_path, 1)
    (tmp_path / ".step-00000002.tmp").mkdir()
    (tmp_path / ".step-00000002.tmp" / TENSORS).write_bytes(b"half")
    assert latest_step(tmp_path) == 1
    save(tmp_path, 2)
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_state_is_readable_json(tmp_path: Path):
    checkpoint.save(tmp_path, step=7, tensors={}, state=STATE_OF)
    assert json.loads((tmp_path / "step-00000007" / STATE).read_text()) == STATE_OF


def test_a_copy_that_a_person_made_beside_the_checkpoints_does_no_harm(tmp_path: Path):
    save(tmp_path, 1)
    stray = "step-00000001 (copy)"
    shutil.copytree(tmp_path / "step-00000001", tmp_path / stray)
    assert latest_step(tmp_path) == 1
    save(tmp_path, 2)
    save(tmp_path, 3)
    assert latest_step(tmp_path) == 3
    assert (tmp_path / stray).is_dir()
