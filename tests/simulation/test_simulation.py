"""Two tablets, a hub, central and a phone: whatever goes wrong, what a person was told is saved reaches central."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.playing import failures_of, first_failure
from tests.simulation.rig import Rig
from tests.simulation.world import run_seed

SEEDS = 200
CHUNK = 25
MOST_SEEDS_OF_A_MUTANT = 30
HASHES = "from tests.simulation.rig import Rig; from tests.simulation.world import run_seed; print(run_seed(Rig(), 7))"


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_nothing_that_was_promised_is_lost(first: int) -> None:
    failures = failures_of(range(first, first + CHUNK))
    assert not failures, failures[0]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_rule_is_noticed(mutant: str) -> None:
    assert first_failure(mutant, range(MOST_SEEDS_OF_A_MUTANT))


def test_the_same_seed_is_the_same_story_in_this_process_and_in_another() -> None:
    rig = Rig()
    here = run_seed(rig, 7)
    run_seed(rig, 8)
    assert run_seed(rig, 7) == here
    environment = {**os.environ, "PYTHONHASHSEED": "11"}
    root = Path(__file__).resolve().parents[2]
    there = subprocess.run(
        [sys.executable, "-c", HASHES], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_another_seed_is_another_story() -> None:
    rig = Rig()
    assert run_seed(rig, 7) != run_seed(rig, 8)
