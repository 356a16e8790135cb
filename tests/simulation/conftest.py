"""Machines without power leave connections behind; they are let go where nobody minds what their ends say."""

import gc
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _let_go_of_dead_machines() -> Iterator[None]:
    """Collect what a test left, quietly: a connection that is closed on a dead disk raises once more."""
    yield
    hook, sys.unraisablehook = sys.unraisablehook, lambda _unraisable: None
    try:
        gc.collect()
    finally:
        sys.unraisablehook = hook
