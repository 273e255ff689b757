"""translate: a run and pictures -> other pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saccade.data.sources import Paths, open_pictures
from saccade.errors import UsageError
from saccade.run.folder import refuse_taken
from saccade.serving.load import load_engine
from saccade.serving.sheet import sheet
from saccade.serving.translate import Pixels, Translation, Translator, resized
from saccade.tasks.flow.sampling import JUDGING_SEED
from saccade.tasks.flow.translate import Translate
from saccade.verbs.readable import require_any_readable
from saccade.verbs.voice import Voice

MOST_ON_A_SHEET = 64


@dataclass(frozen=True, kw_only=True)
class TranslateResult:
    """What was translated.

    Attributes:
        run: the run folder.
        out: the folder with the pictures.
        sheet: the first ``MOST_ON_A_SHEET`` in the model's size: given, the answer, the baseline's.
        pictures: for each input ``path``, ``file`` (relative to ``out``), ``regression`` (the
            baseline's file) and ``error``, in input order.
        num_errors: inputs that could not be read.
        seed: of the noise.
    """

    run: str
    out: Path
    sheet: Path
    pictures: list[dict[str, str | None]]
    num_errors: int
    seed: int


def translate(
    run: str | Path,
    inputs: Paths,
    out: str | Path,
    *,
    steps: int | None = None,
    seed: int = JUDGING_SEED,
    device: str | None = None,
    is_quiet: bool = False,
) -> TranslateResult:
    """Turns pictures into others of their own size, as PNG files in input order, and a sheet.

    Args:
        run: of a training with ``--job translate``.
        inputs: pictures or folders, as the model is to be given them: noisy ones to be denoised,
            small ones to be enlarged; their colours are taken away where it is to give others.
        out: a folder to make; one that exists and is not empty is refused. ``regression/`` in it
            holds what the one-step baseline makes of the same pictures.
        steps: of the sampler; None: as the run says.
        seed: another one gives other answers.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such run or input, a run of another job, or a folder in the way.
        DataError: none of the pictures can be read.
    """
    voice = Voice(is_quiet=is_quiet)
    folder = Path(out)
    refuse_taken(folder)
    engine = load_engine(run, device=device)
    if not isinstance(engine.task, Translate):
        raise UsageError(
            f"{run} was trained to {engine.job}; pictures are translated by a run of `saccade "
            "train SOURCE --job translate`"
        )
    samples = open_pictures(inputs)
    report = voice.counting("translated")
    entries: list[dict[str, str | None]] = []
    strips: list[UInt8[np.ndarray, "3 3 H W"]] = []
    for number, answer in enumerate(Translator(engine).stream(samples, steps=steps, seed=seed)):
        entry = {"path": answer.path, "file": None, "regression": None, "error": answer.error}
        if answer.picture is not None and answer.regression is not None:
            name = f"{number:05d}-{Path(answer.path).stem[:60]}.png"  # names end at 255 bytes
            entry |= {"file": name, "regression": f"regression/{name}"}
            (folder / "regression").mkdir(parents=True, exist_ok=True)
            _save(answer.picture, folder / name)
            _save(answer.regression, folder / "regression" / name)
            if len(strips) < MOST_ON_A_SHEET:
                strips.append(_strip(answer))
        entries.append(entry)
        report(number + 1, len(samples))
    num_errors = sum(entry["error"] is not None for entry in entries)
    require_any_readable(
        num_errors, len(entries), noun="picture", why=f"the first: {entries[0]['error']}"
    )
    paper = folder / "sheet.png"
    _save(sheet(np.concatenate(strips), columns=3 * int(np.ceil(np.sqrt(len(strips) / 3)))), paper)
    voice.say(
        f"{len(entries) - num_errors:,} pictures in {folder}; {paper} shows what was given, the "
        "answer and the one-step baseline's, side by side"
    )
    return TranslateResult(
        run=str(run), out=folder, sheet=paper, pictures=entries, num_errors=num_errors, seed=seed
    )


def _strip(answer: Translation) -> UInt8[np.ndarray, "3 3 H W"]:
    """Given, answer and baseline, in colour and as large as the model was shown."""
    assert answer.given is not None
    assert answer.picture is not None
    assert answer.regression is not None
    height, width = answer.given.shape[:2]
    parts = (answer.given, answer.picture, answer.regression)
    shown = [resized(part, height, width) for part in parts]
    return np.stack([np.broadcast_to(each, (height, width, 3)) for each in shown]).transpose(
        0, 3, 1, 2
    )


def _save(image: Pixels, path: Path) -> None:
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(path)
