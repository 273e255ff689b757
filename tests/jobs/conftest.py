"""The run that the tests of this folder look at."""

import pytest

from tests.tiny import World
from tests.tiny import world as make_world


@pytest.fixture(scope="session")
def world() -> World:
    return make_world()
