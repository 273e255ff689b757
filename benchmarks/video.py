"""Clips: what a model of clips knows that the same frames without their order do not tell.

Moving digits: eight directions, and every clip visits the same places whatever its direction, so a
model that averages frames, or is given them out of order, is at chance (0.125). Words: ten words of
the MIRACL-VC1 lip crops, 15 speakers, each word ten times; split A tests the last two repetitions
of every speaker, split B three speakers who were never seen. The floors are those of the nearest
neighbour in pixels.

    python -m benchmarks video                        trains what is missing, see --help
    python -m benchmarks video --collect              what there is to results/video.json
"""

import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import saccade
from benchmarks.ledger import Training, cpu_seconds, run_cases
from saccade.data.canvas.writing import Amounts, write_clips

DIGITS = Amounts(train=3200, val=320, test=800)
DIGIT_STEPS, WORD_STEPS = 1250, 1000
UNSEEN = ("F10", "F11", "M08")
LAST = ("09", "10")
MODEL = "vit-pico8"
FIGURES = ("top1", "frame_average_top1", "shuffled_top1")

DIGIT_SETTINGS = {
    "data.batch_size": "32",
    "task.input": "changes",  # less the mean of the clip: the texture behind stands still
}
WORD_SETTINGS = {
    "data.image_size": "32",  # the crops are 250 pixels wide; lips need no more
    "data.val_fraction": "0.05",
    "task.short_clips": "repeat",  # 4 to 22 frames
    "task.spares": "2",
    "optim.name": "muon",
    "optim.weight_decay": "0.2",
    "model.drop_path": "0.2",
    # The crops are of lips already, all alike: what moves them about takes more than it gives.
    "augment.flip": "0",
    "augment.translate": "0.04",
    "augment.zoom": "0.05",
    "augment.rotate_degrees": "0",
    "augment.shear": "0",
    "augment.colour": "0.1",
    "augment.erase": "0",
}
SEEN_SETTINGS = WORD_SETTINGS | {"task.input": "frames"}  # how this mouth is held tells much
UNSEEN_SETTINGS = WORD_SETTINGS | {
    "task.input": "changes",  # less the mean of the clip: what is left is not who speaks
    "augment.mixup": "0.3",
    "augment.cutmix": "0.3",
}

CASES: dict[str, dict[str, Any]] = {
    "moving digits": {"floor": 0.125, "steps": DIGIT_STEPS, "settings": DIGIT_SETTINGS},
    "words, seen speakers": {"floor": 0.890, "steps": WORD_STEPS, "settings": SEEN_SETTINGS},
    "words, unseen speakers": {"floor": 0.520, "steps": WORD_STEPS, "settings": UNSEEN_SETTINGS},
}
"""The floor is chance where a model has to see motion, and nearest neighbours in pixels."""


def main(arguments: Sequence[str]) -> None:
    """Trains what is not there yet, or collects."""
    run_cases(arguments, benchmark="video", cases=CASES, train=train_case)


def train_case(training: Training) -> dict[str, Any]:
    """Trains with the command line on one world, says what it came to, and leaves the run."""
    case = CASES[training.case]
    run = training.work / f"{training.case.replace(', ', '-').replace(' ', '-')}-{training.seed}"
    with tempfile.TemporaryDirectory() as place:
        source = _source(training, Path(place))
        before = cpu_seconds()
        document, seconds = saccade(
            "train",
            str(source),
            f"--out={run}",
            "--job=video",
            f"--model={MODEL}",
            f"--steps={case['steps']}",
            f"--seed={training.seed}",
            *(f"--set={key}={value}" for key, value in case["settings"].items()),
        )
    return {
        "n": document["n"],
        **{key: document["metrics"][key] for key in FIGURES},
        "floor": case["floor"],
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds() - before, 1),
    }


def _source(training: Training, folder: Path) -> Path:
    source = folder / "clips"
    if training.case == "moving digits":
        write_clips(source, DIGITS, seed=training.seed)
        return source
    archive = training.shared / "miracl_vc1_words" / "miracl_words.tar.xz"
    with tarfile.open(archive, "r:xz") as file:
        file.extractall(folder, filter="data")
    is_tested = by_repetition if training.case == "words, seen speakers" else by_speaker
    return divided(folder / "words", source, is_tested=is_tested)


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
