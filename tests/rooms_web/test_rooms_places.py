"""The place of a session on its pages: the district from the list, words beside it, and themes put together by code."""

import re
from collections.abc import Iterator

import httpx
import pytest

from collector import people
from collector.db import writing
from collector.room_store import make_contribution
from tests.conftest import Node
from tests.rooms_web.furnished_room import HOST, open_small_room, put


def opened(host: httpx.Client, node: Node, **typed: str) -> tuple[str, str, str]:
    """Open a session by its page; return (id, district, place)."""
    page = host.post("/sala/nueva", data={"guide": "municipal", "seats": "0", **typed})
    assert page.status_code == 200, page.text[:500]
    session = page.url.path.rpartition("/")[2]
    facts = node.app.state.rooms.get(session).facts
    return session, facts.district, facts.place


def test_a_session_keeps_the_code_of_its_district_and_the_words_beside_it(host: httpx.Client, node: Node) -> None:
    page = host.get("/sala/nueva?guia=municipal").text
    assert "Santa Fe (Darién)" in page and "Santa Fe (Veraguas)" in page
    session, *told = opened(host, node, district="0911", place="Casa comunal")
    assert told == ["0911", "Casa comunal"]
    assert "Casa comunal · Soná" in host.get(f"/sala/{session}").text
    assert opened(host, node, district="0503")[1:] == ("0503", "Santa Fe (Darién)")
    assert opened(host, node, place="Chepo")[1:] == ("0805", "Chepo")
    assert opened(host, node, place="Finca vieja")[1:] == ("", "Finca vieja")
    assert opened(host, node, district="99x")[1:] == ("", "")


def test_what_was_chosen_stays_when_the_page_is_shown_again(host: httpx.Client) -> None:
    typed = {"guide": "municipal", "district": "0503", "place": "La cancha", "date": "ayer"}
    page = host.post("/sala/nueva", data=typed)
    assert page.status_code == 422
    assert '<option value="0503" selected>' in page.text and 'value="La cancha"' in page.text


def test_facts_mended_by_words_alone_keep_the_district_unless_they_name_another(host: httpx.Client, node: Node) -> None:
    session, *_ = opened(host, node, district="0911", place="Casa comunal")
    for typed, told in (
        ({"place": "Escuela"}, ("0911", "Escuela")),
        ({"place": "Chepo"}, ("0805", "Chepo")),
        ({"district": "0909", "place": ""}, ("0909", "Santa Fe (Veraguas)")),
        ({"title": "Otra cosa"}, ("0909", "Santa Fe (Veraguas)")),
        ({"district": "", "place": "La Palma"}, ("", "La Palma")),
        ({"district": "", "place": ""}, ("", "")),
    ):
        assert host.post(f"/sala/{session}/datos", data=typed).status_code == 200
        facts = node.app.state.rooms.get(session).facts
        assert (facts.district, facts.place) == told


@pytest.fixture
def lab(node: Node) -> Iterator[httpx.Client]:
    with writing(node.app.state.engine) as session:
        people.add_user(session, "ana@lab.pa", "una clave de prueba")
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        data = {"email": "ana@lab.pa", "password": "una clave de prueba", "next": "/lab"}
        assert client.post("/lab/login", data=data).status_code == 200
        yield client


def test_themes_by_municipality_put_a_place_together_however_its_sessions_say_it(node: Node, lab: httpx.Client) -> None:
    told = (
        {"place": "Soná"},
        {"place": "Casa comunal", "district": "0911"},
        {"district": "0503"},
        {"district": "0909"},
    )
    for facts in told:
        room = open_small_room(node, **facts)
        for n in range(12):
            note = make_contribution(room, "note", {"text": "Falta agua"}, HOST, 100 + n, seat=f"P{n}", step="frases")
            code = {"target": note["id"], "path": "gobernanza/agua", "coder": "ana", "on": True}
            put(node, note, make_contribution(room, "coding", code, HOST, 200 + n))
    page = lab.get("/lab/temas").text
    headings = [re.sub(r"<[^>]+>", "", each).strip() for each in re.findall(r"<th[^>]*>(.*?)</th>", page, re.S)]
    places = headings[headings.index("Tema") + 1 : headings.index("Total")]
    assert places == ["Santa Fe (Darién)", "Santa Fe (Veraguas)", "Soná"]
