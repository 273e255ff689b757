"""Clips: what a model of clips knows that the same frames without their order do not tell.

Moving digits: eight directions, and every clip visits the same places whatever its direction, so a
model that averages frames, or is given them out of order, is at chance (0.125). Words: ten words of
the MIRACL-VC1 lip crops, 15 speakers, each word ten times; split A tests the last two repetitions
of every speaker, split B three speakers who were never seen. The floors are those of the nearest
neighbour in pixels.
"""

import resource
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import saccade, save, shared_data, spread
from saccade.data.canvas.writing import Amounts, write_clips

DIGITS = Amounts(train=3200, val=320, test=800)
DIGIT_STEPS, WORD_STEPS = 1500, 3000
UNSEEN = ("F10", "F11", "M08")
LAST = ("09", "10")
FLOORS = {"moving digits": 0.125, "words, seen speakers": 0.890, "words, unseen speakers": 0.520}
FIGURES = ("top1", "frame_average_top1", "shuffled_top1")

WORD_SETTINGS = {
    "data.image_size": "32",  # the crops are 250 pixels wide; lips need no more
    "data.val_fraction": "0.05",
    "task.short_clips": "repeat",  # 4 to 22 frames
    "task.spares": "2",
    "task.input": "changes",  # less the mean of the clip: what is left is not who speaks
}


def run(seeds: Sequence[int]) -> None:
    """Trains with the command line on each world and seed."""
    with tempfile.TemporaryDirectory() as folder, unpacked_words() as words:
        rows = [train(name, seed, words, Path(folder)) for seed in seeds for name in FLOORS]
    report(rows)


def train(name: str, seed: int, words: Path, folder: Path) -> dict[str, Any]:
    """Trains on one world with the command line, and says what it came to.

    Args:
        name: one of ``FLOORS``.
        seed: of the clips that are drawn, and of the training.
        words: the clips of words.
        folder: for what is made on the way.
    """
    source, steps, settings = folder / "clips", WORD_STEPS, WORD_SETTINGS
    if name == "moving digits":
        steps, settings = DIGIT_STEPS, {}
        write_clips(source, DIGITS, seed=seed)
    elif name == "words, seen speakers":
        divided(words, source, is_tested=by_repetition)
    else:
        divided(words, source, is_tested=by_speaker)

    before = _processor_seconds()
    document, seconds = saccade(
        "train",
        str(source),
        f"--out={folder / 'run'}",
        "--job=video",
        "--model=vit-pico8",
        f"--steps={steps}",
        f"--seed={seed}",
        *(f"--set={key}={value}" for key, value in settings.items()),
    )
    row = {
        "world": name,
        "seed": seed,
        "n": document["n"],
        **{key: round(document["metrics"][key], 4) for key in FIGURES},
        "floor": FLOORS[name],
        "steps": steps,
        "seconds": round(seconds, 1),
        "processor_seconds": round(_processor_seconds() - before, 1),
    }
    for made in (source, folder / "run"):
        shutil.rmtree(made)
    return row


def report(rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes the results of all worlds and seeds."""
    summary = {
        name: {key: spread([row[key] for row in rows if row["world"] == name]) for key in FIGURES}
        for name in FLOORS
    }
    save("video", command="python -m benchmarks video", rows=rows, summary=summary, floors=FLOORS)


def by_repetition(clip: str) -> bool:
    """Split A: ``F01_09`` is tested."""
    return clip.partition("_")[2] in LAST


def by_speaker(clip: str) -> bool:
    """Split B: ``F10_01`` is tested."""
    return clip.partition("_")[0] in UNSEEN


def divided(words: Path, folder: Path, *, is_tested: Callable[[str], bool]) -> Path:
    """Links to the clips, in ``train`` and ``test``, and who speaks where that must not mix."""
    for clip in sorted(words.glob("*/*")):
        part = folder / ("test" if is_tested(clip.name) else "train") / clip.parent.name
        part.mkdir(parents=True, exist_ok=True)
        (part / clip.name).symlink_to(clip)
    if is_tested is by_speaker:
        speakers = sorted({clip.name.partition("_")[0] for clip in words.glob("*/*")})
        lines = [f"*/{speaker}_*,{speaker}" for speaker in speakers]
        (folder / "groups.csv").write_text("\n".join(["clip,group", *lines]) + "\n")
    return folder


@contextmanager
def unpacked_words() -> Iterator[Path]:
    """The word clips, unpacked for a while."""
    archive = shared_data("miracl_vc1_words") / "miracl_words.tar.xz"
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(archive, "r:xz") as file:
            file.extractall(folder, filter="data")
        yield Path(folder) / "words"


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
