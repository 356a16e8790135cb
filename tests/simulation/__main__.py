"""`python -m tests.simulation --seeds 20000`: play many seeds; one that fails prints its log of events, and ends it."""

import os
import sys

import click

from tests.simulation.playing import failures_of, play_all
from tests.simulation.world import EVENTS


@click.command()
@click.option("--seeds", default=200, show_default=True, help="How many seeds.")
@click.option("--first", default=0, show_default=True, help="The first seed.")
@click.option("--events", default=EVENTS, show_default=True, help="How many events a seed has.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, help="How many at the same time.")
def main(seeds: int, first: int, events: int, processes: int) -> None:
    """Play seeds and stop after the first chunk in which one fails."""
    asked = range(first, first + seeds)
    if seeds == 1:
        _end_with(failures_of(asked, events))
    for done, found in play_all(asked, processes, events):
        if found:
            _end_with(found)
        click.echo(f"{done} of {seeds} seeds hold", err=True)
    _end_with([])


def _end_with(found: list[str]) -> None:
    for failure in found:
        click.echo(failure)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
