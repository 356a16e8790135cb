"""One seed decides everything: chance, ids, keys of rows, clocks. And no threads: what happens first, happens first."""

import logging
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import anyio.to_thread

from collector import db
from tests.simulation.short_session import ShortSession

START_MS = 1_795_000_000_000  # November 2026


@dataclass
class Clocks:
    """The time of the world, and how far each machine's own clock is from it. `at`: whose code runs now."""

    world_ms: int = START_MS
    offsets_ms: dict[str, int] = field(default_factory=dict)
    at: str = ""

    def now_ms(self) -> int:
        return self.world_ms + self.offsets_ms.get(self.at, 0)

    def pass_ms(self, elapsed_ms: int) -> None:
        self.world_ms += elapsed_ms

    @contextmanager
    def of(self, machine: str) -> Iterator[None]:
        """Let the code inside see the clock of `machine`."""
        before, self.at = self.at, machine
        try:
            yield
        finally:
            self.at = before


async def _run_here(function: Callable[..., Any], *values: Any, **_how: Any) -> Any:
    """Stand for a thread of the server's pool: the one who waits does the work."""
    return function(*values)


@contextmanager
def decided_by(seed: int | str) -> Iterator[Clocks]:
    """Make the standard library's randomness and clocks those of `seed` while the block runs."""
    source, clocks = random.Random(f"os {seed}"), Clocks()

    def urandom(size: int) -> bytes:
        return source.randbytes(size)

    logging_before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            patch.object(os, "urandom", urandom),
            patch.object(random, "_urandom", urandom),  # of SystemRandom, which `secrets` uses
            patch.object(time, "time_ns", lambda: clocks.now_ms() * 1_000_000),
            patch.object(time, "monotonic", lambda: clocks.world_ms / 1000),
            patch.object(anyio.to_thread, "run_sync", _run_here),
            patch.object(db, "Session", ShortSession),
            patch.object(shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**40)),
        ):
            yield clocks
    finally:
        logging.disable(logging_before)
