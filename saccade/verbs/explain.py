"""explain: a model and pictures -> overlays of what it looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from saccade.attribution.methods import parse_method
from saccade.data.samples import count
from saccade.data.sources import Paths
from saccade.jobs.find import find_job
from saccade.reporting.overlay import strip
from saccade.run.folder import refuse_taken
from saccade.serving.explanation import Explanation
from saccade.serving.load import load_engine
from saccade.verbs.readable import require_any_readable
from saccade.verbs.voice import Voice


@dataclass(frozen=True, kw_only=True)
class ExplainResult:
    """What was explained.

    Attributes:
        run: the run folder, or the weights, as they were named.
        out: the folder with the overlays.
        pictures: one entry per picture: path, prediction, the class explained, and the overlay of
            each method, relative to ``out``.
        unreadable: pictures that were left out because they cannot be read.
    """

    run: str
    out: Path
    pictures: list[dict[str, Any]]
    unreadable: list[str]


def explain(
    run: str | Path,
    inputs: Paths,
    out: str | Path,
    *,
    methods: Sequence[str] = (),
    label: str | None = None,
    device: str | None = None,
    is_quiet: bool = False,
) -> ExplainResult:
    """Writes an overlay per picture and method.

    Args:
        run: the run folder, or weights of another library; see ``load``.
        inputs: pictures or folders.
        out: a folder to make; one that exists and is not empty is refused.
        methods: ``legrad`` (which patches raise the class's score), ``rollout`` (where information
            came from, whatever the class) and ``gradcam``; none given: those that suit the model.
        label: the class to explain; None: the one predicted for each picture.
        device: ``cpu``, ``cuda``, ...; None: the best one here.
        is_quiet: say nothing on stderr.

    Raises:
        UsageError: no such model, input, class or method, or a folder in the way.
        DataError: none of the pictures can be read.
    """
    voice = Voice(is_quiet=is_quiet)
    folder = Path(out)
    chosen = [parse_method(name) for name in methods]
    engine = load_engine(run, device=device)
    for note in engine.notes:
        voice.say(note)
    refuse_taken(folder)
    job = find_job(engine.job)
    samples = job.inputs(inputs)
    entries: list[dict[str, Any]] = []
    for explanation in job.explain(engine, samples, methods=chosen, label=label):
        folder.mkdir(parents=True, exist_ok=True)
        entries.append(_write(explanation, folder, number=len(entries)))
    require_any_readable(
        len(samples) - len(entries),
        len(samples),
        noun=samples.noun,
        why="`saccade predict` says why for each of them",
    )
    explained = {entry["path"] for entry in entries}
    unreadable = [name for name in samples.names() if name not in explained]
    for name in unreadable:
        voice.say(f"{name} could not be read and is left out; `saccade predict` says why")
    voice.say(f"{count(len(entries), samples.noun)} explained in {folder}")
    return ExplainResult(run=str(run), out=folder, pictures=entries, unreadable=unreadable)


def _write(explanation: Explanation, folder: Path, *, number: int) -> dict[str, Any]:
    stem = f"{number:04d}-{Path(explanation.path).stem[:60]}"  # names have a limit of 255 bytes
    files = {}
    for method, heat in explanation.heats.items():
        files[method] = f"{stem}-{method}.png"
        Image.fromarray(strip(explanation.image, heat)).save(folder / files[method])
    return {
        "path": explanation.path,
        "label": explanation.answer.label,
        "probability": explanation.answer.probability,
        "explained": explanation.asked,
        "overlays": files,
    }
