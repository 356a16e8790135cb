"""Play many seeds, in one process or in several: for the tests, for `python -m tests.simulation`, for mutants."""

import gc
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial

from tests.simulation.mutants import MUTANTS, mutated
from tests.simulation.rig import Rig, enrolled_images
from tests.simulation.world import EVENTS, SeedFailed, run_seed

CHUNK = 25


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let memory be tidied at the end only: looking for cycles costs a fifth of the time."""
    is_ours = not gc.get_freeze_count()  # among other tests what stands is set aside already, and stays so
    if is_ours:
        gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        if is_ours:
            gc.unfreeze()
        gc.collect()


def failures_of(seeds: Iterable[int], events: int = EVENTS) -> list[str]:
    """Play the seeds and return what failed, each with its log of events."""
    rig = Rig()
    found: list[str] = []
    with _without_collector():
        for seed in seeds:
            try:
                run_seed(rig, seed, events)
            except SeedFailed as failure:
                found.append(str(failure))
    return found


def play_all(seeds: range, processes: int, events: int = EVENTS) -> Iterator[tuple[int, list[str]]]:
    """Play the seeds in chunks on several processors; give (how many are done, failures) as chunks end."""
    chunks = [seeds[first : first + CHUNK] for first in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        done = 0
        for chunk, found in zip(chunks, pool.map(partial(failures_of, events=events), chunks), strict=True):
            done += len(chunk)
            yield done, found


def first_failure(mutant: str, seeds: Iterable[int]) -> str:
    """Break a rule, play until that is noticed and return the failure; "" when it never is."""
    enrolled_images()  # made by the rules as they are
    with mutated(mutant):
        rig = Rig()
        for seed in seeds:
            try:
                run_seed(rig, seed, focus=MUTANTS[mutant][1])
            except SeedFailed as failure:
                return str(failure)
    return ""
