"""Average precision, by boxes and by masks, is what the COCO tools printed for the same files."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saccade.data.regions import decode_rle, fill_polygons
from saccade.metrics.average_precision import AveragePrecision, Found, Truth

OFFICIAL = [
    "ap",
    "ap50",
    "ap75",
    "ap_small",
    "ap_medium",
    "ap_large",
    "ar_1",
    "ar_10",
    "ar_100",
    "ar_small",
    "ar_medium",
    "ar_large",
]
"""In the order in which the COCO tools print them."""


def official(folder: Path, kind: str) -> list[float]:
    """The twelve printed figures of a kind."""
    section = (folder / "val2014_fake_eval_res.txt").read_text().split(f"type={kind}")[1]
    lines = [line for line in section.split("type=")[0].splitlines() if " = " in line]
    return [float(line.rsplit("=", 1)[1]) for line in lines]


def region_reader(kind: str, *, size: tuple[int, int]) -> Callable[[dict[str, Any]], np.ndarray]:
    height, width = size

    def read(entry: dict[str, Any]) -> np.ndarray:
        if kind == "bbox":
            left, top, box_width, box_height = entry["bbox"]
            return np.array([left, top, left + box_width, top + box_height])
        of = entry["segmentation"]
        if isinstance(of, list):
            return fill_polygons(of, height=height, width=width)
        return decode_rle(of["counts"], height=height, width=width)

    return read


@pytest.mark.parametrize("kind", ["bbox", pytest.param("segm", marks=pytest.mark.slow)])
def test_the_official_figures_come_out_to_three_digits(shared_data: Path, kind: str) -> None:
    folder = shared_data / "coco_eval_oracle"
    known = json.loads((folder / "instances_val2014_100.json").read_text())
    results = json.loads((folder / f"instances_val2014_fake{kind}100_results.json").read_text())
    names = [category["name"] for category in known["categories"]]
    label_of = {category["id"]: label for label, category in enumerate(known["categories"])}
    true_of, found_of = defaultdict(list), defaultdict(list)
    for into, entries in ((true_of, known["annotations"]), (found_of, results)):
        for entry in entries:
            into[entry["image_id"]].append(entry)
    metric = AveragePrecision(names)

    for image in sorted(known["images"], key=lambda image: image["id"]):
        size = (image["height"], image["width"])
        read, shape = region_reader(kind, size=size), (-1, 4) if kind == "bbox" else (-1, *size)
        of, true = found_of[image["id"]], true_of[image["id"]]
        dtype = np.float64 if kind == "bbox" else bool
        metric.update(
            Found(
                regions=np.array([read(each) for each in of], dtype=dtype).reshape(shape),
                labels=np.array([label_of[each["category_id"]] for each in of], dtype=np.int64),
                scores=np.array([each["score"] for each in of], dtype=np.float64),
            ),
            Truth(
                regions=np.array([read(each) for each in true], dtype=dtype).reshape(shape),
                labels=np.array([label_of[each["category_id"]] for each in true], dtype=np.int64),
                is_crowd=np.array([each["iscrowd"] for each in true], dtype=bool),
                areas=np.array([each["area"] for each in true], dtype=np.float64),
            ),
        )

    figures = metric.figures()
    assert [round(figures[name], 3) for name in OFFICIAL] == official(folder, kind)
