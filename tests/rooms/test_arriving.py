"""When a step was open, by the history of the room, and whether what comes later was given then."""

from typing import Any

import pytest

from collector.rooms.arriving import (
    NEVER_MS,
    REFUSED,
    TOLERANCE_MS,
    Holder,
    open_times,
    reason_against,
    was_taken_then,
)
from collector.rooms.contributions import Contribution
from collector.rooms.payloads import SHAPES
from collector.rooms.room import room_of
from tests.rooms.making import START_MS, Making, step_of

SECOND = 1000


def history(making: Making, *told: tuple[int, str]) -> list[Contribution]:
    """Return steps and closings at seconds from the start."""
    return [
        making.make("close", {}, at=at)
        if state == "close"
        else making.make("step", {"state": state}, step="frases", at=at)
        for at, state in told
    ]


@pytest.mark.parametrize(
    ("told", "times"),
    [
        ([], []),
        ([(10, "open")], [(10, None)]),
        ([(10, "open"), (60, "locked")], [(10, 60)]),
        ([(10, "open"), (20, "open"), (60, "revealed")], [(10, 60)]),
        ([(60, "locked"), (10, "open")], [(10, 60)]),
        ([(10, "open"), (60, "locked"), (90, "open"), (95, "hidden")], [(10, 60), (90, 95)]),
        ([(10, "open"), (60, "close")], [(10, 60)]),
        ([(5, "locked"), (6, "close")], []),
    ],
)
def test_a_step_is_open_from_its_opening_to_whatever_ends_it(
    told: list[tuple[int, str]], times: list[tuple[int, int | None]]
) -> None:
    found = list(open_times(history(Making(), *told), "frases"))
    wanted = [(START_MS + a * SECOND, START_MS + b * SECOND if b is not None else NEVER_MS) for a, b in times]
    assert found == wanted


def test_what_was_undone_ended_nothing() -> None:
    making = Making()
    opened, locked = history(making, (10, "open"), (60, "locked"))
    undo = making.make("undo", {}, ref=locked.id, at=70)
    assert list(open_times([opened, locked, undo], "frases")) == [(START_MS + 10 * SECOND, NEVER_MS)]


def test_the_room_itself_is_open_until_it_is_closed() -> None:
    making = Making()
    (closed,) = history(making, (60, "close"))
    undo = making.make("undo", {}, ref=closed.id, at=70)
    assert list(open_times([closed], "")) == [(0, START_MS + 60 * SECOND)]
    assert list(open_times([closed, undo], "")) == [(0, NEVER_MS)]


@pytest.mark.parametrize(
    ("at", "skew", "is_taken"),
    [(100, 0, True), (99, 0, True), (69, 0, False), (200, 0, True), (230, 0, True), (231, 0, False), (500, -400, True)],
)
def test_a_statement_is_in_time_within_half_a_minute(at: int, skew: int, is_taken: bool) -> None:
    making = Making()
    told = history(making, (100, "open"), (200, "locked"))
    said = making.make("statement", {"text": "x"}, step="frases", at=at)
    assert TOLERANCE_MS == 30 * SECOND
    assert was_taken_then(told, said, skew * SECOND) is is_taken


@pytest.mark.parametrize(("at", "is_taken"), [(0, False), (59, False), (60, True), (239, True), (240, False)])
def test_of_a_vote_any_moment_of_its_minute_counts(at: int, is_taken: bool) -> None:
    making = Making()
    told = history(making, (100, "open"), (200, "locked"))
    ref = "01890000-0000-7000-8000-000000000001"
    vote = making.vote("vote", "ana", {"choice": "agree"}, step="frases", ref=ref, at=at)
    assert was_taken_then(told, vote) is is_taken


def test_what_needs_no_open_step_is_in_time_until_the_room_closes() -> None:
    making = Making()
    told = history(making, (100, "open"), (200, "locked"), (400, "close"))
    payload: dict[str, Any] = {"actor": "Junta", "text": "Limpiar"}
    times = {at: making.make("commitment", payload, step="frases", at=at) for at in (50, 300, 500)}
    assert {at: was_taken_then(told, said) for at, said in times.items()} == {50: True, 300: True, 500: False}


UNSEEN = ("salt", "kind")  # the record core looks at these
ODD: tuple[Any, ...] = (None, True, -1, 10**30, "", "x", [], [1], [[]], {}, {"a": {"b": []}}, "2026-11-22")


@pytest.mark.parametrize("what", sorted(SHAPES))
def test_nothing_odd_that_a_phone_sends_does_more_than_be_refused(what: str) -> None:
    making = Making()
    room = room_of(making.guided(step_of("statements", "frases"), step_of("dots", "puntos", "agua", "basura")))
    holder = Holder("writer-of-p1", "phone", "P1")
    good = making.body("statement", {"text": "Falta agua."}, step="frases", seat="P1", by="writer-of-p1")
    assert reason_against(room, good, holder, list) == ""
    steps = [{"type": "dots", "name": "a", "label": "a", "settings": {"of": {}}}]
    for key in (*good, "ballot", "segments", "mode", "ref"):
        for odd in ODD:
            is_good = what == "statement" and (key in UNSEEN or (key, odd) == ("segments", {}))
            found = reason_against(room, good | {"what": what, key: odd}, holder, list)
            assert found == ("" if is_good else REFUSED), (key, odd)
    for key in ("text", "points", "steps", "order", "purposes", "criteria", "choice"):
        for odd in (*ODD, steps):
            body = good | {"what": what, "payload": {key: odd}}
            is_good = (what, key, odd) in (("statement", "text", "x"), ("statement", "text", "2026-11-22"))
            assert reason_against(room, body, holder, list) == ("" if is_good else REFUSED)
