"""The tiny run with held-out pictures of its own: a temperature, and what it knows pictures by."""

import functools
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from saccade.data.sources import open_source
from saccade.jobs.trust import Trust, learn_trust
from saccade.run.contract import load_contract
from saccade.run.folder import RunFolder
from saccade.serving.load import load_engine
from tests import tiny


class World(NamedTuple):
    """A run, what it learned from, what was held out, others like these, and what is none."""

    run: Path
    source: Path
    held_out: Path
    more: Path
    others: Path
    trust: Trust


@functools.cache
def world() -> World:
    """Made once per session; change nothing in it."""
    _OPEN.append(tempfile.TemporaryDirectory(prefix="saccade-tests-"))
    base = Path(_OPEN[-1].name)
    made = tiny.world()
    shutil.copytree(made.run, base / "run")
    folder = RunFolder(base / "run")
    held_out = tiny.draw_folder(base / "held out", count=40, seed=5)
    engine = load_engine(folder.path, device="cpu")
    loaders = [engine.loader(open_source(of).splits["all"]) for of in (made.source, held_out)]
    trust = learn_trust(engine, *loaders)
    assert trust is not None
    trust.known.save(folder.known)
    replace(load_contract(folder.contract), temperature=trust.temperature).save(folder.contract)
    return World(
        run=folder.path,
        source=made.source,
        held_out=held_out,
        more=tiny.draw_folder(base / "more", count=20, seed=6),
        others=draw_others(base / "others", count=30),
        trust=trust,
    )


_OPEN: list[tempfile.TemporaryDirectory] = []  # kept until the session ends, then removed


def draw_others(folder: Path, *, count: int) -> Path:
    """Pictures in smooth greys, where the known ones are noise in a colour."""
    folder.mkdir()
    for number in range(count):
        row = np.linspace(number, 255 - number, 16).astype(np.uint8)
        Image.fromarray(np.tile(row, (16, 1))).save(folder / f"{number:03d}.png")
    return folder
