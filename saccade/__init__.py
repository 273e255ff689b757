"""saccade: attention models for pictures, from a folder of images to a model that is explained.

    import saccade

    result = saccade.train("photos/", "runs/photos", budget="5m")
    model = saccade.load("runs/photos")
    model.predict("cat.jpg")

Each verb of the command line is a function here. Importing the package does nothing; torch is
imported when the first of them is used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from saccade.version import __version__

if TYPE_CHECKING:
    from saccade.serving.load import load as load
    from saccade.verbs.compare import compare as compare
    from saccade.verbs.convert import convert as convert
    from saccade.verbs.demo import demo as demo
    from saccade.verbs.distill import distill as distill
    from saccade.verbs.duplicates import duplicates as duplicates
    from saccade.verbs.embed import embed as embed
    from saccade.verbs.evaluate import evaluate as evaluate
    from saccade.verbs.explain import explain as explain
    from saccade.verbs.generate import generate as generate
    from saccade.verbs.index import index as index
    from saccade.verbs.models import models as models
    from saccade.verbs.predict import predict as predict
    from saccade.verbs.pretrain import pretrain as pretrain
    from saccade.verbs.probe import probe as probe
    from saccade.verbs.recipes import recipes as recipes
    from saccade.verbs.report import report as report
    from saccade.verbs.search import search as search
    from saccade.verbs.stress import stress as stress
    from saccade.verbs.train import train as train
    from saccade.verbs.translate import translate as translate

_HOMES = {
    "compare": "saccade.verbs.compare",
    "convert": "saccade.verbs.convert",
    "demo": "saccade.verbs.demo",
    "distill": "saccade.verbs.distill",
    "duplicates": "saccade.verbs.duplicates",
    "embed": "saccade.verbs.embed",
    "evaluate": "saccade.verbs.evaluate",
    "explain": "saccade.verbs.explain",
    "generate": "saccade.verbs.generate",
    "index": "saccade.verbs.index",
    "load": "saccade.serving.load",
    "models": "saccade.verbs.models",
    "predict": "saccade.verbs.predict",
    "pretrain": "saccade.verbs.pretrain",
    "probe": "saccade.verbs.probe",
    "recipes": "saccade.verbs.recipes",
    "report": "saccade.verbs.report",
    "search": "saccade.verbs.search",
    "stress": "saccade.verbs.stress",
    "train": "saccade.verbs.train",
    "translate": "saccade.verbs.translate",
}

__all__ = [
    "__version__",
    "compare",
    "convert",
    "demo",
    "distill",
    "duplicates",
    "embed",
    "evaluate",
    "explain",
    "generate",
    "index",
    "load",
    "models",
    "predict",
    "pretrain",
    "probe",
    "recipes",
    "report",
    "search",
    "stress",
    "train",
    "translate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'saccade' has no attribute {name!r}")
    # Read by OpenMP when torch is loaded. Its threads wait for each other by spinning; as soon as
    # anything else wants a core, they spin while the thread they wait for cannot run. Spinning only
    # for a moment costs next to nothing alone and saves most of the loss in company; measured by
    # `python -m benchmarks spinning`.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
