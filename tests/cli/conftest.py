"""The run that the tests of this folder ask."""

import pytest

from tests import tiny


@pytest.fixture(scope="session")
def world() -> tiny.World:
    return tiny.world()
