"""A job is found by its name, and a misspelt name is answered with the nearest."""

from pathlib import Path
from typing import get_args

import pytest

from saccade.config.task import JobName
from saccade.errors import DataError, UsageError
from saccade.jobs.find import JOBS, find_job, open_for
from tests import boxed


def test_every_name_that_a_config_may_hold_is_a_job():
    assert set(JOBS) == set(get_args(JobName))


def test_a_job_is_found():
    assert find_job("classify").name == "classify"


def test_a_misspelt_job_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"no job is called 'clasify'; .*classify"):
        find_job("clasify")


def test_a_source_of_another_job_is_refused_with_the_name_of_that_job(tmp_path: Path):
    boxed.write_coco(tmp_path / "coco", count=4)
    with pytest.raises(
        DataError, match=r"one class only .* made for the job detect, and was to be"
    ):
        open_for(find_job("classify"), tmp_path / "coco")
    assert open_for(find_job("detect"), tmp_path / "coco").kind == "COCO boxes"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"is empty\. [^T]*$"):
        open_for(find_job("classify"), tmp_path / "empty")
