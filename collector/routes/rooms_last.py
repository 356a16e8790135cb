"""What a facilitator can take back: the last thing that was done in a room, or the last that was taken back."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from fastapi import Request

from collector.db import reading
from collector.queries.contributions import bodies_of
from collector.rooms.contributions import Contribution, in_order, parse_contributions
from collector.rooms.payloads import FACILITATOR
from collector.rooms.undoing import undone_ids

TAKEN_BACK = FACILITATOR - {"undo"} | {"minute"}


@dataclass(frozen=True)
class Undoable:
    """A contribution that an undo would name. is_undo: it is itself one, so that undoing it brings back what it took.

    about: the contribution it is told by: of an undo the one that it took back.
    """

    id: str
    is_undo: bool
    about: Contribution


@dataclass(frozen=True)
class LastSaid:
    """The last thing that can be taken back, and the last undo that can be; None where there is none."""

    done: Undoable | None
    undone: Undoable | None


def last_said(request: Request, session: str, kinds: Collection[str] = TAKEN_BACK) -> LastSaid:
    """Return what of `kinds` was done last in a room. The record that opened it stays: it is the room."""
    with reading(request.app.state.engine) as store:
        bodies = bodies_of(store, session)
    found, _ = parse_contributions(json.loads(body) for body in bodies)
    ordered = in_order(found)
    gone = undone_ids(ordered)
    by_id = {each.id: each for each in ordered}
    standing = [each for each in ordered if each.id not in gone and each.id != session]
    done = [Undoable(each.id, False, each) for each in standing if each.what in kinds]
    undos = [
        Undoable(each.id, True, by_id[each.ref])
        for each in standing
        if each.what == "undo" and each.ref in by_id and by_id[each.ref].what in kinds
    ]
    return LastSaid(done[-1] if done else None, undos[-1] if undos else None)
