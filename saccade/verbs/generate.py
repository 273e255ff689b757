"""generate: a run -> new pictures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from saccade.errors import UsageError
from saccade.run.folder import refuse_taken
from saccade.serving.generate import Generator
from saccade.serving.load import load_engine
from saccade.serving.sheet import sheet
from saccade.tasks.flow.generate import Generate
from saccade.verbs.voice import Voice

MOST_ON_A_SHEET = 400


@dataclass(frozen=True, kw_only=True)
class GenerateResult:
    """What was drawn.

    Attributes:
        run: the run folder.
        out: the folder with the pictures.
        sheet: all of them (up to ``MOST_ON_A_SHEET``) as one picture.
        pictures: a file, relative to ``out``, and the class asked for (or None), for each.
        seed: of the noise.
    """

    run: str
    out: Path
    sheet: Path
    pictures: list[dict[str, str | None]]
    seed: int


def generate(
    run: str | Path,
    out: str | Path,
    *,
    count: int = 16,
    label: str | None = None,
    guidance: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    device: str | None = None,
    is_quiet: bool = False,
) -> GenerateResult:
    """Draws new pictures, as PNG files and as one sheet.

    Args:
        run: of a training with ``--job generate``.
        out: a folder to make; one that exists and is not empty is refused.
        count: how many.
        label: of which class; None: of all classes in turn.
        guidance: how much to exaggerate the class, 1 for not at all; None: as the run says.
        steps: of the sampler: more are finer and slower; None: as the run says.
        seed: another one gives other pictures.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such run, a run of another job, a class that it does not know, a number that
            makes no sense, or a folder in the way.
    """
    voice = Voice(is_quiet=is_quiet)
    folder = Path(out)
    refuse_taken(folder)
    engine = load_engine(run, device=device)
    if not isinstance(engine.task, Generate):
        raise UsageError(
            f"{run} was trained to {engine.job}; pictures are drawn by a run of `saccade train "
            "SOURCE --job generate`"
        )
    drawn = Generator(engine).sample(count, label=label, guidance=guidance, steps=steps, seed=seed)
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, str | None]] = []
    for k, (image, name) in enumerate(zip(drawn.images, drawn.labels, strict=True)):
        file = f"{k:05d}.png"
        _image(image.transpose(1, 2, 0)).save(folder / file)
        entries.append({"file": file, "label": name})
    shown = drawn.images[:MOST_ON_A_SHEET]
    _image(sheet(shown, columns=_columns(len(shown), engine.class_names, label))).save(
        folder / "sheet.png"
    )
    voice.say(f"{count:,} pictures in {folder}, all on one sheet in {folder / 'sheet.png'}")
    return GenerateResult(
        run=str(run), out=folder, sheet=folder / "sheet.png", pictures=entries, seed=seed
    )


def _columns(count: int, class_names: tuple[str, ...], label: str | None) -> int:
    """A column for each class where they come in turn; else about a square."""
    if label is None and 1 < len(class_names) <= 20 and count > len(class_names):
        return len(class_names)
    return int(np.ceil(np.sqrt(count)))


def _image(pixels: UInt8[np.ndarray, "H W C"]) -> Image.Image:
    flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
    return Image.fromarray(np.ascontiguousarray(flat))
