"""The tablet that is passed from hand to hand, and papers that a facilitator types, over real HTTP."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import PIN, node_with_pin
from tests.rooms_web.people_room import OPTIONS, PeopleRoom, Phone, words_of

STEPS = (
    step_of("statements", "frases"),
    step_of("dots", "puntos", *OPTIONS),
    step_of("triad", "triangulo", "yo", "casa", "pais"),
    step_of("iceberg", "hielo"),
    step_of("prompt", "saludo"),
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node; each test opens a room of its own."""
    found = node_with_pin(tmp_path_factory.mktemp("tableta"))
    yield found
    found.stop()


@pytest.fixture
def room(node: Node) -> PeopleRoom:
    """A room whose steps are open."""
    made = PeopleRoom(node, *STEPS)
    made.open(*(step.name for step in STEPS))
    return made


@pytest.fixture
def tablet(node: Node, room: PeopleRoom) -> Phone:
    """The facilitator's browser, which has given the PIN."""
    found = Phone(node, room.code)
    give_pin(found)
    return found


def give_pin(tablet: Phone) -> None:
    assert tablet.client.post("/equipo/pin", data={"pin": PIN, "next": "/equipo"}).status_code == 200


def press(tablet: Phone, go: str, **fields: str) -> httpx.Response:
    return tablet.client.post(f"/s/{tablet.code}/pasar", data={"_go": go} | fields)


# --- passed on


def test_only_the_pin_starts_and_ends_it(node: Node, room: PeopleRoom, tablet: Phone) -> None:
    stranger = Phone(node, room.code)
    assert stranger.client.get(f"/s/{room.code}/pasar").url.path == "/equipo/pin"
    assert press(stranger, "start").url.path == "/equipo/pin"
    assert press(stranger, "begin").url.path == "/equipo/pin", "a ballot is not to be had without a turn"
    assert not stranger.client.cookies
    assert "Empezar a pasarla" in words_of(tablet.client.get(f"/s/{room.code}/pasar"))
    assert "Soy la siguiente persona" in words_of(press(tablet, "start"))
    assert tablet.client.get("/equipo").url.path == "/equipo/pin", "her pages are closed in this browser"
    assert press(tablet, "end").url.path == "/equipo/pin"
    give_pin(tablet)
    assert "Terminar de pasar la tableta" in words_of(tablet.client.get(f"/s/{room.code}/pasar?salir=1"))
    press(tablet, "end")
    assert not [name for name in tablet.client.cookies if name.startswith(("pasar", "puesto", "boleta"))]


def test_each_person_starts_afresh_with_another_ballot_and_no_seat(room: PeopleRoom, tablet: Phone) -> None:
    ref = room.statement("frases", "Falta agua.")
    press(tablet, "start")
    for generation, choice in (("joven", "agree"), ("mayor", "disagree"), ("", "agree")):
        page = press(tablet, "begin", **{"seg.generacion": generation})
        assert "Terminé. Pasar la tableta" in words_of(page) and "Puesto" not in words_of(page)
        assert "Frase 1 de" in words_of(page), "nothing of the person before"
        tablet.give("frases", "vote", ref=ref, choice=choice)
        tablet.give("frases", "statement", text=f"Idea de {generation or 'nadie'}")
        assert "Soy la siguiente persona" in words_of(press(tablet, "next"))
        assert tablet.see().url.path == f"/s/{room.code}/pasar", "going back leads nowhere"
    votes = room.told("vote")
    assert len({vote["ballot"] for vote in votes}) == 3 and {vote["mode"] for vote in votes} == {"pass"}
    assert [vote["segments"] for vote in votes if "segments" in vote] == [
        {"generacion": "joven"},
        {"generacion": "mayor"},
    ]
    said = room.told("statement")[1:]
    assert len({each["by"] for each in said}) == 3 and not any("seat" in each for each in said)
    assert room.now.voters("vote", "frases") == 3 and not room.now.seats


def test_a_tablet_that_was_put_down_half_way_shows_nothing_of_anybody(room: PeopleRoom, tablet: Phone) -> None:
    press(tablet, "start")
    press(tablet, "begin")
    tablet.give("frases", "statement", text="Lo mío")
    page = tablet.client.get(f"/s/{room.code}/pasar")
    assert "Pase la tableta" in words_of(page) and "Lo mío" not in page.text
    assert tablet.see().url.path == f"/s/{room.code}/pasar"
    assert tablet.client.get(f"/s/{room.code}").url.path == f"/s/{room.code}/pasar"


def test_a_closed_room_sends_the_tablet_back(room: PeopleRoom, tablet: Phone) -> None:
    press(tablet, "start")
    room.say("close", {"summary": "", "read_back": True})
    assert "Devuelva la tableta a la facilitadora." in words_of(press(tablet, "begin"))


# --- papers


def papers(tablet: Phone, room: PeopleRoom, step: str, **fields: str) -> httpx.Response:
    return tablet.client.post(f"/sala/{room.id}/papel/{step}", data=fields)


def test_papers_are_for_who_has_the_pin(node: Node, room: PeopleRoom) -> None:
    stranger = Phone(node, room.code)
    address = f"/sala/{room.id}/papel/frases"
    assert stranger.client.get(address).url.path == "/equipo/pin"
    assert stranger.client.post(address, data={"_what": "tally"}).url.path == "/equipo/pin"


def test_a_tally_of_statements_counts_its_people_once_and_is_corrected_by_typing_it_again(
    room: PeopleRoom, tablet: Phone
) -> None:
    first, second = room.statement("frases", "Falta agua."), room.statement("frases", "Falta luz.")
    fields = {f"agree.{first}": "12", f"disagree.{first}": "3", f"pass.{first}": "", f"agree.{second}": "15"}
    page = papers(tablet, room, "frases", _what="tally", **fields)
    assert (
        "Guardado." in words_of(page)
        and f'name="agree.{first}" inputmode="numeric" maxlength="4" value="12"' in page.text
    )
    assert room.now.voters("vote", "frases") == 15
    papers(tablet, room, "frases", _what="tally", **{f"agree.{first}": "10", f"disagree.{first}": "5"})
    counted = {
        (vote.ref, str(vote.payload["choice"])): vote.people for vote in room.now.secret.of("vote", "frases")
    }  # fmt: skip
    assert counted == {(first, "agree"): 10, (first, "disagree"): 5, (second, "agree"): 15}
    assert room.now.voters("vote", "frases") == 15
    assert all(body["mode"] == "paper" and "seat" not in body for body in room.told("vote"))


def test_each_group_is_a_pile_of_its_own(room: PeopleRoom, tablet: Phone) -> None:
    ref = room.statement("frases", "Falta agua.")
    for group, count in (("joven", "6"), ("mayor", "7")):
        page = papers(tablet, room, "frases", _what="tally", **{"seg.generacion": group, f"agree.{ref}": count})
        assert f'<option value="{group}" selected>' in page.text
    counted = {vote.segments["generacion"]: vote.people for vote in room.now.secret.of("vote", "frases")}
    assert counted == {"joven": 6, "mayor": 7} and room.now.voters("vote", "frases") == 13
    page = tablet.client.get(f"/sala/{room.id}/papel/frases?seg.generacion=joven")
    assert re.search(rf'name="agree\.{ref}"[^>]*value="6"', page.text)


def test_points_on_paper_are_added_up_and_never_more_than_the_people_have(room: PeopleRoom, tablet: Phone) -> None:
    page = papers(tablet, room, "puntos", _what="tally", people="3", **{"points.agua": "20", "points.basura": "11"})
    assert page.status_code == 422 and "Se repartieron 31 puntos y hay 30. Quite 1." in words_of(page)
    assert 'value="20"' in page.text
    papers(tablet, room, "puntos", _what="tally", people="3", **{"points.agua": "20", "points.basura": "10"})
    (vote,) = room.now.secret.of("allocation", "puntos")
    assert vote.people == 3 and vote.payload["points"] == {"agua": 20, "basura": 10}


def test_other_papers_are_typed_one_by_one_and_a_second_tap_is_the_same_paper(room: PeopleRoom, tablet: Phone) -> None:
    address = f"/sala/{room.id}/papel/triangulo"
    for stones in (("2", "3", "5"), ("10", "0", "0")):
        page = tablet.client.get(address)
        (action,) = re.findall(r'action="([^"]+papel=[^"]+)"', page.text)
        fields = dict(zip(("points.yo", "points.casa", "points.pais"), stones, strict=True))
        for _ in range(2):
            told = tablet.client.post(action, data={"_step": "triangulo", "_what": "triad"} | fields)
            assert "Puede escribir el siguiente papel." in words_of(told)
    votes = room.now.secret.of("triad", "triangulo")
    assert sorted(int(str(vote.payload["a"])) for vote in votes) == [20, 100]
    assert room.now.voters("triad", "triangulo") == 2


def test_what_was_written_on_papers_in_the_open_is_typed_too(room: PeopleRoom, tablet: Phone) -> None:
    page = papers(tablet, room, "hielo", _step="hielo", _what="iceberg", text="Se va el agua", level="event")
    assert page.status_code == 200
    (told,) = room.told("iceberg")
    assert told["mode"] == "paper" and "seat" not in told


@pytest.mark.parametrize(
    ("step", "fields", "sentence"),
    [
        ("frases", {"_what": "tally"}, "Todavía no marcó nada."),
        ("puntos", {"_what": "tally", "people": "muchas", "points.agua": "1"}, "dice «muchas»"),
        ("puntos", {"_what": "tally", "people": "2"}, "Todavía no marcó nada."),
        ("triangulo", {"_what": "tally"}, "Este paso ya no recibe eso."),
        ("saludo", {"_what": "statement", "text": "x"}, "Este paso ya no recibe eso."),
    ],
)
def test_a_count_that_cannot_be_is_told(
    room: PeopleRoom, tablet: Phone, step: str, fields: dict[str, str], sentence: str
) -> None:
    page = papers(tablet, room, step, **fields)
    assert page.status_code == 422 and sentence in words_of(page)


def test_papers_of_a_step_that_is_not_open_are_not_taken(room: PeopleRoom, tablet: Phone) -> None:
    ref = room.statement("frases", "Falta agua.")
    room.step("frases", "locked")
    assert "Este paso no está abierto." in words_of(tablet.client.get(f"/sala/{room.id}/papel/frases"))
    page = papers(tablet, room, "frases", _what="tally", **{f"agree.{ref}": "12"})
    assert page.status_code == 422 and not room.told("vote")


def test_a_step_or_room_that_is_not_there_is_not_found(room: PeopleRoom, tablet: Phone) -> None:
    assert tablet.client.get(f"/sala/{room.id}/papel/nada").status_code == 404
    assert tablet.client.get("/sala/nada/papel/frases").status_code == 404
    assert tablet.client.get("/s/BBBBB/pasar").status_code == 404


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.type)
def test_every_type_has_its_page_for_papers(room: PeopleRoom, tablet: Phone, step: object) -> None:
    name = step.name  # type: ignore[attr-defined]
    page = tablet.client.get(f"/sala/{room.id}/papel/{name}")
    assert page.status_code == 200 and f"<h1>{name}</h1>" in page.text
