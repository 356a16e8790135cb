"""Rooms on their way down: what is prepared and open at the upstream comes to every node below (docs/protocol.md).

The list says which rooms there are and what each holds; a room is fetched when that is not what this node fetched last.
What comes down stands in this node's log and goes up again like everything there: known above, it changes nothing.
"""

import logging
from collections.abc import Sequence
from typing import Any

from collector.db import reading, writing
from collector.problems import ProblemError
from collector.queries import contributions
from collector.rooms.rules import UUID_FORM
from sync.batches import is_sha256
from sync.client import Refusal
from sync.greet import Greeting
from sync.pull import ABOUT_THE_LINE
from sync.room_lines import ASKED, PREPARED, NotARoom, carried, read_lines
from sync.rooms import MOST_ROOMS, keep_room
from sync.run import Run

log = logging.getLogger("collector.sync")


def pull_rooms(run: Run, greeting: Greeting) -> None:
    """Fetch the rooms that the upstream offers and that are not here as they are there."""
    if greeting.rooms in ("", run.state.rooms_tag):
        return
    answer = run.client.get_zipped("/rooms")
    left = [listed for listed in _listed(run, answer.content) if not _pull(run, *listed)]
    if not left:
        run.state.rooms_tag = greeting.rooms


def _listed(run: Run, content: Any) -> list[tuple[str, str]]:
    """Return (room, sha256) of those that differ from what is here or was fetched before."""
    if not isinstance(content, list):
        raise run.client.strange("the list of rooms is not a list")
    entries = [each for each in content[:MOST_ROOMS] if isinstance(each, dict)]
    named = [
        (str(each["room"]), str(each["sha256"]))
        for each in entries
        if _is_room(each.get("room")) and is_sha256(each.get("sha256"))
    ]
    held = _held(run, [room for room, _ in named])
    return [(room, sha256) for room, sha256 in named if sha256 not in (held.get(room), run.state.rooms.get(room))]


def _is_room(value: Any) -> bool:
    return isinstance(value, str) and UUID_FORM.fullmatch(value) is not None


def _held(run: Run, rooms: Sequence[str]) -> dict[str, str]:
    """Return room -> sha256 of what would go along from here."""
    with reading(run.engine) as session:
        found = contributions.said_in(session, rooms, ASKED)
    here = [carried(room, found[room]) for room in rooms]
    return {each.room: each.sha256 for each in here if each is not None}


def _pull(run: Run, room: str, sha256: str) -> bool:
    """Fetch one room; False when it stays out of this round."""
    try:
        read = read_lines(run.client.get_zipped(f"/rooms/{room}").lines, run.known().me)
        if read.room != room or read.holds != PREPARED:
            raise NotARoom("strange")
    except Refusal as refusal:
        if refusal.status in ABOUT_THE_LINE:
            raise
        return False  # closed since the list was made
    except (NotARoom, ProblemError) as error:
        if isinstance(error, ProblemError) and error.problem.code != "upstream_strange":
            raise
        log.warning("room %s left out: %s", room, error)
        return False
    with writing(run.engine) as session:
        new = keep_room(session, read, run.now_ms)
    run.state.rooms[room] = sha256
    run.result.rooms += bool(new)
    run.result.has_more = run.result.has_more or bool(new)  # it goes up again, so that nothing seems to wait here
    return True
