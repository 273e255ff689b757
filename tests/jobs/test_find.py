"""A job is found by its name, and a misspelt name is answered with the nearest."""

from typing import get_args

import pytest

from saccade.config.task import JobName
from saccade.errors import UsageError
from saccade.jobs.find import JOBS, find_job


def test_every_name_that_a_config_may_hold_is_a_job():
    assert set(JOBS) == set(get_args(JobName))


def test_a_job_is_found():
    assert find_job("classify").name == "classify"


def test_a_misspelt_job_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"no job is called 'clasify'; .*classify"):
        find_job("clasify")
