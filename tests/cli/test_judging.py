"""Figures on poor pictures come as a table for people and as a document for programs."""

import json
import shutil
from pathlib import Path

from tests import tiny
from tests.tiny import call


def test_stress_is_told_both_ways(tmp_path: Path) -> None:
    run = Path(shutil.copytree(tiny.world().run, tmp_path / "run"))
    words = ("stress", run, tiny.world().source, "--kind", "jpeg", "--num", "3")

    shown = call(*words, "--quiet")
    document = json.loads(call(*words, "--json").stdout)

    assert shown.exit_code == 0, shown.stderr
    (row,) = [line for line in shown.stdout.splitlines() if line.startswith("jpeg")]
    assert [float(cell) for cell in row.split()[1:6]] == [
        round(value, 3) for value in document["kinds"][0]["values"]
    ]
    assert document["clean"]["low"] <= document["clean"]["value"] <= document["clean"]["high"]
    assert call(*words, "--kind", "fogg").exit_code == 2
