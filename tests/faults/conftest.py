"""A rig for each test: a central behind a line that can fail. And one parent of nodes for all tests."""

from collections.abc import Iterator

import pytest

from tests.faults.forked import Forker
from tests.faults.rig import Rig, new_rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with new_rig() as made:
        yield made


@pytest.fixture(scope="session")
def forker() -> Iterator[Forker]:
    made = Forker()
    yield made
    made.stop()
