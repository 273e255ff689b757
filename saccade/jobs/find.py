"""Every job there is, by its name."""

from saccade.config.task import JobName
from saccade.errors import UsageError, nearest
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


def find_job(name: str) -> Job:
    """A job by its name.

    Raises:
        UsageError: no job is called so; the nearest is offered.
    """
    for known, job in JOBS.items():
        if known == name:
            return job
    raise UsageError(f"no job is called {name!r}; {nearest(name, JOBS)}")
