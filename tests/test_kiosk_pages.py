"""Kiosk mode over plain HTTP: its pages, who may open them, and the way without scripts."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from collector import people
from collector.db import reading, writing
from collector.pages import load_english
from tests.conftest import Node
from tests.stored import count_entries
from tests.test_pages import assert_same_for_everybody

PAGE = "/k/confianza/2026112200"
SURVEY = "/f/confianza/2026112200"
TEMPLATES = Path(__file__).parent.parent / "templates" / "kiosk"


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node()
    publish(one, "confianza")
    with writing(one.app.state.engine) as session:
        people.set_pin(session, "4321")
    return one


@contextmanager
def facilitator(node: Node) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}) as client:
        assert client.post("/equipo/pin", data={"pin": "4321"}).status_code == 303
        yield client


def test_the_short_address_leads_to_the_newest_version_and_says_where_its_survey_is(node: Node) -> None:
    answer = httpx.get(f"{node.url}/k/confianza")
    assert (answer.status_code, answer.headers["location"]) == (302, PAGE)
    assert answer.headers["cache-control"] == "max-age=604800"
    current = httpx.get(f"{node.url}/k/confianza/current")
    assert current.json() == {"version": "2026112200", "address": PAGE, "survey": SURVEY}
    assert current.headers["cache-control"] == "no-store"
    assert httpx.get(f"{node.url}/k/nada").status_code == httpx.get(f"{node.url}/k/confianza/9").status_code == 404


def test_the_page_between_two_people_is_the_same_for_everybody_and_kept_for_a_week(node: Node) -> None:
    assert_same_for_everybody(node.url + PAGE)


def test_only_the_survey_may_stand_in_a_frame_and_only_in_ours(node: Node) -> None:
    def frames(path: str) -> str:
        policy = httpx.get(node.url + path, headers={"Accept": "text/html"}).headers["content-security-policy"]
        return policy.partition("frame-ancestors ")[2]

    assert [frames(SURVEY), frames(SURVEY)] == ["'self'", "'self'"]  # made, then kept
    assert httpx.post(node.url + SURVEY, data={"_go": "back"}).headers["content-security-policy"].endswith("'self'")
    others = (PAGE, "/", "/mis-respuestas", "/equipo/pin", "/lab/login", "/k/nada", "/offline")
    assert {frames(path) for path in others} == {"'none'"}


def test_choosing_a_survey_to_hand_round_needs_the_pin_and_is_reached_from_todays_page(node: Node) -> None:
    choose = "/equipo/entregar-tableta"
    stranger = httpx.get(node.url + choose, headers={"Accept": "text/html"})
    assert (stranger.status_code, stranger.headers["location"][:11]) == (303, "/equipo/pin")
    with facilitator(node) as client:
        assert f'href="{choose}"' in client.get("/equipo").text
        assert 'href="/k/confianza"' in client.get(choose).text


def test_starting_closes_the_facilitators_pages_in_that_browser_alone(node: Node) -> None:
    with facilitator(node) as handed, facilitator(node) as hers:
        assert handed.post("/equipo/entregar-tableta").json() == {"closed": True}
        assert (handed.get("/equipo").status_code, hers.get("/equipo").status_code) == (303, 200)
        assert handed.post("/equipo/entregar-tableta").status_code == 200  # asked again when an answer was lost
        elsewhere = hers.post("/equipo/entregar-tableta", headers={"Origin": "http://otra.example"})
        assert (elsewhere.status_code, hers.get("/equipo").status_code) == (403, 200)


def test_the_facilitators_pin_opens_no_answers(node: Node) -> None:
    with facilitator(node) as client:
        for path in ("/lab", "/lab/forms/confianza", "/lab/forms/confianza/export.csv?purpose=prueba"):
            assert client.get(path).headers["location"].startswith("/lab/login")


def test_without_scripts_a_survey_is_answered_from_here_and_ends_here(node: Node) -> None:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}) as client:
        assert f'<form method="post" action="{PAGE}">' in client.get(PAGE).text
        first = client.post(PAGE, data={"_go": "back"})
        assert first.status_code == 200 and f'action="{PAGE}"' in first.text
        assert 'role="alert" tabindex="-1" hidden' in first.text  # no complaint about what nobody saw yet
        sent = client.post(PAGE, data=everything(first.text))
        assert sent.status_code == 200, sent.text
        assert f'href="{PAGE}"' in sent.text and "set-cookie" not in sent.headers
        assert re.search(r'<b class="code">[0-9A-Z]{4}-', sent.text)
        assert sent.headers["cache-control"] == "no-store"
    with reading(node.app.state.engine) as session:
        assert count_entries(session) == 1


def everything(html: str) -> dict[str, str]:
    """Return what a browser would post with every question answered."""
    answers = {"edad": "18_29", "lugar/provincia": "08", "lugar/municipio": "0810", "brecha": "crecio",
               "trato": "nunca", "escucha": "poco", "reuniones": "una", "confianza_gente": "7",
               "confianza_municipio": "ns"}  # fmt: skip
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    return {**hidden, "_was": "", **consent(html), **answers, "_go": "send"}


def consent(html: str) -> dict[str, str]:
    """Return what agrees to the notice, where the form has one."""
    ticks = re.findall(r'name="(consent/\w+)"[^>]*value="(\w+)"', html)
    return {name: value for name, value in ticks if name != "consent/purposes"}


def test_a_file_of_a_form_is_found_from_the_pages_without_scripts(node: Node) -> None:
    answer = httpx.get(f"{node.url}{PAGE}/media/dibujo%20uno.png")
    assert (answer.status_code, answer.headers["location"]) == (302, f"{SURVEY}/media/dibujo%20uno.png")


def test_every_sentence_that_follows_the_persons_language_stands_in_both() -> None:
    said = re.findall(r'both\("([^"]+)"\)', "\n".join(p.read_text(encoding="utf-8") for p in TEMPLATES.glob("*.html")))
    assert len(said) > 10 and not set(said) - set(load_english())
