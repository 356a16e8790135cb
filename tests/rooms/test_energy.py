"""The energy map of positions: six components, each against a result worked out by hand."""

from collector.rooms.boards.energy import EnergyRow, energy_board
from collector.rooms.contributions import Contribution
from collector.rooms.room import Room, room_of
from tests.rooms.making import START_MS, Making, made_id, segment_of, step_of

POSITIONS = ("gobierno", "cultura", "basura")
SECTOR = segment_of("sector", "publico", "comunidad", "empresa")


def energy_room(making: Making, *extra: Contribution, round_number: int = 1) -> list[Contribution]:
    step = step_of("energy", "e", *POSITIONS)
    return [*making.guided(step, segments=[SECTOR], round=round_number), *extra, making.reveal("e")]


def given(making: Making, sector: str, people: int, **points: int) -> list[Contribution]:
    """Return the points of so many people of a sector."""
    first = sum(1 for voter in making.ballots)
    segments = {"sector": sector} if sector else {}
    return [
        making.vote("allocation", f"v{first + number}", {"points": points}, step="e", segments=segments)
        for number in range(people)
    ]


def row_of(room: Room, name: str, previous: Room | None = None) -> EnergyRow:
    return next(row for row in energy_board(room, "e", previous).rows if row.option.name == name)


def test_the_known_winner_leads_with_its_share_and_interval() -> None:
    """48 people: 480 points, of which gobierno 192 (0.40), cultura 160 (0.333), basura 128 (0.267).

    Wilson of 48 people: 0.274 to 0.541, 0.217 to 0.475, 0.162 to 0.406: both others reach 0.274.
    """
    making = Making()
    points = given(making, "", 32, gobierno=6, cultura=2, basura=2) + given(making, "", 16, cultura=6, basura=4)
    room = room_of(energy_room(making, *points))
    rows = [row.preference for row in energy_board(room, "e").rows if row.preference]
    assert [(row.option.name, row.share.count) for row in rows] == [
        ("gobierno", 192), ("cultura", 160), ("basura", 128),
    ]  # fmt: skip
    assert [(round(row.share.low, 3), round(row.share.high, 3)) for row in rows] == [
        (0.274, 0.541), (0.217, 0.475), (0.162, 0.406),
    ]  # fmt: skip
    assert [row.is_tied for row in rows] == [True] * 3


def test_a_winner_far_ahead_is_tied_with_nobody() -> None:
    """40 people give gobierno 9 and cultura 1: 0.9 from 0.769, against 0.1 up to 0.231."""
    making = Making()
    room = room_of(energy_room(making, *given(making, "", 40, gobierno=9, cultura=1)))
    assert [row.preference.is_tied for row in energy_board(room, "e").rows if row.preference] == [False] * 3


def test_willingness_counts_actors_with_a_date_of_all_actors_named() -> None:
    making = Making()
    said = [
        making.make(
            "commitment", {"actor": "Junta Comunal", "text": "a", "position": "cultura", "by_when": "2027-01-01"}
        ),
        making.make(
            "commitment", {"actor": "junta  comunal.", "text": "b", "position": "cultura", "by_when": "2027-02-01"}
        ),
        making.make("commitment", {"actor": "Alcaldía", "text": "c", "position": "cultura"}),
        making.make("resource", {"actor": "Alcaldia", "kind": "human", "text": "d", "position": "cultura"}),
        making.make("resource", {"actor": "Escuela", "kind": "symbolic", "text": "e", "position": "cultura"}),
        making.make("resource", {"actor": "Escuela", "kind": "symbolic", "text": "f", "position": "cultura"}),
        making.make("expectation", {"actor": "Iglesia", "text": "g"}),
    ]
    room = room_of(energy_room(making, *said))
    row, other = row_of(room, "cultura"), row_of(room, "basura")
    assert (row.committed, row.promised, row.actors) == (1, 2, 4)
    assert row.resources == {"material": 0, "human": 1, "symbolic": 2}
    assert (other.committed, other.promised, other.actors) == (0, 0, 4)


def test_breadth_is_of_the_people_who_gave_points_by_their_sector() -> None:
    """gobierno: 5 + 5 + 5 people -> 3; cultura: 9 + 1 -> 1.384; basura: 4 people alone -> not told."""
    making = Making()
    points = [
        *given(making, "publico", 5, gobierno=1, cultura=1),
        *given(making, "comunidad", 5, gobierno=1),
        *given(making, "empresa", 5, gobierno=1),
        *given(making, "publico", 4, cultura=1),
        *given(making, "empresa", 1, cultura=1),
        *given(making, "publico", 4, basura=1),
    ]
    room = room_of(energy_room(making, *points))
    breadths = {row.option.name: row.breadth[0] for row in energy_board(room, "e").rows}
    assert breadths["gobierno"].number is not None and round(breadths["gobierno"].number, 9) == 3.0
    assert breadths["cultura"].number is not None and round(breadths["cultura"].number, 3) == 1.384
    assert (breadths["cultura"].n, breadths["basura"].number, breadths["basura"].n) == (10, None, 0)


def test_a_position_with_nine_tenths_from_one_sector_is_concentrated() -> None:
    """basura: 45 of 50 points from publico (0.90); cultura: 44 of 50 (0.88); gobierno: both give the same."""
    making = Making()
    points = [
        *given(making, "publico", 5, basura=9, gobierno=1),
        *given(making, "comunidad", 5, basura=1, gobierno=1, cultura=8),
    ]
    rows = {row.option.name: row for row in energy_board(room_of(energy_room(making, *points)), "e").rows}
    assert [(each.segment, each.value) for each in rows["basura"].concentration] == [("sector", "publico")]
    assert [(each.segment, each.value) for each in rows["cultura"].concentration] == [("sector", "comunidad")]
    assert rows["gobierno"].concentration == ()
    other = Making()
    less = [
        *given(other, "publico", 4, basura=9),
        *given(other, "publico", 1, basura=8),
        *given(other, "comunidad", 4, basura=1, cultura=9),
        *given(other, "comunidad", 1, basura=2, cultura=8),
    ]
    assert row_of(room_of(energy_room(other, *less)), "basura").concentration == ()


def test_a_concentration_in_a_group_too_small_is_told_without_its_name() -> None:
    making = Making()
    points = [*given(making, "publico", 3, basura=10), *given(making, "comunidad", 9, cultura=10)]
    row = row_of(room_of(energy_room(making, *points)), "basura")
    assert [(each.segment, each.value) for each in row.concentration] == [("sector", "")]


def test_where_only_one_sector_voted_nothing_is_called_concentrated() -> None:
    making = Making()
    row = row_of(room_of(energy_room(making, *given(making, "publico", 9, basura=10))), "basura")
    assert row.concentration == ()


def test_the_three_objections_most_people_share_are_told_in_the_first_words() -> None:
    making = Making()
    said = [
        ("Sin camión fijo", "P1"), ("sin camion fijo.", "P2"), ("Sin camión fijo", "P2"), ("Cuesta mucho", "P3"),
        ("Nadie responde", "P4"), ("NADIE RESPONDE", "P5"), ("¡Nadie responde!", "P6"), ("Falta tiempo", "P7"),
    ]  # fmt: skip
    objections = [
        making.make("objection", {"position": "basura", "reason": reason}, step="e", seat=seat) for reason, seat in said
    ]
    row = row_of(room_of(energy_room(making, *objections)), "basura")
    assert [(each.reason, each.count) for each in row.top_objections] == [
        ("Nadie responde", 3), ("Sin camión fijo", 2), ("Cuesta mucho", 1),
    ]  # fmt: skip
    assert row.objections == 7


def test_objections_of_a_tablet_without_seats_count_one_each() -> None:
    making = Making()
    objections = [making.make("objection", {"position": "basura", "reason": "No"}, step="e") for _ in range(3)]
    row = row_of(room_of(energy_room(making, *objections)), "basura")
    assert (row.objections, row.top_objections[0].count) == (3, 3)


def test_the_change_since_the_last_round_has_its_interval() -> None:
    """0.6 of 10 people before and 0.9 of 10 after: 0.3, from 0.3 - hypot(0.304, 0.232) to 0.3 + hypot(0.082, 0.287)."""
    before, after = Making(session=made_id(11, START_MS)), Making()
    earlier = room_of(energy_room(before, *given(before, "", 10, basura=6, cultura=4), round_number=1))
    room = room_of(energy_room(after, *given(after, "", 10, basura=9, cultura=1), round_number=2))
    change = row_of(room, "basura", earlier).change
    assert change is not None
    assert (round(change.change, 9), round(change.low, 3), round(change.high, 3)) == (0.3, -0.082, 0.599)
    assert (change.n_before, change.n_after) == (10, 10)
    board = energy_board(room, "e", earlier)
    assert (board.previous_round, board.round) == (1, 2)


def test_an_earlier_round_that_was_never_revealed_gives_no_change() -> None:
    before, after = Making(session=made_id(11, START_MS)), Making()
    earlier = room_of(energy_room(before, *given(before, "", 10, basura=6, cultura=4))[:-1])
    room = room_of(energy_room(after, *given(after, "", 10, basura=9, cultura=1)))
    board = energy_board(room, "e", earlier)
    assert (row_of(room, "basura", earlier).change, board.previous_round) == (None, None)


def test_before_the_reveal_the_open_components_stand_in_the_guide_s_order() -> None:
    making = Making()
    objection = making.make("objection", {"position": "basura", "reason": "No"}, step="e", seat="P1")
    room = room_of([*energy_room(making, *given(making, "publico", 9, basura=10), objection)[:-1]])
    board = energy_board(room, "e")
    assert [(row.option.name, row.preference, row.breadth, row.concentration) for row in board.rows] == [
        (name, None, (), ()) for name in POSITIONS
    ]
    assert (board.veil.state, board.veil.voters, board.rows[2].objections) == ("blind", 9, 1)
