"""Reactions: one for each writer and thing, taken back by themselves, never on a statement whose votes are blind."""

import itertools

import pytest

from collector.rooms.boards.reactions import actors_in, next_reaction, own_reactions, reactions_in, why_not
from collector.rooms.contributions import Contribution
from collector.rooms.room import room_of
from tests.rooms.making import Making, step_of

STEPS = (step_of("question", "pregunta"), step_of("statements", "frases"), step_of("agreements", "acuerdos"))
making = Making()
START = making.guided(*STEPS)
SAID = making.make("statement", {"text": "Falta agua"}, step="pregunta", seat="P1")
VOTED = making.make("statement", {"text": "El agua llega"}, step="frases")
AGREED = making.make("agreement", {"what": "Arreglar la bomba", "who": "Junta comunal"}, step="acuerdos")
BASE = [*START, SAID, VOTED, AGREED]


def tap(name: str, about: Contribution = SAID, **more: str) -> Contribution:
    """Return a tap of a phone: by its seat, unless `actor` or a writer of its own is given."""
    payload = {"reaction": name} | ({"actor": more.pop("actor")} if "actor" in more else {})
    return making.make("reaction", payload, ref=about.id, step=about.step, **more)


def test_the_latest_tap_of_a_seat_counts_and_none_takes_it_back() -> None:
    taps = [tap("also", seat="P1"), tap("also", seat="P2"), tap("doubt", seat="P1"), tap("none", seat="P2")]
    assert dict(reactions_in(room_of([*BASE, *taps]))[SAID.id].counts) == {"doubt": 1}


def test_people_without_a_seat_are_told_apart_by_their_writer() -> None:
    taps = [tap("also", by="turn-of-one-person"), tap("also", by="turn-of-another"), tap("also", by="turn-of-another")]
    assert dict(reactions_in(room_of([*BASE, *taps]))[SAID.id].counts) == {"also": 2}


def test_actors_confirm_each_once_whoever_writes_it_and_may_take_it_back() -> None:
    taps = [
        tap("confirm", AGREED, actor="Junta Comunal", seat="P1"),
        tap("confirm", AGREED, actor="Colegio"),
        tap("confirm", AGREED, actor="junta comunal"),
        tap("confirm", AGREED, actor="Comercios"),
        tap("none", AGREED, actor="COLEGIO", seat="P3"),
        tap("important", AGREED, seat="P1"),
    ]
    found = reactions_in(room_of([*BASE, *taps]))[AGREED.id]
    assert [name.casefold() for name in found.actors] == ["junta comunal", "comercios"]
    assert dict(found.counts) == {"important": 1}


def test_any_order_of_arrival_counts_the_same() -> None:
    taps = [tap("also", seat="P1"), tap("doubt", seat="P1"), tap("also", seat="P2"), tap("none", seat="P2")]
    found = {repr(reactions_in(room_of([*BASE, *order]))) for order in itertools.permutations(taps)}
    assert len(found) == 1


def test_what_was_hidden_or_undone_has_no_reactions() -> None:
    taps = [tap("also", seat="P1"), tap("important", AGREED, seat="P1")]
    gone = [
        making.make("moderate", {"state": "hidden"}, ref=SAID.id),
        making.make("undo", ref=AGREED.id),
    ]
    assert reactions_in(room_of([*BASE, *taps, *gone])) == {}


def test_a_tap_of_a_later_release_is_left_out() -> None:
    assert reactions_in(room_of([*BASE, tap("applause", seat="P1")])) == {}


def test_a_person_sees_what_they_tapped_themselves() -> None:
    room = room_of([*BASE, tap("also", seat="P1"), tap("doubt", seat="P2"), tap("important", by="turn-of-one-person")])
    assert own_reactions(room, [], "P1") == {SAID.id: "also"}
    assert own_reactions(room, ["turn-of-one-person"]) == {SAID.id: "important"}
    assert own_reactions(room, [], "P9") == {}


@pytest.mark.parametrize(
    ("pressed", "current", "said"), [("also", "", "also"), ("also", "doubt", "also"), ("also", "also", "none")]
)
def test_the_button_that_is_pressed_already_takes_back(pressed: str, current: str, said: str) -> None:
    assert next_reaction(pressed, current) == said


def test_a_statement_takes_no_tap_while_its_votes_are_blind() -> None:
    blind, shown = room_of(BASE), room_of([*BASE, making.reveal("frases")])
    assert why_not(blind, VOTED.id, "also") == "not_an_id"
    assert why_not(shown, VOTED.id, "also") == ""


@pytest.mark.parametrize(
    ("ref", "reaction", "actor", "why"),
    [
        (SAID.id, "also", "", ""),
        (SAID.id, "none", "", ""),
        (SAID.id, "applause", "", "not_one_of"),
        (SAID.id, "confirm", "Junta", "not_one_of"),
        (AGREED.id, "confirm", "Junta", ""),
        (AGREED.id, "confirm", "", "not_one_of"),
        (AGREED.id, "also", "Junta", "not_one_of"),
        (START[0].id, "also", "", "not_an_id"),
    ],
)
def test_a_tap_is_of_something_shown_and_of_a_name_that_is_offered(
    ref: str, reaction: str, actor: str, why: str
) -> None:
    assert why_not(room_of(BASE), ref, reaction, actor) == why


def test_actors_are_named_once_in_the_words_of_the_first() -> None:
    more = making.make("commitment", {"actor": "JUNTA COMUNAL", "text": "Dos personas"}, step="acuerdos")
    other = making.make("resource", {"actor": "Colegio", "kind": "human", "text": "Un aula"}, step="acuerdos")
    assert actors_in(room_of([*BASE, more, other])) == ("Junta comunal", "Colegio")
