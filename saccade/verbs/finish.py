"""After training: figures, pictures, contract, report, card."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from saccade.config.json import from_json
from saccade.config.run import RunConfig
from saccade.jobs.best_score import best_score
from saccade.jobs.job import Job, Judgement
from saccade.jobs.trust import learn_trust
from saccade.reporting.card import write_card
from saccade.reporting.page import write_report
from saccade.run.contract import load_contract
from saccade.run.folder import RunFolder, read_json, write_json
from saccade.serving.engine import Engine
from saccade.verbs.beside import beside
from saccade.verbs.prepare import Prepared, say_bad
from saccade.verbs.teach import Lessons
from saccade.verbs.voice import Voice


class Finished(NamedTuple):
    """What is known at the end.

    Attributes:
        split: on which pictures the figures were taken.
        judgement: the figures.
        report: the page.
    """

    split: str
    judgement: Judgement
    report: Path


def finish(
    folder: RunFolder,
    job: Job,
    engine: Engine,
    data: Prepared,
    *,
    voice: Voice,
    lessons: Lessons | None = None,
) -> Finished:
    """Evaluates the best weights on validation and test, and writes all that a person looks at."""
    loaders = data.judged()
    engine = replace(engine, training=data.training)
    smallest_score = best_score(engine, data.validation)
    if smallest_score is not None:
        engine = replace(engine, smallest_score=smallest_score)
        voice.say(f"  shown from a score of {smallest_score:.3f}, the best on validation pictures")
    trust = learn_trust(engine, data.training, data.validation)
    if trust is not None:
        engine = replace(engine, temperature=trust.temperature, known=trust.known)
        trust.known.save(folder.known)
        voice.say(
            f"  temperature {trust.temperature:.3f}, fitted on validation pictures: probabilities "
            f"are made {'less' if trust.temperature > 1 else 'more'} sure"
        )
    judged = {split: job.judge(engine, loader) for split, loader in loaders.items()}
    folder.evaluation.mkdir(exist_ok=True)
    for split, judgement in judged.items():
        write_json(folder.evaluation / f"{split}.json", {"split": split, **judgement.to_json()})
        judgement.write_table(folder.evaluation / f"{split}.parquet")
    contract = load_contract(folder.contract)
    found_late = {
        name: reason for name, reason in data.bad().items() if name not in contract.data.bad
    }
    # Where pictures are decoded as they go, the last pass finds the last ones.
    say_bad(found_late, voice, noun=data.training.samples.noun)
    replace(
        contract,
        figures={
            split: {name: figure.value for name, figure in judgement.metrics.items()}
            for split, judgement in judged.items()
        },
        data=replace(contract.data, bad=contract.data.bad | data.bad()),
        smallest_score=smallest_score,
        temperature=engine.temperature,
    ).save(folder.contract)
    voice.say("  writing pictures and report")
    *_, final = loaders
    if lessons is not None:
        both = beside(engine, lessons, loaders[final], model_name=contract.model_name)
        write_json(folder.evaluation / "teacher.json", both)
    config = from_json(RunConfig, read_json(folder.config))
    job.write_gallery(folder, engine, data.training, loaders[final], judged[final], config=config)
    write_card(folder.path)
    return Finished(final, judged[final], write_report(folder.path))
