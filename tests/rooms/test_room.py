"""A room out of contributions: the same in any order, facts settled field by field, undos that can be undone."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.rooms.accepting import check_accepts
from collector.rooms.contributions import Contribution
from collector.rooms.refusals import Refusal
from collector.rooms.room import Facts, room_of
from tests.rooms.making import MINUTE, SESSION, START_MS, Making, made_id, step_of
from tests.rooms.sample import every_board, sample_room


def texts(contributions: Sequence[Contribution], what: str = "note") -> list[str]:
    return [item.text for item in room_of(contributions).of(what)]


def test_two_note_takers_without_network_merge_into_one_timeline() -> None:
    first, second = Making(), Making()
    mine = [
        first.make("note", {"text": f"uno {at}"}, id=made_id(at, START_MS), by="tablet-one", at=at) for at in (1, 3, 5)
    ]
    theirs = [
        second.make("note", {"text": f"dos {at}"}, id=made_id(90 + at, START_MS), by="tablet-two", at=at)
        for at in (2, 3, 4)
    ]
    wanted = ["uno 1", "dos 2", "uno 3", "dos 3", "dos 4", "uno 5"]
    assert texts(mine + theirs) == texts(theirs + mine) == texts([*theirs, *reversed(mine), *theirs]) == wanted


def test_notes_of_one_moment_stand_by_writer_and_then_by_the_writer_s_counter() -> None:
    making = Making()
    notes = [
        making.make("note", {"text": text}, by=by, count=count, at=9)
        for text, by, count in [("c", "tablet-b", 1), ("b", "tablet-a", 10), ("a", "tablet-a", 9)]
    ]
    assert texts(notes) == texts(notes[::-1]) == ["a", "b", "c"]


def test_facts_are_settled_field_by_field_and_the_latest_wins() -> None:
    making = Making()
    told = [
        making.make("session", {"title": "Sala", "place": "Soná", "round": 1}),
        making.make("session", {"place": "Santiago"}),
        making.make("session", {"demo": True, "place": ""}),
    ]
    assert room_of(told[::-1]).facts == Facts(title="Sala", place="", round=1, demo=True)


def test_a_seat_gathers_its_segments_and_one_that_only_spoke_is_there_too() -> None:
    making = Making()
    room = room_of([
        making.make("seat", {"segments": {"generacion": "joven"}}, seat="P10"),
        making.make("seat", {"segments": {"origen": "aqui"}}, seat="P10"),
        making.make("seat", {}, seat="P2"),
        making.make("note", {"text": "a"}, seat="P3"),
    ])  # fmt: skip
    assert [(seat.code, dict(seat.segments), seat.is_declared) for seat in room.seats.values()] == [
        ("P2", {}, True),
        ("P3", {}, False),
        ("P10", {"generacion": "joven", "origen": "aqui"}, True),
    ]


def test_a_seat_s_own_consent_counts_before_that_of_the_group() -> None:
    making = Making()
    room = room_of([
        making.make("consent", {"purposes": {"notes": True, "quote": True}}),
        making.make("consent", {"purposes": {"quote": True}}, seat="P1"),
        making.make("consent", {"purposes": {"quote": False}}, seat="P1"),
    ])  # fmt: skip
    assert [room.allows(seat, "quote") for seat in ("P1", "P2", "")] == [False, True, True]
    assert room.allows("P1", "notes") and not room.allows("P2", "photo")


def test_an_undo_takes_back_and_an_undo_of_it_brings_back() -> None:
    making = Making()
    note = making.make("note", {"text": "a"})
    undo = making.make("undo", ref=note.id)
    redo = making.make("undo", ref=undo.id)
    again = making.make("undo", ref=redo.id)
    assert texts([note]) == ["a"]
    assert texts([undo, note]) == []
    assert [item.text for item in room_of([note, undo]).undone] == ["a"]
    assert texts([redo, undo, note]) == ["a"]
    assert texts([again, redo, undo, note]) == []


def test_an_undo_holds_though_the_clock_of_its_tablet_runs_behind() -> None:
    making = Making()
    note = making.make("note", {"text": "a"}, at=500)
    assert texts([note, making.make("undo", ref=note.id, at=1)]) == []


def test_two_undos_of_one_note_need_two_undos() -> None:
    making = Making()
    note = making.make("note", {"text": "a"})
    first, second = making.make("undo", ref=note.id), making.make("undo", ref=note.id)
    assert texts([note, first, second, making.make("undo", ref=first.id)]) == []
    assert texts([note, first, second, making.make("undo", ref=first.id), making.make("undo", ref=second.id)]) == ["a"]


def test_undos_that_name_each_other_undo_nothing() -> None:
    making = Making()
    note = making.make("note", {"text": "a"})
    one, other = made_id(501, START_MS), made_id(502, START_MS)
    ring = [making.make("undo", id=one, ref=other), making.make("undo", id=other, ref=one)]
    assert texts([note, *ring, making.make("undo", ref=note.id)]) == []
    assert texts([note, *ring]) == ["a"]


def test_facts_and_steps_can_be_undone_as_well() -> None:
    making = Making()
    told = making.make("session", {"title": "Sala"})
    renamed = making.make("session", {"title": "Otra"})
    opened = making.make("step", {"state": "open"}, step="s")
    shown = making.make("step", {"state": "revealed"}, step="s")
    closed = making.make("close", {"summary": "Fin", "read_back": True})
    everything = [told, renamed, opened, shown, closed]
    room = room_of(everything)
    assert (room.facts.title, room.run("s").state, room.is_closed) == ("Otra", "revealed", True)
    undone = room_of([*everything, *(making.make("undo", ref=each.id) for each in (renamed, shown, closed))])
    assert (undone.facts.title, undone.run("s").state, undone.is_closed) == ("Sala", "open", False)


def test_nobody_but_its_ballot_can_take_a_vote_back() -> None:
    making = Making()
    start = making.guided(step_of("dots", "d", "a", "b"))
    vote = making.vote("allocation", "one", {"points": {"a": 10}}, step="d")
    taken = room_of([*start, vote, making.make("undo", ref=vote.id)])
    assert taken.secret.of("allocation", "d")[0].payload == {"points": {"a": 10}}
    newer = making.vote("allocation", "one", {"points": {"b": 1}}, step="d")
    assert [each.payload for each in room_of([newer, *start, vote]).secret.votes] == [{"points": {"b": 1}}]


def test_the_newest_of_a_ballot_counts_by_its_own_counter_and_not_by_the_clock() -> None:
    making = Making()
    start = making.guided(step_of("dots", "d", "a", "b"))
    late_clock = making.vote("allocation", "one", {"points": {"a": 1}}, step="d", at=9000, count=1)
    newer = making.vote("allocation", "one", {"points": {"a": 2}}, step="d", at=1, count=2)
    assert [each.payload for each in room_of([*start, newer, late_clock]).secret.votes] == [{"points": {"a": 2}}]


def test_a_statement_waits_for_moderation_where_the_guide_says_so() -> None:
    making = Making()
    start = making.guided(step_of("statements", "s", moderation="before"), step_of("statements", "t"))
    waiting = making.make("statement", {"text": "a"}, step="s")
    shown = making.make("statement", {"text": "b"}, step="s")
    open_one = making.make("statement", {"text": "c"}, step="t")
    hidden = making.make("statement", {"text": "d"}, step="t")
    moderated = [
        making.make("moderate", {"state": "shown"}, ref=shown.id),
        making.make("moderate", {"state": "shown"}, ref=hidden.id),
        making.make("moderate", {"state": "hidden"}, ref=hidden.id),
    ]
    room = room_of([*moderated, *start, waiting, shown, open_one, hidden])
    assert [item.text for item in room.of("statement")] == ["b", "c"]
    assert [item.state for item in room.of("statement", with_hidden=True)] == ["waiting", "shown", "shown", "hidden"]


def test_a_kind_of_a_later_release_is_counted_and_left_alone() -> None:
    making = Making()
    note = making.make("note", {"text": "a"})
    room = room_of([note, making.make("hologram", {"x": 1})])
    assert (room.unknown, room.items) == (1, room_of([note]).items)


def test_contributions_of_two_sessions_make_no_room() -> None:
    other = Making(session=made_id(7, START_MS))
    with pytest.raises(ValueError, match="2 sessions"):
        room_of([Making().make("note", {"text": "a"}), other.make("note", {"text": "b"}, at=77)])


def test_no_contributions_make_an_empty_room() -> None:
    room = room_of([])
    assert (room.session, room.items, room.guide, room.is_closed, room.present) == ("", (), None, False, 0)


def test_two_contents_of_one_id_give_one_room_in_any_order() -> None:
    making = Making()
    first = making.make("note", {"text": "a"})
    second = making.make("note", {"text": "b"}, id=first.id, at=1, by="tablet-of-the-host", count=1)
    assert first.place == second.place
    assert room_of([first, second]) == room_of([second, first])


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2**16))
def test_any_order_and_repetition_give_the_same_room_and_boards(order: random.Random, seed: int) -> None:
    contributions = sample_room(seed)
    room = room_of(contributions)
    boards = every_board(room)
    shuffled = [*contributions, *order.choices(contributions, k=len(contributions) // 3)]
    order.shuffle(shuffled)
    again = room_of(shuffled)
    assert again == room
    assert repr(again) == repr(room)
    assert repr(every_board(again)) == repr(boards)


def refused(contributions: list[Contribution], one_more: Contribution) -> str:
    try:
        check_accepts(room_of(contributions), one_more)
    except Refusal as refusal:
        return refusal.code
    return ""


def test_a_room_takes_a_vote_while_its_step_is_open() -> None:
    making = Making()
    start = making.guided(step_of("dots", "d", "a", "b", points=5))
    vote = making.vote("allocation", "one", {"points": {"a": 5}}, step="d")
    assert refused(start, vote) == ""
    for state in ("locked", "revealed", "hidden"):
        assert refused([*start, making.make("step", {"state": state}, step="d")], vote) == "step_closed"
    assert refused([*start, making.make("close", {})], vote) == "room_closed"
    assert refused([*start, making.make("close", {})], making.make("minute", {"text": "Leída."})) == ""
    assert refused(start, Making(session=made_id(3, START_MS)).make("note", {"text": "a"})) == "other_room"


FITTING = [
    ("over_budget", "allocation", {"points": {"a": 4, "b": 2}}, "d"),
    ("unknown_option", "allocation", {"points": {"z": 1}}, "d"),
    ("unknown_option", "rank", {"order": ["a", "z"]}, "r"),
    ("unknown_option", "measure", {"code": "EQXX7R", "item": "z", "value": 1, "round": 0}, "m"),
    ("off_the_scale", "measure", {"code": "EQXX7R", "item": "a", "value": 11, "round": 0}, "m"),
    ("unknown_step", "allocation", {"points": {}}, "zz"),
    ("wrong_step", "allocation", {"points": {}}, "r"),
]


@pytest.mark.parametrize(("code", "what", "payload", "step"), FITTING)
def test_what_does_not_fit_its_step_is_refused_and_never_counted(
    code: str, what: str, payload: dict[str, object], step: str
) -> None:
    making = Making()
    start = making.guided(
        step_of("dots", "d", "a", "b", points=5),
        step_of("rank", "r", "a", "b"),
        step_of("measure", "m", "a", "b", most=10),
    )
    start.append(making.make("step", {"state": "open"}, step="zz"))
    vote = making.vote(what, "one", payload, step=step)
    assert refused(start, vote) == code
    room = room_of([*start, vote])
    assert (room.secret.votes, room.misfits) == ((), 1)


@pytest.mark.parametrize(
    ("code", "criteria"),
    [
        ("criterion_missing", {"a": 1}),
        ("unknown_criterion", {"a": 1, "b": 1, "c": 1}),
        ("off_the_scale", {"a": 6, "b": 0}),
    ],
)
def test_a_score_gives_each_criterion_a_value_on_the_scale(code: str, criteria: dict[str, int]) -> None:
    making = Making()
    start = making.guided(step_of("score", "j", "a", "b", weights=(50, 50)))
    assert refused(start, making.make("score", {"target": "x", "criteria": criteria}, step="j", seat="J1")) == code


def test_a_session_s_order_is_by_time_and_not_by_id() -> None:
    making = Making()
    late = making.make("note", {"text": "late"}, at=60, id=made_id(1, START_MS - MINUTE))
    early = making.make("note", {"text": "early"}, at=2)
    assert texts([late, early]) == ["early", "late"]
    assert room_of([late]).session == SESSION
