"""What a facilitator can take back: the last thing that was done in a room, or the last that was taken back."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fastapi import Request

from collector.rooms.contributions import Contribution, in_order
from collector.rooms.payloads import FACILITATOR
from collector.rooms.undoing import undone_ids
from collector.routes.rooms_common import rooms_of

MOVES = frozenset({"placement", "link"})
TAKEN_BACK = FACILITATOR - {"undo"} | MOVES | {"minute", "photo"}


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


def last_said(
    request: Request, session: str, kinds: Collection[str] = TAKEN_BACK, *, step: str = "", by: str = ""
) -> LastSaid:
    """Return what of `kinds` was done last in a room. The record that opened it stays: it is the room.

    step: of this step alone; by: of this writer alone, but for what was moved or joined, which is everybody's.
    """
    ordered = in_order(rooms_of(request).said(session))
    gone = undone_ids(ordered)
    by_id = {each.id: each for each in ordered}
    standing = [each for each in ordered if each.id not in gone and each.id != session]
    counted = {
        each.id
        for each in ordered
        if each.what in kinds and step in ("", _step_of(each, by_id)) and (each.what in MOVES or by in ("", each.by))
    }
    done = [Undoable(each.id, False, each) for each in standing if each.id in counted]
    undos = [
        Undoable(each.id, True, by_id[each.ref]) for each in standing if each.what == "undo" and each.ref in counted
    ]
    return LastSaid(done[-1] if done else None, undos[-1] if undos else None)


def _step_of(contribution: Contribution, by_id: Mapping[str, Contribution]) -> str:
    """Return the step that a contribution belongs to: its own, else that of what it speaks of."""
    about = by_id.get(contribution.ref)
    return contribution.step or (about.step if about else "")
