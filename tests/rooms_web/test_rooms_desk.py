"""The desk of a step: moving without dragging, joining, evidence, taps, who confirms, writing down, undo."""

import httpx
import pytest

from collector.rooms.boards.affinity import affinity_board
from collector.rooms.boards.iceberg import iceberg_board
from collector.rooms.boards.reactions import reactions_in
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.people_room import EVERY_TYPE, PeopleRoom, words_of


@pytest.fixture
def room(node: Node) -> PeopleRoom:
    """A room with every kind of step, and a group of ideas of its own."""
    return PeopleRoom(node, *EVERY_TYPE, step_of("affinity", "ideas"))


def act(host: httpx.Client, room: PeopleRoom, step: str, what: str, /, **fields: str) -> httpx.Response:
    return host.post(f"/sala/{room.id}/mesa/{step}", data={"_what": what} | fields)


def desk(host: httpx.Client, room: PeopleRoom, step: str) -> str:
    found = host.get(f"/sala/{room.id}/mesa/{step}")
    assert found.status_code == 200
    return words_of(found)


def groups(room: PeopleRoom, step: str) -> dict[str, list[str]]:
    board = affinity_board(room.now, step)
    found = {group.name: [item.text for item in group.items] for group in board.groups}
    return found | {"": [item.text for item in board.apart]}


def test_an_idea_is_put_in_a_new_group_in_another_and_out_of_it(host: httpx.Client, room: PeopleRoom) -> None:
    room.step("ideas")
    water, light = (room.statement("ideas", text) for text in ("Falta agua", "Falta luz"))
    act(host, room, "ideas", "placement", ref=water, new="Servicios")
    assert groups(room, "ideas") == {"Servicios": ["Falta agua"], "": ["Falta luz"]}
    act(host, room, "ideas", "placement", ref=light, group="Servicios")
    assert groups(room, "ideas") == {"Servicios": ["Falta agua", "Falta luz"], "": []}
    act(host, room, "ideas", "placement", ref=water, group="")
    assert groups(room, "ideas") == {"Servicios": ["Falta luz"], "": ["Falta agua"]}
    assert "Movió una idea: «Falta agua» → Sin grupo" in desk(host, room, "ideas")


def test_a_note_is_brought_to_the_groups(host: httpx.Client, room: PeopleRoom) -> None:
    note = room.say("note", {"text": "Nadie contesta el teléfono"}, seat="P2", step="pregunta")
    assert "Nadie contesta el teléfono" in desk(host, room, "ideas")
    act(host, room, "ideas", "placement", ref=note, new="Respuesta")
    assert groups(room, "ideas") == {"Respuesta": ["Nadie contesta el teléfono"], "": []}


def test_a_move_is_undone_and_done_again_on_the_desk_and_on_the_page_of_the_room(
    host: httpx.Client, room: PeopleRoom
) -> None:
    room.step("ideas")
    idea = room.statement("ideas", "Falta agua")
    act(host, room, "ideas", "placement", ref=idea, new="Servicios")
    (moved,) = room.told("placement")
    act(host, room, "ideas", "undo", ref=moved["id"])
    assert groups(room, "ideas") == {"": ["Falta agua"]}
    (undo,) = room.told("undo")
    act(host, room, "ideas", "undo", ref=undo["id"])
    assert groups(room, "ideas") == {"Servicios": ["Falta agua"], "": []}
    assert "Movió una idea" in words_of(host.get(f"/sala/{room.id}"))
    host.post(f"/sala/{room.id}/deshacer", data={"ref": moved["id"]})
    assert groups(room, "ideas") == {"": ["Falta agua"]}


def test_the_desk_takes_back_no_words_of_a_phone(host: httpx.Client, room: PeopleRoom) -> None:
    room.step("ideas")
    phone = room.phone()
    phone.give("ideas", "statement", text="Es mía")
    (said,) = room.told("statement")
    assert "Deshacer" not in desk(host, room, "ideas")
    act(host, room, "ideas", "undo", ref=said["id"])
    assert not room.told("undo")
    act(host, room, "ideas", "statement", text="Dicha en voz alta")
    assert "Anotó: «Dicha en voz alta»" in desk(host, room, "ideas")


def test_an_idea_moves_between_the_levels_of_an_iceberg_and_nowhere_else(host: httpx.Client, room: PeopleRoom) -> None:
    act(host, room, "hielo", "iceberg", text="Se fue el agua", level="event")
    (idea,) = room.now.of("iceberg")
    act(host, room, "hielo", "placement", ref=idea.id, group="structure")
    assert [item.text for item in iceberg_board(room.now, "hielo").levels["structure"]] == ["Se fue el agua"]
    for group in ("", "Servicios"):
        answer = act(host, room, "hielo", "placement", ref=idea.id, group=group)
        assert answer.status_code == 422 and "No se guardó." in words_of(answer)
    assert len(room.told("placement")) == 1


def test_ideas_are_joined_and_rest_on_a_note_that_is_picked(host: httpx.Client, room: PeopleRoom) -> None:
    for text in ("Se fue el agua", "Cada verano"):
        act(host, room, "hielo", "iceberg", text=text, level="event")
    first, second = room.now.of("iceberg")
    note = room.say("note", {"text": "Cartel del cierre"}, step="hielo")
    act(host, room, "hielo", "link", ref=second.id, to=first.id, relation="causes")
    act(host, room, "hielo", "link", ref=first.id, to=note, relation="evidence")
    board = iceberg_board(room.now, "hielo")
    assert [(link.start, link.relation, link.end) for link in board.links] == [(second.id, "causes", first.id)]
    assert [item.text for item in board.assumptions] == ["Cada verano"]
    shown = desk(host, room, "hielo")
    assert "Evidencia : Cartel del cierre" in shown or "Evidencia: Cartel del cierre" in shown
    refused = act(
        host, room, "hielo", "link", ref=first.id, to="0189abcd-0000-7000-8000-000000000000", relation="causes"
    )
    assert refused.status_code == 422 and len(room.told("link")) == 2


def test_the_facilitator_taps_once_and_takes_it_back(host: httpx.Client, room: PeopleRoom) -> None:
    note = room.say("note", {"text": "Se oyó en la sala"}, step="pregunta")
    act(host, room, "pregunta", "reaction", ref=note, reaction="important")
    assert dict(reactions_in(room.now)[note].counts) == {"important": 1}
    act(host, room, "pregunta", "reaction", ref=note, reaction="important")
    assert reactions_in(room.now) == {}


def test_an_agreement_is_confirmed_by_each_actor_and_the_board_says_by_whom(
    host: httpx.Client, room: PeopleRoom
) -> None:
    act(host, room, "acuerdos", "agreement", what="Arreglar la bomba", who="Junta comunal")
    (agreed,) = room.now.of("agreement")
    for actor in ("Junta comunal", "Colegio"):
        act(host, room, "acuerdos", "confirm", ref=agreed.id, actor=actor)
    room.step("acuerdos", "revealed")
    wall = words_of(host.get(f"/sala/{room.id}/tablero/acuerdos"))
    assert "Confirmado por: Junta comunal, Colegio" in wall
    act(host, room, "acuerdos", "confirm", ref=agreed.id, actor="Colegio", none="1")
    assert reactions_in(room.now)[agreed.id].actors == ("Junta comunal",)
    assert act(host, room, "acuerdos", "confirm", ref=agreed.id, actor=" ").status_code == 422


def test_something_said_is_hidden_and_shown_again(host: httpx.Client, room: PeopleRoom) -> None:
    room.step("pregunta")
    said = room.statement("pregunta", "Un nombre que no va")
    act(host, room, "pregunta", "moderate", ref=said, state="hidden")
    assert not room.now.of("statement")
    act(host, room, "pregunta", "moderate", ref=said, state="shown")
    assert [item.text for item in room.now.of("statement")] == ["Un nombre que no va"]


@pytest.mark.parametrize(
    ("step", "what", "fields"),
    [
        ("frases", "vote", {"choice": "agree"}),
        ("puntos", "allocation", {"points.agua": "3"}),
        ("compromisos", "agreement", {"what": "Otra cosa", "who": "Junta"}),
        ("hielo", "session", {}),
        ("acuerdos", "agreement", {"what": "", "who": ""}),
        ("compromisos", "commitment", {"actor": "Junta", "text": "x", "by_when": "pronto"}),
        ("pregunta", "statement", {"text": "El paso está cerrado"}),
    ],
)
def test_what_the_desk_cannot_take_is_said_and_nothing_is_stored(
    host: httpx.Client, room: PeopleRoom, step: str, what: str, fields: dict[str, str]
) -> None:
    before = room.now.items
    answer = act(host, room, step, what, **fields)
    assert answer.status_code == 422 and "No se guardó." in words_of(answer)
    assert room.now.items == before and not room.told(what)[1:]


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("expectation", {"actor": "Colegio", "text": "Que respondan"}),
        ("resource", {"actor": "Colegio", "text": "El gimnasio", "kind": "material", "position": "agua"}),
        ("commitment", {"actor": "Junta", "text": "Dos personas", "by_when": "2026-12-01", "position": "agua"}),
        ("objection", {"position": "agua", "reason": "Falta gente"}),
    ],
)
def test_what_is_said_aloud_about_a_position_is_written_down(
    host: httpx.Client, room: PeopleRoom, what: str, fields: dict[str, str]
) -> None:
    assert act(host, room, "energia", what, **fields).status_code == 200
    (item,) = room.now.of(what, "energia")
    assert {key: item.said(key) for key in fields} == fields


def test_every_step_has_a_desk_that_draws_in_both_languages(host: httpx.Client, room: PeopleRoom) -> None:
    for step in EVERY_TYPE:
        for language in ("es", "en"):
            found = host.get(f"/sala/{room.id}/mesa/{step.name}", headers={"Accept-Language": language})
            assert found.status_code == 200, step.name


def test_a_closed_room_is_only_read(host: httpx.Client, room: PeopleRoom) -> None:
    room.step("ideas")
    idea = room.statement("ideas", "Falta agua")
    room.say("close", {"summary": "", "read_back": True})
    assert "Falta agua" in desk(host, room, "ideas")
    assert act(host, room, "ideas", "placement", ref=idea, new="Servicios").status_code == 422
    assert not room.told("placement")


def test_a_desk_without_the_pin_or_of_a_step_that_is_not_there_is_not_shown(
    node: Node, host: httpx.Client, room: PeopleRoom
) -> None:
    assert host.get(f"/sala/{room.id}/mesa/nada").status_code == 404
    stranger = httpx.get(f"{node.url}/sala/{room.id}/mesa/ideas", headers={"Accept": "text/html"})
    assert "Mover" not in stranger.text


def test_a_poll_with_nothing_new_costs_a_304(host: httpx.Client, room: PeopleRoom) -> None:
    first = host.get(f"/sala/{room.id}/mesa/hielo", headers={"HX-Request": "true"})
    again = host.get(
        f"/sala/{room.id}/mesa/hielo", headers={"HX-Request": "true", "If-None-Match": first.headers["ETag"]}
    )
    assert (first.status_code, again.status_code) == (200, 304)
