"""Phones in a room over real HTTP, without scripts: the way in, statements and votes, refusals, secrecy."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from collector.links import room_code
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import node_with_pin
from tests.rooms_web.people_room import OPTIONS, PeopleRoom, Phone, words_of


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node; each test opens a room of its own."""
    found = node_with_pin(tmp_path_factory.mktemp("gente"))
    yield found
    found.stop()


@pytest.fixture
def room(node: Node) -> PeopleRoom:
    return PeopleRoom(
        node, step_of("statements", "frases"), step_of("dots", "puntos", *OPTIONS), step_of("statements", "aparte")
    )


# --- the way in


def test_a_typed_code_in_any_case_leads_to_its_room(node: Node, room: PeopleRoom) -> None:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        assert 'name="code"' in client.get("/s").text
        found = client.get("/s", params={"code": f" {room.code[:2].lower()}-{room.code[2:]} "})
        assert found.url.path == f"/s/{room.code}" and "Jóvenes de Soná" in words_of(found)


def test_an_unknown_code_says_so_with_what_was_typed(node: Node) -> None:
    answer = httpx.get(f"{node.url}/s/BBBBB", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "Aquí no hay una sala con el código «BBBBB»." in words_of(answer) and 'value="BBBBB"' in answer.text
    assert httpx.post(f"{node.url}/s/BBBBB", data={}, headers={"Accept": "text/html"}).status_code == 404


def test_nobody_comes_in_without_having_ticked_to_take_part(node: Node, room: PeopleRoom) -> None:
    phone = Phone(node, room.code)
    page = phone.client.post(f"/s/{room.code}", data={"seg.generacion": "joven", "quote": "si"})
    assert page.status_code == 422 and "Falta su permiso." in words_of(page)
    assert re.search(r'id="quote"[^>]* checked', page.text) and re.search(r'value="joven" checked', page.text)
    assert not phone.client.cookies and not room.now.seats
    assert phone.see().url.path == f"/s/{room.code}"


def test_who_joins_gets_the_next_free_seat_with_segments_and_consent(room: PeopleRoom) -> None:
    room.say("seat", {"segments": {}}, seat="P1")
    room.say("seat", {"segments": {"generacion": "mayor"}}, seat="P2")  # somebody without a phone
    room.say("seat", {"segments": {}}, seat="P3")
    page = room.phone(**{"seg.generacion": "joven", "quote": "si"}).see()
    assert "Puesto P1" in words_of(page)
    assert "Puesto P3" in words_of(room.phone().see())
    assert "Puesto P4" in words_of(room.phone().see())
    seats = room.now.seats
    assert [seats[code].segments.get("generacion", "") for code in ("P1", "P2", "P3", "P4")] == [
        "joven", "mayor", "", "",
    ]  # fmt: skip
    assert room.now.allows("P1", "quote") and not room.now.allows("P3", "quote")
    assert room.now.allows("P3", "participate")


def test_a_segment_that_the_room_does_not_know_is_left_out(room: PeopleRoom) -> None:
    room.phone(**{"seg.generacion": "marciana", "seg.partido": "x"})
    assert room.now.seats["P1"].segments == {}


def test_who_is_in_already_keeps_the_seat(room: PeopleRoom) -> None:
    phone = room.phone()
    assert phone.client.get(f"/s/{room.code}").url.path == f"/s/{room.code}/ahora"
    phone.join()
    assert list(room.now.seats) == ["P1"]


def test_who_leaves_is_nobody_and_the_next_person_gets_another_seat(room: PeopleRoom) -> None:
    phone = room.phone()
    assert phone.client.post(f"/s/{room.code}/salir").url.path == f"/s/{room.code}"
    assert not phone.client.cookies
    assert "Puesto P2" in words_of(phone.join())


def test_a_closed_room_lets_nobody_in_and_thanks_who_was(node: Node, room: PeopleRoom) -> None:
    phone = room.phone()
    room.step("frases")
    room.say("close", {"summary": "", "read_back": True})
    late = Phone(node, room.code)
    assert "La reunión ya terminó." in words_of(late.client.get(f"/s/{room.code}"))
    assert late.join().status_code == 422 and list(room.now.seats) == ["P1"]
    assert "La reunión terminó" in words_of(phone.see())
    refused = phone.give("frases", "statement", text="Tarde")
    assert refused.status_code == 422 and "La reunión ya terminó" in words_of(refused)
    assert not room.told("statement")


def test_the_cookies_are_of_this_room_and_out_of_reach(node: Node, room: PeopleRoom) -> None:
    answer = httpx.post(f"{node.url}/s/{room.code}", data={"participate": "si"}, headers={"Accept": "text/html"})
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == [f"puesto_{room.code}", f"boleta_{room.code}"]
    assert all("HttpOnly" in each and "SameSite=lax" in each and "Path=/s;" in each for each in cookies)


@pytest.mark.parametrize("spoilt", ["puesto", "boleta"])
def test_a_cookie_that_somebody_changed_counts_for_nothing(room: PeopleRoom, spoilt: str) -> None:
    phone = room.phone()
    name = f"{spoilt}_{room.code}"
    real = phone.client.cookies[name]
    changed = real.replace("P1", "P7") if spoilt == "puesto" else real.replace("boleta%3D", "boleta%3Df")
    assert changed != real
    phone.client.cookies.delete(name)
    phone.client.cookies.set(name, changed, path="/s")
    assert phone.see().url.path == f"/s/{room.code}"


def test_the_cookies_of_one_room_are_worth_nothing_in_another(node: Node, room: PeopleRoom) -> None:
    other, phone = PeopleRoom(node, step_of("statements", "frases")), room.phone()
    for kind in ("puesto", "boleta"):
        phone.client.cookies.set(f"{kind}_{other.code}", phone.client.cookies[f"{kind}_{room.code}"], path="/s")
    assert phone.client.get(f"/s/{other.code}/ahora").url.path == f"/s/{other.code}"


def test_a_restart_of_the_node_sends_nobody_out(node: Node, room: PeopleRoom) -> None:
    phone = room.phone()
    del node.app.state.rooms_secret
    assert "Puesto P1" in words_of(phone.see())


# --- what is open


def test_a_phone_waits_until_a_step_is_open(room: PeopleRoom) -> None:
    phone = room.phone()
    assert "Todavía no hay nada abierto." in words_of(phone.see())
    room.step("puntos")
    assert "Le quedan 10" in words_of(phone.see())


def test_of_two_open_steps_a_person_chooses(room: PeopleRoom) -> None:
    phone = room.phone()
    room.open("frases", "puntos")
    page = phone.see()
    assert f'href="/s/{room.code}/ahora?paso=puntos"' in page.text and "Escribir una frase" in words_of(page)
    assert "Le quedan 10" in words_of(phone.see("?paso=puntos"))


def test_locked_and_revealed_steps_say_so_and_take_nothing(room: PeopleRoom) -> None:
    phone = room.phone()
    room.step("puntos")
    phone.give("puntos", "allocation", points__agua="10")
    room.step("puntos", "locked")
    assert "Este paso está cerrado." in words_of(phone.see())
    late = phone.give("puntos", "allocation", points__agua="1")
    assert late.status_code == 422 and "Este paso ya se cerró. Lo que dio antes está guardado." in words_of(late)
    room.step("puntos", "revealed")
    assert "El resultado está a la vista del grupo." in words_of(phone.see())
    assert [vote.payload for vote in room.now.secret.of("allocation", "puntos")] == [{"points": {"agua": 10}}]


def test_a_poll_that_finds_nothing_new_costs_no_body(room: PeopleRoom) -> None:
    phone, other = room.phone(), room.phone()
    room.step("frases")
    first = room.statement("frases", "Falta agua.")
    page = phone.see("?paso=frases", **{"HX-Request": "true"})
    assert page.text.lstrip().startswith("<div") and "<html" not in page.text
    again = {"HX-Request": "true", "If-None-Match": page.headers["etag"]}
    assert phone.see("?paso=frases", **again).status_code == 304
    other.give("frases", "vote", ref=first, choice="agree")
    nothing = phone.see("?paso=frases", **again)
    assert nothing.status_code == 304 and not nothing.content, "a vote of another phone is nothing new for this one"
    room.statement("frases", "Falta luz.")
    assert phone.see("?paso=frases", **again).status_code == 200
    room.step("frases", "locked")
    assert "Este paso está cerrado." in words_of(phone.see("?paso=frases", **again))


def test_a_phone_that_lost_its_cookies_is_led_to_the_door_also_by_htmx(room: PeopleRoom) -> None:
    phone = room.phone()
    phone.client.cookies.clear()
    assert phone.see(**{"HX-Request": "true"}).headers["hx-redirect"] == f"/s/{room.code}"


# --- statements and votes


def test_a_person_votes_on_one_statement_at_a_time_and_changes_her_mind(room: PeopleRoom) -> None:
    phone = room.phone(**{"seg.generacion": "joven"})
    room.step("frases")
    first, second = room.statement("frases", "Falta agua."), room.statement("frases", "Falta luz.")
    page = phone.see()
    assert "Frase 1 de 2" in words_of(page) and f'name="ref" value="{first}"' in page.text
    page = phone.give("frases", "vote", ref=first, choice="agree")
    assert "Frase 2 de 2" in words_of(page) and f'name="ref" value="{second}"' in page.text
    page = phone.give("frases", "vote", ref=second, choice="pass")
    assert "Votó todas las frases." in words_of(page) and "Sus votos: 2 de 2" in words_of(page)
    change = phone.see(f"?paso=frases&frase={first}")
    assert "Cambiar su voto" in words_of(change) and re.search(r'value="agree" aria-pressed="true"', change.text)
    phone.give("frases", "vote", ref=first, choice="disagree")
    votes = room.now.secret.of("vote", "frases")
    assert sorted((vote.ref, vote.payload["choice"], vote.segments["generacion"]) for vote in votes) == sorted(
        [(first, "disagree", "joven"), (second, "pass", "joven")]
    )
    assert room.now.voters("vote", "frases") == 1


def test_changes_of_mind_within_a_minute_keep_their_order(room: PeopleRoom) -> None:
    phone = room.phone()
    room.step("frases")
    ref = room.statement("frases", "Falta agua.")
    choices = ["agree", "disagree", "pass", "agree", "pass", "disagree", "agree", "disagree"]
    for choice in choices:
        phone.give("frases", "vote", ref=ref, choice=choice)
        assert [vote.payload["choice"] for vote in room.now.secret.of("vote", "frases")] == [choice]
    assert [body["count"] for body in room.told("vote")] == list(range(1, len(choices) + 1))


def test_a_new_statement_does_not_change_the_one_on_the_screen(room: PeopleRoom) -> None:
    phone, other = room.phone(), room.phone()
    room.step("frases")
    first = room.statement("frases", "Falta agua.")
    phone.see()
    other.give("frases", "statement", text="A todos nos falta luz.")
    assert f'name="ref" value="{first}"' in phone.see().text


def test_what_a_phone_writes_carries_its_seat_and_a_second_tap_adds_nothing(room: PeopleRoom) -> None:
    phone = room.phone()
    room.step("frases")
    for _ in range(2):
        page = phone.give("frases", "statement", text="  Falta\r\nagua. ")
        assert page.status_code == 200 and "Lo que usted dio" in words_of(page)
    (told,) = room.told("statement")
    assert told["payload"] == {"text": "Falta\nagua."} and told["seat"] == "P1" and told["mode"] == "phone"


def test_a_statement_that_waits_is_seen_by_its_writer_alone(node: Node) -> None:
    room = PeopleRoom(node, step_of("statements", "cuidado", moderation="before"))
    writer, other = room.phone(), room.phone()
    room.step("cuidado")
    page = writer.give("cuidado", "statement", text="Una idea fuerte.")
    assert "Espera el permiso de la facilitadora para mostrarse." in words_of(page)
    assert "Una idea fuerte." not in other.see().text
    (item,) = room.now.of("statement", with_hidden=True)
    room.say("moderate", {"state": "shown"}, ref=item.id)
    assert "Una idea fuerte." in other.see().text
    room.say("moderate", {"state": "hidden"}, ref=item.id)
    assert "La facilitadora decidió no mostrarlo." in words_of(writer.see())


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"_what": "statement", "text": " \0 "}, "Falta algo por escribir."),
        ({"_what": "statement", "text": "x" * 281}, "281 letras y caben 280"),
        ({"_what": "vote", "choice": "agree"}, "Falta elegir una opción."),
        ({"_what": "vote", "ref": "agua"}, "Falta elegir una opción."),
        ({"_what": "vote", "ref": "agua", "choice": "agree"}, "Lo que quería marcar ya no está."),
        ({"_what": "vote", "ref": "01890000-0000-7000-8000-00000000abcd", "choice": "agree"}, "ya no está"),
        ({"_what": "allocation", "points.agua": "1"}, "Este paso ya no recibe eso."),
        ({"_what": "session", "title": "Otra"}, "Este paso ya no recibe eso."),
        ({"_what": "step", "state": "revealed"}, "Este paso ya no recibe eso."),
        ({"_what": ""}, "Este paso ya no recibe eso."),
    ],
)
def test_what_cannot_be_taken_is_said_in_plain_words(room: PeopleRoom, fields: dict[str, str], sentence: str) -> None:
    phone = room.phone()
    room.step("frases")
    before = len(room.told(fields["_what"]))
    page = phone.client.post(f"/s/{room.code}/ahora", data={"_step": "frases"} | fields)
    assert page.status_code == 422 and sentence in words_of(page) and 'role="alert"' in page.text
    assert len(room.told(fields["_what"])) == before


def test_what_was_typed_stays_on_the_page_that_refuses_it(room: PeopleRoom) -> None:
    phone = room.phone()
    room.step("frases")
    assert "x" * 281 + "</textarea>" in phone.give("frases", "statement", text="x" * 281).text


def test_a_step_that_is_not_in_the_guide_leads_back_to_what_is_open(room: PeopleRoom) -> None:
    phone = room.phone()
    answer = phone.give("nada", "statement", text="x")
    assert answer.status_code == 200 and answer.url.path == f"/s/{room.code}/ahora"


def test_posts_of_another_site_are_refused(node: Node, room: PeopleRoom) -> None:
    phone = room.phone()
    phone.client.headers["Origin"] = "http://otro.lan"
    for path in ("", "/ahora", "/salir", "/pasar"):
        assert phone.client.post(f"/s/{room.code}{path}", data={"participate": "si"}).status_code == 403


# --- what is secret


def test_no_record_ties_a_seat_to_a_ballot(room: PeopleRoom) -> None:
    phone = room.phone(**{"seg.generacion": "joven"})
    room.open("frases", "puntos")
    phone.give("frases", "statement", text="Falta agua.")
    (item,) = room.now.of("statement")
    phone.give("frases", "vote", ref=item.id, choice="agree")
    phone.give("puntos", "allocation", points__agua="10")
    secret = [*room.told("vote"), *room.told("allocation")]
    open_ones = [*room.told("seat"), *room.told("consent"), *room.told("statement")]
    ballots, writers = {body["ballot"] for body in secret}, {body["by"] for body in open_ones}
    assert len(ballots) == 1 and not ballots & writers
    assert all("seat" not in body and body["by"] == body["ballot"] for body in secret)
    for body in open_ones:
        assert not any(ballot in json.dumps(body) for ballot in ballots)
    for body in secret:
        assert body["finished"][17:19] == "00" and not any(writer in json.dumps(body) for writer in writers)


def test_no_page_of_another_phone_shows_a_vote(room: PeopleRoom) -> None:
    phone, other = room.phone(), room.phone()
    room.step("frases")
    ref = room.statement("frases", "Falta agua.")
    before = other.see().text
    phone.give("frases", "vote", ref=ref, choice="agree")
    assert other.see().text == before


def test_two_rooms_have_two_codes(node: Node, room: PeopleRoom) -> None:
    assert room_code(PeopleRoom(node, step_of("statements", "frases")).id) != room.code


def test_the_pages_speak_english_to_who_reads_it(node: Node, room: PeopleRoom) -> None:
    phone = Phone(node, room.code, "en")
    assert "Votes are secret" in words_of(phone.client.get(f"/s/{room.code}"))
    room.step("frases")
    assert "Write a statement" in words_of(phone.join())
    assert "Something is missing." in words_of(phone.give("frases", "statement", text=""))
