"""Every job has what the verbs ask of one."""

import pyarrow as pa
import pytest

from saccade.jobs.find import JOBS
from saccade.jobs.job import Job


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_one_under_its_own_name(name: str):
    job = next(job for each, job in JOBS.items() if each == name)
    assert isinstance(job, Job)
    assert job.name == name


@pytest.mark.parametrize("name", JOBS)
def test_a_row_says_which_picture_and_what_went_wrong(name: str):
    schema = next(job.schema for each, job in JOBS.items() if each == name)
    assert isinstance(schema, pa.Schema)
    assert schema.names[0] == "path"
    assert schema.names[-1] == "error"
