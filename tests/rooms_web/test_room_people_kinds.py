"""Every type of step on a phone without scripts: what its form gives is stored right, and what cannot be is told."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from collector.rooms.guide import STEP_TYPES
from collector.rooms.payloads import FACILITATOR, SHAPES
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import node_with_pin, told_in
from tests.rooms_web.people_room import CARD, EVERY_TYPE, PeopleRoom, Phone, words_of


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node; each test opens a room of its own."""
    found = node_with_pin(tmp_path_factory.mktemp("tipos"))
    yield found
    found.stop()


@pytest.fixture
def room(node: Node) -> PeopleRoom:
    """A room with a step of every type, all open."""
    made = PeopleRoom(node, *EVERY_TYPE, round=1)
    made.open(*(step.name for step in EVERY_TYPE))
    return made


@pytest.fixture
def phone(room: PeopleRoom) -> Phone:
    return room.phone(**{"seg.generacion": "mayor"})


GIVEN: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
    ("pregunta", "statement", {"text": "Falta agua."}, {"text": "Falta agua."}),
    ("puntos", "allocation", {"points.agua": "6", "points.basura": "4", "points.cultura": "0"},
     {"points": {"agua": 6, "basura": 4}}),
    ("energia", "allocation", {"points.cultura": "3"}, {"points": {"cultura": 3}}),
    ("energia", "commitment", {"actor": "Junta", "text": "Dos jornadas", "by_when": "2027-01-31", "position": "agua"},
     {"actor": "Junta", "text": "Dos jornadas", "by_when": "2027-01-31", "position": "agua"}),
    ("energia", "objection", {"position": "agua", "reason": "Sin pozo"}, {"position": "agua", "reason": "Sin pozo"}),
    ("orden", "rank", {"place.1": "cultura", "place.2": "agua", "place.3": ""}, {"order": ["cultura", "agua"]}),
    ("triangulo", "triad", {"points.yo": "2", "points.casa": "3", "points.pais": "5"}, {"a": 20, "b": 30, "c": 50}),
    ("triangulo", "triad", {"na": "1"}, {"na": True}),
    ("extremos", "dyad", {"value": "70"}, {"value": 70}),
    ("extremos", "dyad", {"value": "na"}, {"na": True}),
    ("hielo", "iceberg", {"text": "Se va el agua", "level": "pattern"}, {"text": "Se va el agua", "level": "pattern"}),
    ("compromisos", "resource", {"actor": "Escuela", "text": "Un salón", "kind": "material", "sector": "escuela"},
     {"actor": "Escuela", "text": "Un salón", "kind": "material", "sector": "escuela"}),
    ("compromisos", "expectation", {"actor": "Barrio", "text": "Respuesta"}, {"actor": "Barrio", "text": "Respuesta"}),
    ("acuerdos", "agreement", {"what": "Limpiar", "who": "Junta", "with_what": "", "review": "2027-02-01"},
     {"what": "Limpiar", "who": "Junta", "review": "2027-02-01"}),
]  # fmt: skip


@pytest.mark.parametrize(("step", "what", "fields", "payload"), GIVEN, ids=lambda value: str(value)[:20])
def test_what_a_form_gives_is_stored_as_it_must_be(
    room: PeopleRoom, phone: Phone, step: str, what: str, fields: dict[str, str], payload: dict[str, Any]
) -> None:
    page = phone.give(step, what, **fields)
    assert page.status_code == 200 and "Guardado." in words_of(page)
    (told,) = room.told(what)
    assert (told["payload"], told["step"], told["mode"]) == (payload, step, "phone")
    assert told.get("seat", "") == ("" if "ballot" in told else "P1")
    assert told.get("segments", {}) == ({"generacion": "mayor"} if "ballot" in told else {})
    assert room.now.misfits == 0


@pytest.mark.parametrize("step", EVERY_TYPE, ids=lambda step: step.type)
def test_every_type_of_step_has_its_page(room: PeopleRoom, phone: Phone, step: Any) -> None:
    room.statement("frases", "Falta agua.")
    page = phone.see(f"?paso={step.name}")
    assert page.status_code == 200 and f"<h1>{step.name}</h1>" in page.text
    assert ('name="_what"' in page.text) != (step.type in ("prompt", "photo"))


BAD: list[tuple[str, str, dict[str, str], str]] = [
    ("puntos", "allocation", {"points.agua": "9", "points.basura": "4"}, "Se repartieron 13 puntos y hay 10. Quite 3."),
    ("puntos", "allocation", {}, "Todavía no marcó nada."),
    ("puntos", "allocation", {"points.agua": "-4"}, "Todavía no marcó nada."),
    ("orden", "rank", {"place.1": "agua", "place.2": "agua"}, "La misma opción está en dos lugares."),
    ("orden", "rank", {"place.1": "luna"}, "Esa opción ya no está en la lista."),
    ("orden", "rank", {}, "Todavía no marcó nada."),
    ("triangulo", "triad", {"points.yo": "2"}, "Faltan piedras por repartir."),
    ("extremos", "dyad", {}, "Falta elegir una opción."),
    ("extremos", "dyad", {"value": "101"}, "Escriba un número entero de 0 a 100."),
    ("hielo", "iceberg", {"text": "Algo"}, "Falta elegir una opción."),
    ("hielo", "iceberg", {"text": "Algo", "level": "cielo"}, "Falta elegir una opción."),
    ("acuerdos", "agreement", {"what": "Limpiar", "who": "Junta", "by_when": "mañana"}, "Escriba la fecha así"),
    ("acuerdos", "agreement", {"what": "Limpiar", "who": ""}, "Falta algo por escribir."),
    ("antes", "measure", {"code": "7K2M4-X", "item.confianza": "7"}, "El código «7K2M4-X» no es correcto."),
    ("antes", "measure", {"code": "7K2M4-Y"}, "Todavía no marcó nada."),
    ("antes", "measure", {"code": "7K2M4-Y", "item.confianza": "11"}, "Escriba un número entero de 0 a 10."),
    ("compromisos", "resource", {"actor": "Escuela", "text": "Un salón"}, "Falta elegir una opción."),
    ("energia", "objection", {"reason": "No"}, "Falta elegir una opción."),
    ("pared", "photo", {"file": "x"}, "Este paso ya no recibe eso."),
]


@pytest.mark.parametrize(("step", "what", "fields", "sentence"), BAD)
def test_what_does_not_fit_is_told_and_not_stored(
    room: PeopleRoom, phone: Phone, step: str, what: str, fields: dict[str, str], sentence: str
) -> None:
    page = phone.give(step, what, **fields)
    assert page.status_code == 422 and sentence in words_of(page)
    assert not room.told(what)


def test_the_buttons_of_points_work_without_scripts_and_store_nothing(room: PeopleRoom, phone: Phone) -> None:
    page = phone.give("puntos", "allocation", points__agua="9", _more="agua")
    assert "Le quedan 0" in words_of(page) and 'name="points.agua" value="10"' in page.text
    page = phone.give("puntos", "allocation", points__agua="10", _more="basura")
    assert 'name="points.basura" value="0"' in page.text, "there is no eleventh point"
    page = phone.give("puntos", "allocation", points__agua="10", _less="agua")
    assert "Le quedan 1" in words_of(page) and 'name="points.agua" value="9"' in page.text
    page = phone.give("puntos", "allocation", _less="agua")
    assert 'name="points.agua" value="0"' in page.text, "nor fewer than none"
    assert not room.told("allocation")


def test_given_points_stand_on_the_page_and_the_last_ones_count(room: PeopleRoom, phone: Phone) -> None:
    phone.give("puntos", "allocation", points__agua="10")
    assert 'name="points.agua" value="10"' in phone.see("?paso=puntos").text
    phone.give("puntos", "allocation", points__basura="10")
    (vote,) = room.now.secret.of("allocation", "puntos")
    assert vote.payload == {"points": {"basura": 10}} and room.now.voters("allocation", "puntos") == 1


def test_a_triad_is_shown_again_as_it_was_given(phone: Phone) -> None:
    page = phone.give("triangulo", "triad", points__yo="2", points__casa="3", points__pais="5")
    assert 'name="points.casa" value="3"' in page.text and "Le quedan 0" in words_of(page)
    assert "Usted marcó «No aplica»." in words_of(phone.give("triangulo", "triad", na="1"))


def test_a_measure_takes_each_item_that_was_answered_under_the_code_and_the_round(
    room: PeopleRoom, phone: Phone
) -> None:
    phone.give("antes", "measure", code="7k2m4 y", item__confianza="7", item__escucha="")
    phone.give("antes", "measure", code="7K2M4-Y", item__confianza="8", item__escucha="3")
    told = [each["payload"] for each in room.told("measure")]
    assert told[0] == {"code": CARD, "item": "confianza", "value": 7, "round": 1}
    counted = {str(vote.payload["item"]): vote.payload["value"] for vote in room.now.secret.of("measure", "antes")}
    assert counted == {"confianza": 8, "escucha": 3}


def test_statements_are_put_into_groups_by_choosing(room: PeopleRoom, phone: Phone) -> None:
    phone.give("grupos", "statement", text="Falta agua.")
    (item,) = room.now.of("statement", "grupos")
    page = phone.give("grupos", "placement", ref=item.id, new="Servicios")
    assert '<option value="Servicios"' in page.text
    phone.give("grupos", "placement", ref=item.id, group="Servicios")
    assert [each["payload"]["group"] for each in room.told("placement")] == ["Servicios"], "the same again adds nothing"


def test_an_item_of_the_iceberg_is_moved_and_joined_to_another(room: PeopleRoom, phone: Phone) -> None:
    for text in ("Se va el agua", "Nadie arregla"):
        phone.give("hielo", "iceberg", text=text, level="event")
    first, second = room.now.of("iceberg")
    phone.give("hielo", "placement", ref=second.id, group="structure")
    page = phone.give("hielo", "link", ref=second.id, to=first.id, relation="causes")
    assert page.status_code == 200 and "Estructuras: reglas y recursos" in words_of(page)
    (link,) = room.told("link")
    assert (link["ref"], link["payload"]) == (second.id, {"to": first.id, "relation": "causes"})
    stranger = phone.give("hielo", "link", ref=second.id, to="01890000-0000-7000-8000-00000000abcd", relation="causes")
    assert stranger.status_code == 422 and len(room.told("link")) == 1


def test_a_judge_scores_every_criterion_or_says_that_it_is_hers(room: PeopleRoom, phone: Phone) -> None:
    target = room.statement("frases", "Botellas de vuelta")
    half = phone.give("jurado", "score", target=target, criteria__impacto="4")
    assert half.status_code == 422 and "Falta un puntaje." in words_of(half)
    page = phone.give("jurado", "score", target=target, criteria__impacto="4", criteria__alcance="5", reason="Clara")
    assert "Ya calificó Botellas de vuelta" in words_of(page)
    other = room.statement("frases", "Compost")
    phone.give("jurado", "score", target=other, conflict="1")
    assert [each["payload"] for each in room.told("score")] == [
        {"target": target, "criteria": {"impacto": 4, "alcance": 5}, "reason": "Clara"},
        {"target": other, "conflict": True},
    ]


def test_a_story_is_chosen_with_its_reason(room: PeopleRoom, phone: Phone) -> None:
    story = room.statement("frases", "El día que volvió el agua")
    phone.give("historia", "selection", ref=story, level="Mesa 2", reason="Nos une")
    (told,) = room.told("selection")
    assert (told["ref"], told["payload"]) == (story, {"level": "Mesa 2", "reason": "Nos une"})


def test_a_wide_scale_is_typed_as_a_number(node: Node) -> None:
    room = PeopleRoom(
        node,
        step_of("statements", "frases"),
        step_of("score", "notas", "total", weights=(100,), of="frases", least=0, most=100),
        step_of("measure", "peso", "kilos", least=0, most=500),
    )
    room.open("notas", "peso")
    phone, target = room.phone(), room.statement("frases", "Compost")
    assert 'name="item.kilos" inputmode="numeric"' in phone.see("?paso=peso").text
    assert phone.give("peso", "measure", code=CARD, item__kilos="321").status_code == 200
    assert phone.give("notas", "score", target=target, criteria__total="88").status_code == 200
    assert "de 0 a 100" in words_of(phone.give("notas", "score", target=target, criteria__total="101"))


def test_the_longest_list_and_the_longest_text_of_any_writing_are_taken(node: Node) -> None:
    options = [f"opcion_{number}" for number in range(60)]
    room = PeopleRoom(node, step_of("dots", "puntos", *options, points=60), step_of("iceberg", "hielo"))
    room.open("puntos", "hielo")
    phone = room.phone()
    assert phone.give("puntos", "allocation", **{f"points.{name}": "1" for name in options}).status_code == 200
    assert phone.give("hielo", "iceberg", text="𝄞" * 2000, level="event").status_code == 200
    assert len(room.told("allocation")) == len(room.told("iceberg")) == 1


ODD = (
    "", " ", "\0", "-1", "1e9", "٣", "100", "agua", "x" * 3000, "\ud83d", "<b>", "%00", "event", "causes", "na",
    "2027-02-30",
)  # fmt: skip
KEYS = (
    "text", "choice", "ref", "to", "relation", "level", "group", "new", "value", "na", "code", "target", "reason",
    "kind", "actor", "what", "who", "by_when", "position", "conflict", "points.agua", "points.yo", "place.1", "place.2",
    "_more", "_less", "item.confianza", "criteria.impacto", "criteria.alcance",
)  # fmt: skip


def test_whatever_is_posted_is_taken_or_told_and_never_breaks(room: PeopleRoom, phone: Phone) -> None:
    chance = random.Random(6)
    known = [
        room.statement("frases", "Falta agua."),
        room.say("iceberg", {"text": "A", "level": "event"}, step="hielo"),
    ]
    kinds = [*SHAPES, "", "nada", "tally"]
    seen: set[int] = set()
    for _ in range(150):
        step = chance.choice(EVERY_TYPE)
        what = chance.choice([*STEP_TYPES[step.type], *STEP_TYPES[step.type], chance.choice(kinds)])
        fields = {key: chance.choice([*ODD, *known]) for key in chance.sample(KEYS, 12)}
        told = {key: value.encode("utf-8", "surrogatepass") for key, value in fields.items()}
        page = phone.client.post(f"/s/{room.code}/ahora", data={"_step": step.name, "_what": what} | told)
        assert page.status_code in (200, 422), (step.type, what, fields)
        seen.add(page.status_code)
    assert seen == {200, 422} and room.now.misfits == 0
    assert {body["what"] for body in told_in(room.node, room.id)} & FACILITATOR == {
        "session",
        "seat",
        "consent",
        "step",
    }


def test_a_session_without_steps_only_waits(node: Node) -> None:
    phone = PeopleRoom(node).phone()
    assert "Todavía no hay nada abierto." in words_of(phone.see())
