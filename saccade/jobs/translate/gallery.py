"""The pictures of a translator's report: what was given, both answers, and what was true."""

import shutil

import numpy as np
import torch

from saccade.data.loader import Loader
from saccade.jobs.drawing import Album
from saccade.jobs.translate.judge import TranslateJudgement, answers
from saccade.run.folder import RunFolder
from saccade.serving.engine import Engine
from saccade.serving.sheet import sheet
from saccade.tasks.flow.translate import Translate

NUM_SHOWN, NUM_WORST, NUM_VARIED, NUM_ANSWERS = 16, 8, 6, 5


def write_gallery(
    folder: RunFolder,
    engine: Engine[Translate],
    judged_on: Loader,
    judgement: TranslateJudgement,
) -> None:
    """Writes ``pictures/`` and its ``index.json``, replacing what was there."""
    shutil.rmtree(folder.pictures, ignore_errors=True)
    folder.pictures.mkdir()
    album = Album(folder)
    count = len(judgement.names)
    evenly = np.unique(np.linspace(0, count - 1, min(NUM_SHOWN, count)).astype(np.int64))
    album.gallery(
        "translations",
        title="Translations",
        text="Given, the flow's answer, the one-step regression's, the truth; evenly spaced over "
        "the judged pictures, none chosen.",
        entries=_triples(album, engine, judged_on, judgement, evenly, "translation"),
    )
    worst = np.argsort(judgement.each["flow_psnr"], kind="stable")[:NUM_WORST]
    album.gallery(
        "furthest",
        title="Furthest from the truth",
        text="The same four, for the lowest PSNR of the flow: often another answer that is "
        "possible too, sometimes a mistake.",
        entries=_triples(album, engine, judged_on, judgement, worst, "furthest"),
    )
    album.gallery(
        "varied",
        title="Several answers",
        text=f"Given, and {NUM_ANSWERS} answers of the flow from other noise: how much they differ "
        "is how much the condition leaves open.",
        entries=_varied(album, engine, judged_on, evenly[:NUM_VARIED]),
    )
    album.close()


def _triples(
    album: Album,
    engine: Engine[Translate],
    judged_on: Loader,
    judgement: TranslateJudgement,
    positions: np.ndarray,
    what: str,
) -> list[dict[str, str]]:
    """Positions are places in the judgement; pictures are found again by their names."""
    loader, place = _some(engine, judged_on, judgement, positions)
    entries = []
    for answered, _ in answers(engine, loader):
        channels = answered.target.shape[1]
        for k, i in enumerate(answered.ids.tolist()):
            row = [
                answered.condition[k],
                answered.flow[k],
                answered.regression[k],
                answered.target[k],
            ]
            strip = torch.stack([image.expand(channels, -1, -1).cpu() for image in row])
            at = place[i]
            caption = (
                f"PSNR {judgement.each['flow_psnr'][at]:.1f} dB, regression "
                f"{judgement.each['regression_psnr'][at]:.1f} dB"
            )
            entries.append(
                {
                    "file": album.save(sheet(strip.numpy(), columns=4), what),
                    "caption": caption,
                    "path": judgement.names[at],
                }
            )
    return entries


def _some(
    engine: Engine[Translate],
    judged_on: Loader,
    judgement: TranslateJudgement,
    positions: np.ndarray,
) -> tuple[Loader, dict[int, int]]:
    """A loader of these pictures alone, and where each id stands in the judgement."""
    samples = judged_on.samples
    at_name = {name: k for k, name in enumerate(judgement.names)}
    wanted = set(positions.tolist())
    names = samples.names()
    chosen = [p for p, name in enumerate(names) if at_name.get(name) in wanted]
    place = {int(samples.ids[p]): at_name[names[p]] for p in chosen}
    return engine.loader(samples.take(np.array(chosen, dtype=np.int64))), place


def _varied(
    album: Album, engine: Engine[Translate], judged_on: Loader, positions: np.ndarray
) -> list[dict[str, str]]:
    task, samples = engine.task, judged_on.samples
    entries = []
    for batch in engine.loader(samples.take(positions)).batches():
        batch = batch.to(engine.device)
        with torch.inference_mode():
            condition = task.pair(batch).condition
            drawn = [
                task.translate(
                    condition, batch.ids, seed=1 + k, num_steps=task.config.flow.num_steps
                ).pictures
                for k in range(NUM_ANSWERS)
            ]
        for k, i in enumerate(batch.ids.tolist()):
            channels = drawn[0].shape[1]
            row = [condition[k].expand(channels, -1, -1), *(images[k] for images in drawn)]
            strip = sheet(torch.stack(row).cpu().numpy(), columns=len(row))
            entries.append(
                {
                    "file": album.save(strip, "varied"),
                    "caption": "",
                    "path": samples.pictures.name(i),
                }
            )
    return entries
