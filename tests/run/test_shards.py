"""A tensor that nobody shares is its own part and the whole; averages of parts are those of all."""

from dataclasses import replace

import pytest
import torch

from saccade.config.task import PretrainConfig
from saccade.errors import UsageError
from saccade.run.average import WeightAverage
from saccade.run.shards import is_shared_out, own_part, put, shared_out_like, whole, with_part
from saccade.run.together import require_shareable
from tests import tiny


def test_alone_everything_is_itself() -> None:
    tensor, other = torch.arange(3.0), torch.zeros(3)
    assert not is_shared_out(tensor)
    for found in (own_part(tensor), whole(tensor)):
        assert found is tensor
    assert shared_out_like(tensor, other) is tensor
    assert with_part(tensor, other) is tensor
    put(other, tensor)
    assert torch.equal(other, tensor)


def test_an_average_of_parts_is_that_of_the_whole() -> None:
    config = tiny.config("rag-pico4")
    task, of_parts = tiny.task(config), tiny.task(config)
    of_parts.load_state_dict(task.state_dict())
    plain = WeightAverage(task)
    parts = WeightAverage(of_parts, copied=tiny.task(config))
    for step in range(1, 4):
        for moved in (task, of_parts):
            with torch.no_grad():
                for parameter in moved.parameters():
                    parameter.mul_(1.1)
        plain.update(step=step, horizon=2.0)
        parts.update(step=step, horizon=2.0)

    expected = plain.gathered().state_dict()
    assert tiny.same_bits(parts.gathered().state_dict(), expected)

    again = WeightAverage(of_parts, copied=tiny.task(config))
    again.load(expected)
    assert tiny.same_bits(again.gathered().state_dict(), expected)


def test_muon_and_a_teacher_cannot_be_shared_out() -> None:
    muon = tiny.config("vit-pico4", shard="true", optim__name="muon")
    with pytest.raises(UsageError, match="muon needs whole ones"):
        require_shareable(muon)
    plain = tiny.config("vit-pico4", shard="true")
    require_shareable(plain)
    with pytest.raises(UsageError, match="dino"):
        require_shareable(replace(plain, task=PretrainConfig(method="dino")))
