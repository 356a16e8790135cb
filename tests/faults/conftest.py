"""A rig for each test: a central behind a line that can fail."""

from collections.abc import Iterator

import pytest

from tests.faults.rig import Rig, new_rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with new_rig() as made:
        yield made
