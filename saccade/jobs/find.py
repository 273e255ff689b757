"""Every job there is, by its name."""

from pathlib import Path

from saccade.config.task import JobName
from saccade.data.annotated import guess_job
from saccade.data.samples import Source
from saccade.errors import DataError, UsageError, nearest
from saccade.jobs.classify.job import ClassifyJob
from saccade.jobs.detect.job import DetectJob
from saccade.jobs.embed.job import EmbedJob
from saccade.jobs.generate.job import GenerateJob
from saccade.jobs.job import Job
from saccade.jobs.pretrain.job import PretrainJob
from saccade.jobs.segment.job import SegmentJob
from saccade.jobs.translate.job import TranslateJob
from saccade.jobs.video.job import VideoJob

JOBS: dict[JobName, Job] = {
    "generate": GenerateJob(),
    "translate": TranslateJob(),
    "classify": ClassifyJob(),
    "detect": DetectJob(),
    "embed": EmbedJob(),
    "pretrain": PretrainJob(),
    "segment": SegmentJob(),
    "video": VideoJob(),
}


def open_for(job: Job, path: str | Path) -> Source:
    """A source as a job reads it.

    Raises:
        UsageError: there is nothing at the path.
        DataError: it lacks what the job needs; where it is made for another job, that is said.
    """
    try:
        return job.open(path)
    except DataError as error:
        meant = guess_job(path)
        if meant is None or meant == job.name:
            raise
        raise DataError(
            f"{error} This source is made for the job {meant}, and was to be read for {job.name}."
        ) from None


def find_job(name: str) -> Job:
    """A job by its name.

    Raises:
        UsageError: no job is called so; the nearest is offered.
    """
    for known, job in JOBS.items():
        if known == name:
            return job
    raise UsageError(f"no job is called {name!r}; {nearest(name, JOBS)}")
