"""The numbers of a job name their job, have defaults, and go through JSON with the run."""

import dataclasses
from typing import get_args

import pytest

from saccade.config.json import from_json, override, to_json
from saccade.config.run import RunConfig
from saccade.config.task import JobName, TaskConfig
from saccade.errors import UsageError
from tests import tiny

KINDS = get_args(TaskConfig)


def test_every_job_has_one_and_names_it():
    assert sorted(kind().job for kind in KINDS) == sorted(get_args(JobName))


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_through_json_with_the_run(kind: type):
    config = dataclasses.replace(tiny.config(), task=kind())
    assert from_json(RunConfig, to_json(config)) == config


def test_a_run_from_before_there_were_other_jobs_classifies():
    document = to_json(tiny.config())
    del document["task"]
    assert from_json(RunConfig, document).task.job == "classify"


def test_a_number_of_the_job_is_set_by_name():
    (detect,) = (kind for kind in KINDS if kind().job == "detect")
    config = dataclasses.replace(tiny.config(), task=detect())
    changed = override(config, {"task.repeats": "7"}).task
    assert isinstance(changed, detect)
    assert vars(changed)["repeats"] == 7
    with pytest.raises(UsageError, match=r"no setting task\.repeat; .*task\.repeats"):
        override(config, {"task.repeat": "7"})


def test_an_unknown_job_is_answered_with_the_nearest():
    document = to_json(tiny.config())
    with pytest.raises(UsageError, match=r"no job is called 'detects'.*detect"):
        from_json(RunConfig, document | {"task": {"job": "detects"}})
