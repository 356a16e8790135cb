"""What phones share: one tap on what was said, who confirms, the board after the reveal and not before, the timer."""

import re
import time

import httpx
import pytest

from collector.clock import iso_here, now_ms
from collector.room_store import Writer, make_contribution, new_token
from collector.rooms.boards.reactions import reactions_in
from tests.conftest import Node
from tests.rooms_web.furnished_room import put
from tests.rooms_web.people_room import EVERY_TYPE, PeopleRoom, Phone, words_of


@pytest.fixture
def room(node: Node) -> PeopleRoom:
    return PeopleRoom(node, *EVERY_TYPE)


def tap(phone: Phone, step: str, ref: str, reaction: str, **more: str) -> int:
    told = {"_what": "reaction", "_step": step, "ref": ref, "reaction": reaction} | more
    return phone.client.post(f"/s/{phone.code}/reaccion", data=told).status_code


def counts(room: PeopleRoom, ref: str) -> dict[str, int]:
    found = reactions_in(room.now).get(ref)
    return dict(found.counts) if found else {}


def test_one_tap_counts_once_a_person_changes_and_is_taken_back(room: PeopleRoom) -> None:
    room.step("pregunta")
    said = room.statement("pregunta", "Falta agua")
    first, second = room.phone(), room.phone()
    assert tap(first, "pregunta", said, "also") == 200
    tap(second, "pregunta", said, "also")
    assert counts(room, said) == {"also": 2}
    tap(first, "pregunta", said, "doubt")
    assert counts(room, said) == {"also": 1, "doubt": 1}
    tap(first, "pregunta", said, "doubt")
    assert counts(room, said) == {"also": 1}
    tap(first, "pregunta", said, "doubt")
    assert counts(room, said) == {"also": 1, "doubt": 1}


def test_a_tap_carries_the_seat_and_never_the_ballot(room: PeopleRoom) -> None:
    room.step("pregunta")
    said = room.statement("pregunta", "Falta agua")
    phone = room.phone(**{"seg.generacion": "joven"})
    tap(phone, "pregunta", said, "also")
    (told,) = room.told("reaction")
    assert told["seat"] == "P1" and told["step"] == "pregunta"
    assert "ballot" not in told and "segments" not in told


def test_the_own_tap_is_pressed_and_the_others_are_not_told_before_the_reveal(room: PeopleRoom) -> None:
    room.step("pregunta")
    said = room.statement("pregunta", "Falta agua")
    first, second = room.phone(), room.phone()
    tap(first, "pregunta", said, "also")
    pressed = re.compile(rf'id="tap-also-{said}"[^>]*aria-pressed="true"')
    assert pressed.search(first.see().text) and not pressed.search(second.see().text)
    assert "A mí también 1" not in words_of(second.see())
    room.step("pregunta", "revealed")
    assert "A mí también 1" in words_of(second.see()) and "A mí también · 1" in words_of(second.see())


def test_what_others_tap_draws_no_phone_anew_while_the_step_is_open(room: PeopleRoom) -> None:
    room.step("pregunta")
    said = room.statement("pregunta", "Falta agua")
    first, second = room.phone(), room.phone()
    tag = second.see(**{"HX-Request": "true"}).headers["ETag"]
    tap(first, "pregunta", said, "also")
    assert second.see(**{"HX-Request": "true", "If-None-Match": tag}).status_code == 304


def test_a_statement_that_is_voted_on_takes_taps_after_the_reveal_alone(room: PeopleRoom) -> None:
    room.step("frases")
    said = room.statement("frases", "El agua llega")
    phone = room.phone()
    assert "A mí también" not in words_of(phone.see())
    assert tap(phone, "frases", said, "also") == 422
    room.step("frases", "revealed")
    assert tap(phone, "frases", said, "also") == 200
    assert counts(room, said) == {"also": 1}


def test_an_organisation_confirms_an_agreement_from_a_phone(room: PeopleRoom) -> None:
    room.step("acuerdos")
    phone = room.phone()
    phone.give("acuerdos", "agreement", what="Arreglar la bomba", who="Junta comunal")
    (agreed,) = room.now.of("agreement")
    assert tap(phone, "acuerdos", agreed.id, "", _what="confirm", actor="Junta comunal") == 200
    assert reactions_in(room.now)[agreed.id].actors == ("Junta comunal",)
    assert tap(phone, "acuerdos", agreed.id, "", _what="confirm", actor="") == 422
    assert tap(phone, "acuerdos", agreed.id, "", _what="confirm", actor="Junta comunal", none="1") == 200
    assert reactions_in(room.now) == {}


@pytest.mark.parametrize("ref", ["", "no-es-un-id", "0189abcd-0000-7000-8000-000000000000"])
def test_a_tap_on_nothing_stores_nothing(room: PeopleRoom, ref: str) -> None:
    room.step("pregunta")
    assert tap(room.phone(), "pregunta", ref, "also") == 422
    assert not room.told("reaction")


def test_a_closed_room_and_a_stranger_give_no_taps(room: PeopleRoom) -> None:
    room.step("pregunta")
    said = room.statement("pregunta", "Falta agua")
    assert "Entrar" in words_of(Phone(room.node, room.code).client.post(f"/s/{room.code}/reaccion", data={"ref": said}))
    phone = room.phone()
    room.say("close", {"summary": "", "read_back": True})
    assert tap(phone, "pregunta", said, "also") == 422
    assert not room.told("reaction")


def vote(room: PeopleRoom, ref: str, *choices: str) -> None:
    for choice in choices:
        voter = Writer(new_token())
        put(room.node, make_contribution(room.id, "vote", {"choice": choice}, voter, 1, step="frases", ref=ref))


def test_a_phone_shows_the_board_when_it_is_revealed_and_nothing_of_it_before(room: PeopleRoom) -> None:
    room.step("frases")
    said = room.statement("frases", "El agua llega")
    phone = room.phone()
    vote(room, said, "agree", "agree", "agree", "agree", "disagree", "pass")
    for state in ("open", "locked"):
        room.step("frases", state)
        assert "%" not in words_of(phone.see()) and "shown-board" not in phone.see().text
    room.step("frases", "revealed")
    shown = words_of(phone.see())
    assert "67 % entre 30 y 90" in shown.replace("\N{NO-BREAK SPACE}", " ")


def test_a_board_of_fewer_than_five_people_stays_hidden_on_phones_too(room: PeopleRoom) -> None:
    room.step("frases")
    said = room.statement("frases", "El agua llega")
    phone = room.phone()
    vote(room, said, "agree", "agree", "agree", "disagree")
    room.step("frases", "revealed")
    assert "hacen falta 5 personas" in words_of(phone.see()) and "75" not in words_of(phone.see())


def test_every_revealed_step_draws_on_a_phone_in_both_languages(room: PeopleRoom) -> None:
    phones = Phone(room.node, room.code), Phone(room.node, room.code, "en")
    for phone in phones:
        phone.join()
    for step in EVERY_TYPE:
        room.step(step.name, "revealed")
        for phone in phones:
            found = phone.see()
            assert found.status_code == 200 and step.name in words_of(found)
        room.step(step.name, "hidden")


def test_the_timer_stands_on_phones_and_says_when_it_is_over_and_locks_nothing(room: PeopleRoom) -> None:
    phone = room.phone()
    room.step("frases", until=iso_here(now_ms() + 90_000))
    left = re.search(r'data-seconds="(\d+)"', phone.see().text)
    assert left and 80 <= int(left[1]) <= 90
    room.step("frases", until=iso_here(now_ms() - 1000))
    over = phone.see()
    assert 'data-seconds="0"' in over.text and "Se acabó el tiempo" in over.text
    assert phone.give("frases", "statement", text="Todavía se puede").status_code == 200
    assert [item.text for item in room.now.of("statement")] == ["Todavía se puede"]


def test_phones_and_the_wall_show_the_step_that_was_revealed_last_wherever_it_stands(
    host: httpx.Client, room: PeopleRoom
) -> None:
    phone = room.phone()
    room.step("acuerdos", "locked")
    time.sleep(0.002)  # two acts of one millisecond have no order but that of the guide
    room.step("pregunta", "revealed")
    assert "pregunta" in words_of(phone.see()) and "acuerdos" not in words_of(phone.see())
    assert "pregunta" in words_of(host.get(f"/sala/{room.id}/tablero"))
