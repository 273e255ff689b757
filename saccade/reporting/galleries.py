"""Pictures that tell what the figures cannot: the worst mistakes, and where the model looked."""

from dataclasses import dataclass
from typing import NamedTuple

from saccade.reporting.pictures import InlinePicture, inline_picture
from saccade.reporting.records import Json, RunRecords
from saccade.reporting.wording import percent

MAX_MISTAKES = 24
MAX_EXPLAINED = 12

_METHODS = {
    "legrad": (
        "LeGrad",
        "bright patches are those whose attention, were it stronger, would raise the score of the "
        "predicted class",
    ),
    "rollout": (
        "Rollout",
        "bright patches are those whose information could reach the answer through all layers, "
        "whatever the class",
    ),
    "gradcam": (
        "Grad-CAM",
        "bright cells are those whose features raise the score of the predicted class",
    ),
}


class Answer(NamedTuple):
    """A picture with the model's answer.

    Attributes:
        picture: as the model sees it; None when its file is gone.
        path: its name in the data.
        label: the true class.
        predicted: the model's answer.
        probability: of that answer, as text.
        maps: name of the method and overlay.
    """

    picture: InlinePicture | None
    path: str
    label: str
    predicted: str
    probability: str
    maps: list[tuple[str, InlinePicture]]


@dataclass(frozen=True, kw_only=True)
class Galleries:
    """The two galleries.

    Attributes:
        mistakes: the wrong answers that the model was surest of.
        explained: pictures with all their attention maps.
        methods: name and meaning of each kind of map shown.
    """

    mistakes: list[Answer]
    explained: list[Answer]
    methods: list[tuple[str, str]]


def galleries(records: RunRecords) -> Galleries:
    """Reads both galleries."""
    explained = records.pictures.get("attention", [])[:MAX_EXPLAINED]
    used = dict.fromkeys(method for entry in explained for method in entry.get("maps", {}))
    return Galleries(
        mistakes=[
            _answer(records, entry, {"overlay": entry.get("overlay")})
            for entry in records.pictures.get("mistakes", [])[:MAX_MISTAKES]
        ],
        explained=[_answer(records, entry, entry.get("maps", {})) for entry in explained],
        methods=[_METHODS[method] for method in used if method in _METHODS],
    )


def _answer(records: RunRecords, entry: Json, maps: dict[str, str | None]) -> Answer:
    overlays = ((name, inline_picture(records.path, file)) for name, file in maps.items())
    return Answer(
        picture=inline_picture(records.path, entry.get("file")),
        path=str(entry.get("path", "")),
        label=str(entry.get("label", "")),
        predicted=str(entry.get("predicted", "")),
        probability=percent(entry.get("probability")),
        maps=[
            (_METHODS.get(name, (name, ""))[0], picture) for name, picture in overlays if picture
        ],
    )
