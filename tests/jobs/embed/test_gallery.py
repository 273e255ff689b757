"""The pictures of an embedder's report are queries with their neighbours."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.data.sources import open_source
from saccade.jobs.embed.gallery import NUM_SHOWN, write_gallery
from saccade.jobs.embed.judge import judge
from saccade.jobs.embed.sheet import CELL_PX
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.tasks.embed import Embed
from tests import tiny


def test_each_class_has_a_query_and_each_mistake_is_shown(
    engine: Engine[Embed], pictures: Path, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    (folder.pictures / "old").mkdir(parents=True)
    samples = open_source(pictures).splits["all"]
    labels = np.arange(15) % 3  # not what the colours say, so that there are mistakes
    loader = engine.loader(replace(samples, labels=labels))
    judgement = judge(engine, loader)

    write_gallery(folder, loader, judgement)

    index = json.loads((folder.pictures / "index.json").read_text())
    captions = [entry["caption"] for entry in index["neighbours"]["entries"]]
    assert captions == list(tiny.CLASSES)
    assert len(judgement.worst(12)) > 0
    shown = [entry["path"] for entry in index["mistakes"]["entries"]]
    assert shown == [judgement.names[position] for position in judgement.worst(12)]
    for gallery in index.values():
        for entry in gallery["entries"]:
            with Image.open(folder.path / entry["file"]) as picture:
                assert picture.width > (NUM_SHOWN + 1) * CELL_PX
    assert not (folder.pictures / "old").exists()
