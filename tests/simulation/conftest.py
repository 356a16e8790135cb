"""Machines without power leave connections behind; they are let go where nobody minds what their ends say."""

import gc
import sys
from collections.abc import Iterator

import pytest

from tests.simulation.crash_vfs import DISKS


@pytest.fixture(autouse=True)
def _let_go_of_dead_machines() -> Iterator[None]:
    """Collect what a test left, quietly: a connection that is closed on a dead disk raises once more."""
    yield
    for disk in list(DISKS):
        disk.is_buried = True  # what the caches of SQLAlchemy hold goes later, in the middle of another test
    hook, sys.unraisablehook = sys.unraisablehook, lambda _unraisable: None
    try:
        gc.collect()
    finally:
        sys.unraisablehook = hook
