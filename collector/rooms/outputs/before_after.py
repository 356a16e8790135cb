"""Before and after over several rooms: who answered twice, joined by the code on their card, as a document and CSV."""

from collections.abc import Iterator, Sequence

from collector.rooms.boards.paired import PairedBoard, PairedChange, PairedRow, paired_board
from collector.rooms.guide import text_in
from collector.rooms.outputs.csv import csv_text
from collector.rooms.outputs.document import Document, Paragraph
from collector.rooms.outputs.energy import four_decimals
from collector.rooms.outputs.heading import notice_of
from collector.rooms.outputs.secret_parts import paired_board_parts
from collector.rooms.outputs.tongue import SPANISH, Tongue
from collector.rooms.room import Room

HEAD = (
    "item", "label", "group", "n_before", "n_after", "n_paired", "unpaired", "mean_before", "mean_after",
    "change", "change_low", "change_high", "rose", "same", "fell", "state",
)  # fmt: skip


def before_after_document(
    rooms: Sequence[Room], step: str, segment: str = "", tongue: Tongue = SPANISH, rounds: tuple[int, int] = (0, 1)
) -> Document:
    """Return the changes between two rounds. rooms: at least one; raises KeyError for a step no guide of theirs has."""
    board = paired_board(rooms, step, segment, *rounds)
    titles = sorted({room.facts.title for room in rooms if room.facts.title})
    newest = max(rooms, key=lambda room: room.session)
    parts = (Paragraph(" · ".join(titles)), *paired_board_parts(newest, board, tongue))
    notice = next(filter(None, (notice_of(room, tongue) for room in rooms)), "")
    return Document(tongue("Antes y después"), parts, tongue.language, notice)


def before_after_csv(
    rooms: Sequence[Room], step: str, segment: str = "", tongue: Tongue = SPANISH, rounds: tuple[int, int] = (0, 1)
) -> str:
    """Return a row an item, then one for each group of it that may be shown (group: its value, "" for all).

    Means and changes with four decimals, on the scale of the question. state: "shown", or why a row has no figures:
    "few" (fewer than five pairs); there are no rows while the votes are blind.
    """
    board = paired_board(rooms, step, segment, *rounds)
    return csv_text(HEAD, [row for item in board.rows for row in _rows(item, board, tongue)])


def _rows(row: PairedRow, board: PairedBoard, tongue: Tongue) -> Iterator[tuple[object, ...]]:
    label = text_in(row.item.label, tongue.language)
    counts = (row.n_before, row.n_after, row.n_paired, row.unpaired)
    yield row.item.name, label, "", *counts, *_figures(row.change)
    for group in row.groups:
        few = (None, None, group.change.n_paired, None)
        yield row.item.name, label, f"{board.segment}={group.value}", *few, *_figures(group.change)


def _figures(change: PairedChange | None) -> tuple[object, ...]:
    if change is None:
        return (None,) * 8 + ("few",)
    means = (change.mean_before, change.mean_after, change.change.mean, change.change.low, change.change.high)
    return *map(four_decimals, means), change.rose, change.same, change.fell, "shown"
