"""Cards with link codes: fresh each time, ten a page, kept nowhere."""

import html
import re

import httpx
import pytest

from collector.rooms.link_codes import read_link_code
from tests.conftest import Node
from tests.rooms_web.furnished_room import open_small_room, told_in

CODE = re.compile(r'class="card-code code">([^<]+)<')


def cards(host: httpx.Client, room: str, query: str = "") -> list[str]:
    found = host.get(f"/sala/{room}/tarjetas{query}")
    assert found.status_code == 200
    return [html.unescape(code) for code in CODE.findall(found.text)]


@pytest.mark.parametrize(
    ("query", "count"), [("", 20), ("?cuantas=10", 10), ("?cuantas=0", 1), ("?cuantas=x", 20), ("?cuantas=9999", 200)]
)
def test_as_many_cards_as_were_asked_for_each_with_a_code_that_proves_itself(
    node: Node, host: httpx.Client, query: str, count: int
) -> None:
    found = cards(host, open_small_room(node), query)
    assert len(set(found)) == count
    assert all(len(read_link_code(code)) == 6 for code in found)


def test_codes_are_others_each_time_and_the_store_keeps_none(node: Node, host: httpx.Client) -> None:
    room = open_small_room(node)
    before = told_in(node, room)
    assert not set(cards(host, room)) & set(cards(host, room))
    assert told_in(node, room) == before


def test_ten_cards_stand_on_a_page(node: Node, host: httpx.Client) -> None:
    text = host.get(f"/sala/{open_small_room(node)}/tarjetas?cuantas=25").text
    pages = text.split('class="cards-page"')[1:]
    assert [len(CODE.findall(page)) for page in pages] == [10, 10, 5]


def test_cards_ask_for_the_pin(node: Node) -> None:
    found = httpx.get(f"{node.url}/sala/{open_small_room(node)}/tarjetas", headers={"Accept": "text/html"})
    assert not CODE.findall(found.text)
