"""What was read stays as it was read."""

import dataclasses

import pytest

from saccade.weights.pretrained import Pretrained


def test_it_cannot_be_changed_and_every_part_has_to_be_given() -> None:
    fields = dataclasses.fields(Pretrained)

    assert all(each.default is dataclasses.MISSING for each in fields)
    assert Pretrained.__dataclass_params__.frozen  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="source"):
        Pretrained()  # type: ignore[call-arg]
