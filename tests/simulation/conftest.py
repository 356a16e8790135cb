"""Machines without power leave connections behind; they are let go where the test stands that made them."""

import gc
from collections.abc import Iterator

import pytest

from tests.simulation.crash_vfs import DISKS


@pytest.fixture(autouse=True)
def _let_go_of_dead_machines() -> Iterator[None]:
    """Tidy up what a test left: what this meets is an error of that test, not of another one later."""
    yield
    for disk in list(DISKS):
        disk.is_buried = True  # what the caches of SQLAlchemy hold goes later, in the middle of another test
    gc.collect()
