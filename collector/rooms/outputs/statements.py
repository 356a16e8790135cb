"""Statements and their votes in the columns of Polis' comments.csv, so that its tools read them.

author-id is a number of the row and says nothing of who wrote what: with the seat in it, somebody who was in the room
could put a person's statements together. agrees and disagrees are empty until the votes are revealed and at least
five people gave one; counts are those of the board. Times are cut to the minute.
"""

from collector.clock import parse_iso
from collector.rooms.boards.statements import StatementRow, statement_board
from collector.rooms.guide import Step, text_in
from collector.rooms.outputs.csv import csv_text
from collector.rooms.outputs.document import Document, Paragraph
from collector.rooms.outputs.heading import facts_line, notice_of
from collector.rooms.outputs.secret_parts import statement_parts
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.room import Item, ItemState, Room

HEAD = (
    "timestamp", "datetime", "comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body",
)  # fmt: skip
MODERATED: dict[ItemState, int] = {"hidden": -1, "waiting": 0, "shown": 1}
MINUTE_MS = 60_000


def comments_csv(room: Room, step: str) -> str:
    """Return the statements of a step, also hidden ones and those that wait, by the time they were given.

    timestamp: epoch milliseconds; datetime: the same as written on the device, to the minute; comment-id: from 0;
    moderated: -1 hidden, 0 waits, 1 shown. No byte order mark: Polis' readers would take it for a letter.
    """
    rows = {row.id: row for row in statement_board(room, step).rows}
    items = room.of("statement", step, with_hidden=True)
    return csv_text(HEAD, [_row(number, item, rows.get(item.id)) for number, item in enumerate(items)], bom=False)


def statements_document(room: Room, step: Step, tongue: Tongue = SPANISH) -> Document:
    """Return the statements shown in a step with their votes, once these may be seen, to read and print."""
    title = f"{text_in(step.label, tongue.language)}: {room.facts.title}"
    parts = (Paragraph(facts_line(room, tongue)), *statement_parts(room, step, tongue))
    return Document(title, parts, tongue.language, notice_of(room, tongue))


def _row(number: int, item: Item, counted: StatementRow | None) -> tuple[object, ...]:
    tally = counted.tally if counted else None
    agrees, disagrees = (tally.agrees, tally.disagrees) if tally else (None, None)
    minute_ms = item.at_ms - item.at_ms % MINUTE_MS
    return (
        minute_ms, _to_the_minute(item.finished), number, number, agrees, disagrees, MODERATED[item.state], item.text,
    )  # fmt: skip


def _to_the_minute(finished: str) -> str:
    """Return "2026-11-22 10:05" of the time as its device wrote it."""
    return finished[:16].replace("T", " ") if parse_iso(finished) else ""
