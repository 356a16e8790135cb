"""Boards of what is said in the open: groups, the iceberg, the timeline and who spoke."""

from collector.rooms.boards.affinity import affinity_board
from collector.rooms.boards.iceberg import iceberg_board, iceberg_changes
from collector.rooms.boards.timeline import balance, timeline
from collector.rooms.contributions import ids_of_seat
from collector.rooms.room import room_of
from tests.rooms.making import SESSION, START_MS, Making, made_id, segment_of, step_of


def test_items_stand_in_their_latest_group_and_the_largest_group_first() -> None:
    making = Making()
    made = making.guided(step_of("statements", "s"), step_of("affinity", "f", of="s"))
    items = [making.make("statement", {"text": text}, step="s") for text in "abcde"]
    for place, group in [
        (0, "Luz"),
        (1, "Agua"),
        (2, "agua "),
        (3, "Luz"),
        (3, "ÁGUA"),
        (1, "Agua"),
        (4, "Luz"),
        (4, ""),
    ]:
        made.append(making.make("placement", {"group": group}, step="f", ref=items[place].id))
    board = affinity_board(room_of([*made, *items]), "f")
    assert [(group.name, [item.text for item in group.items]) for group in board.groups] == [
        ("Agua", ["b", "c", "d"]), ("Luz", ["a"]),
    ]  # fmt: skip
    assert ([item.text for item in board.apart], board.n) == (["e"], 5)


def test_a_note_can_be_put_into_a_group_and_a_hidden_statement_is_in_none() -> None:
    making = Making()
    made = making.guided(step_of("affinity", "f"))
    note = making.make("note", {"text": "nota"}, step="f")
    other = making.make("note", {"text": "otra"}, step="f")
    hidden = making.make("statement", {"text": "malo"}, step="f")
    made += [note, other, hidden, making.make("moderate", {"state": "hidden"}, ref=hidden.id)]
    made += [making.make("placement", {"group": "G"}, step="f", ref=each.id) for each in (note, hidden)]
    board = affinity_board(room_of(made), "f")
    assert [(group.name, [item.text for item in group.items]) for group in board.groups] == [("G", ["nota"])]
    assert board.apart == ()


def test_an_undone_placement_gives_the_item_back_to_its_group_before() -> None:
    making = Making()
    made = making.guided(step_of("affinity", "f"))
    item = making.make("statement", {"text": "a"}, step="f")
    first = making.make("placement", {"group": "Uno"}, step="f", ref=item.id)
    second = making.make("placement", {"group": "Dos"}, step="f", ref=item.id)
    undo = making.make("undo", ref=second.id)
    assert [group.name for group in affinity_board(room_of([*made, item, first, second, undo]), "f").groups] == ["Uno"]


def iceberg(*texts: tuple[str, str]) -> tuple[Making, list[str], list[object]]:
    making = Making()
    made = making.guided(step_of("iceberg", "i"))
    items = [making.make("iceberg", {"text": text, "level": level}, step="i") for text, level in texts]
    return making, [each.id for each in items], [*made, *items]


def test_an_item_without_evidence_is_an_assumption() -> None:
    making, ids, made = iceberg(("Protesta", "event"), ("Se repite", "pattern"), ("Todo es culpa de otro", "model"))
    record = made_id(77, START_MS)
    links = [
        making.make("link", {"to": record, "relation": "evidence"}, step="i", ref=ids[0]),
        making.make("link", {"to": record, "relation": "evidence"}, step="i", ref=ids[0]),
        making.make("link", {"to": ids[0], "relation": "causes"}, step="i", ref=ids[2]),
        making.make("link", {"to": ids[0], "relation": "causes"}, step="i", ref=ids[2]),
        making.make("link", {"to": SESSION, "relation": "reinforces"}, step="i", ref=ids[1]),
    ]
    board = iceberg_board(room_of([*made, *links]), "i")  # type: ignore[list-item]
    assert {level: [item.text for item in items] for level, items in board.levels.items()} == {
        "event": ["Protesta"], "pattern": ["Se repite"], "structure": [], "model": ["Todo es culpa de otro"],
    }  # fmt: skip
    assert [item.text for item in board.assumptions] == ["Se repite", "Todo es culpa de otro"]
    assert board.items[0].evidence == (record,)
    assert [(link.start, link.end, link.relation) for link in board.links] == [(ids[2], ids[0], "causes")]


def test_an_item_is_moved_between_levels_without_dragging() -> None:
    making, ids, made = iceberg(("Se repite", "event"))
    moved = making.make("placement", {"group": "pattern"}, step="i", ref=ids[0])
    board = iceberg_board(room_of([*made, moved]), "i")  # type: ignore[list-item]
    assert [item.level for item in board.items] == ["pattern"]


def test_two_workshops_differ_by_what_was_added_left_out_and_moved() -> None:
    _, _, first = iceberg(("Protesta", "event"), ("Centralismo", "pattern"), ("Cansancio", "event"))
    _, _, second = iceberg(("¡protesta!", "event"), ("centralismo", "structure"), ("Basura", "event"))
    changes = iceberg_changes(iceberg_board(room_of(first), "i"), iceberg_board(room_of(second), "i"))  # type: ignore[arg-type]
    assert [item.text for item in changes.added] == ["Basura"]
    assert [item.text for item in changes.gone] == ["Cansancio"]
    assert [(item.text, item.level, level) for item, level in changes.moved] == [
        ("centralismo", "structure", "pattern")
    ]


def test_a_quote_needs_the_mark_the_words_themselves_and_the_consent_of_its_seat() -> None:
    making = Making()
    made = [making.make("consent", {"purposes": {"quote": True}}, seat="P1")]
    words = {"text": "a", "quote": True, "form": "verbatim"}
    for seat, payload in [
        ("P1", words), ("P2", words), ("P1", {**words, "form": "paraphrase"}), ("P1", {**words, "quote": False}),
    ]:  # fmt: skip
        made.append(making.make("note", payload, seat=seat))
    assert [row.may_quote for row in timeline(room_of(made))] == [True, False, False, False]


def test_the_timeline_numbers_notes_and_can_be_of_one_step() -> None:
    making = Making()
    made = [making.make("seat", {"segments": {"g": "joven"}}, seat="P1")]
    made += [
        making.make("note", {"text": text}, seat="P1", step=step) for text, step in [("a", "x"), ("b", "y"), ("c", "x")]
    ]
    rows = timeline(room_of(made))
    assert [(row.number, row.item.text, dict(row.segments)) for row in rows] == [
        (number, text, {"g": "joven"}) for number, text in enumerate("abc", start=1)
    ]
    assert [row.item.text for row in timeline(room_of(made), "x")] == ["a", "c"]


def test_a_seat_that_never_spoke_is_shown() -> None:
    """P1 4 notes and P2 2 (joven: 3.0 a seat), P3 none, P4 of no declared value 1, the group 2."""
    making = Making()
    made = making.guided(segments=[segment_of("g", "joven", "mayor")])
    for seat, value in [("P1", "joven"), ("P2", "joven"), ("P3", "mayor"), ("P4", "otra")]:
        made.append(making.make("seat", {"segments": {"g": value}}, seat=seat))
    for seat, notes in [("P1", 4), ("P2", 2), ("P4", 1), ("", 2)]:
        spoken = {"seat": seat} if seat else {}
        made += [making.make("note", {"text": "a"}, **spoken) for _ in range(notes)]
    found = balance(room_of(made))
    assert [(seat.seat, seat.notes) for seat in found.seats] == [("P1", 4), ("P2", 2), ("P3", 0), ("P4", 1)]
    assert (found.silent, found.of_the_group) == (("P3",), 2)
    assert [(group.value, group.seats, group.notes, group.per_seat) for group in found.by_segment["g"]] == [
        ("joven", 2, 6, 3.0), ("mayor", 1, 0, 0.0), ("", 1, 1, 1.0),
    ]  # fmt: skip


def test_erasing_what_a_seat_said_takes_it_out_of_every_board() -> None:
    making = Making()
    kept = making.make("note", {"text": "queda"}, seat="P2")
    made = [
        kept,
        making.make("note", {"text": "se va"}, seat="P1"),
        making.make("seat", {"segments": {"g": "joven"}}, seat="P1"),
        making.make("consent", {"purposes": {"quote": True}}, seat="P1"),
        making.make("undo", ref=kept.id, seat="P1"),
    ]
    erased = ids_of_seat(made, "P1")
    room = room_of([each for each in made if each.id not in erased])
    assert len(erased) == 4
    assert [row.item.text for row in timeline(room)] == ["queda"]
    assert ([seat.seat for seat in balance(room).seats], dict(room.consents)) == (["P2"], {})
