"""Does ``saccade.planning.mirror`` know when a mirror image still shows the same thing?

Characters must come out low, clothes and photographs high.
"""

import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import save, shared_data, unzipped
from saccade.data.sources import labelled, open_source
from saccade.data.split import split
from saccade.planning.facts import look
from saccade.verbs.demo import write_digits


def run(seeds: Sequence[int]) -> None:
    """Takes the ratio of each data set, on the training part of each seed's split."""
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        digits = Path(temporary) / "digits"
        write_digits(digits)
        rows += _rows("digits (scikit-learn)", digits, seeds)
        cifar = Path(temporary) / "cifar10"
        with tarfile.open(shared_data("cifar10") / "cifar10_jpg.tar.xz") as archive:
            archive.extractall(cifar, filter="data")
        rows += _rows("CIFAR-10", cifar, seeds)
    rows += _rows("Fashion-MNIST", shared_data("fashion-mnist"), seeds)
    with unzipped(shared_data("sign_digits") / "sign_language_digits.zip") as signs:
        rows += _rows("sign-language digits", signs, seeds)
    save("mirror_test", command="python -m benchmarks mirror_test", rows=rows)


def _rows(name: str, path: Path, seeds: Sequence[int]) -> list[dict[str, object]]:
    source = labelled(open_source(path))
    assert source.class_names is not None
    rows: list[dict[str, object]] = []
    for seed in seeds:
        parts = split(source, val_fraction=0.1, test_fraction=0.2, seed=seed)
        facts = look(parts.train, num_classes=len(source.class_names))
        rows.append({"data": name, "seed": seed, "mirror_ratio": round(facts.mirror_ratio, 3)})
    return rows
