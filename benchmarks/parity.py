"""How far the answers of published model families are from ours, with the same random weights.

``python -m benchmarks parity`` runs the comparisons of tests/parity for every family and size and
fills the table of docs/weights.md. It needs the libraries: ``pip install saccade[parity]``.
"""

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import parity_google, parity_timm, parity_torchvision, parity_transformers
from benchmarks.harness import ROOT, save
from benchmarks.operators import declare_operators

DOCUMENT = ROOT / "docs" / "weights.md"
BEGIN, END = "<!-- parity: begin -->", "<!-- parity: end -->"

SIZES = ("native", "larger", "not square")
LIBRARIES = ("timm", "torch", "torchvision", "transformers")


def run(seeds: Sequence[int]) -> None:
    """Takes the largest error over the seeds, for each family and size."""
    declare_operators()
    rows = []
    for library, family, of_seed in _measured(seeds):
        worst = {size: max(each[size] for each in of_seed) for size in of_seed[0]}
        rows.append({"library": library, "family": family, **{s: worst.get(s) for s in SIZES}})
    save(
        "parity",
        command="python -m benchmarks parity",
        rows=rows,
        measure="max |a - b| / max |b| over the tokens after every block and the logits, fp32",
        seeds=list(seeds),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
    )
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_table(text, rows), encoding="utf-8")


def with_table(text: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The document with the rows between its two marks."""
    before, rest = text.split(BEGIN)
    lines = ["| library | family | native size | larger | not square |", "|---|---|---|---|---|"]
    for row in rows:
        cells = ["-" if row[size] is None else f"{row[size]:.1e}" for size in SIZES]
        lines.append(f"| {row['library']} | {row['family']} | {' | '.join(cells)} |")
    return before + "\n".join([BEGIN, *lines, END]) + rest.split(END)[1]


def _measured(seeds: Sequence[int]) -> Iterator[tuple[str, str, list[dict[str, float]]]]:
    for timm in parity_timm.REFERENCES:
        yield "timm", timm.name, [parity_timm.errors(timm, seed=seed) for seed in seeds]
    for hf in parity_transformers.REFERENCES:
        found = [parity_transformers.errors(hf, seed=seed) for seed in seeds]
        yield "transformers", hf.name, found
    for tv in parity_torchvision.REFERENCES:
        yield "torchvision", tv.name, [parity_torchvision.errors(tv, seed=seed) for seed in seeds]
    for google in parity_google.REFERENCES:
        yield "Google", google.name, [parity_google.errors(google, seed=seed) for seed in seeds]
