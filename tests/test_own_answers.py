"""With the receipt code a person reads, takes away and corrects their own answers on any node that has them."""

import html
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collector.receipt_codes import claim_of, make_code
from tests.conftest import Node, submission
from tests.test_erasure_pages import HTML, post, record

SendOutbox = Callable[..., httpx.Response]
ANSWERS = {
    "relato": "Falta alumbrado <en> la calle.", "tema": "servicios", "lugar/provincia": "08", "lugar/municipio": "0810",
}  # fmt: skip


@pytest.fixture
def node(make_node: Callable[..., Node], publish: Callable[[Node, str], None]) -> Node:
    one = make_node("campo")
    publish(one, "tarjeta")
    return one


@pytest.fixture
def code() -> str:
    return make_code()


def answered(node: Node, send_outbox: SendOutbox, code: str, **changes: Any) -> dict[str, Any]:
    (form,) = node.app.state.forms.current()
    content = submission(
        form="tarjeta",
        version=form.version,
        form_sha=form.sha256[:16],
        claim=claim_of(code),
        answers=ANSWERS,
        **changes,
    )
    assert send_outbox(node, content).status_code == 200
    return content


def step(node: Node, content: dict[str, Any], page: str, go: str, **changed: str) -> httpx.Response:
    """Post the page as a browser would: every field as it was drawn, but for what is changed."""
    fields = dict(re.findall(r'<input type="hidden" name="(_\w+)" value="([^"]*)"', page))
    fields = {name: html.unescape(value) for name, value in fields.items()}
    return post(node, f"/codigo/corregir/{content['id']}", **{**fields, **changed, "_go": go})


def test_the_code_shows_the_answers_in_words(node: Node, send_outbox: SendOutbox, code: str) -> None:
    answered(node, send_outbox, code)
    page = post(node, "/codigo/ver", code=code)
    assert page.status_code == 200 and "Falta alumbrado &lt;en&gt; la calle." in page.text
    assert "San Miguelito" in page.text and page.headers["cache-control"] == "no-store"
    assert post(node, "/codigo/ver", code=make_code()).status_code == 404


def test_everything_of_a_code_is_taken_away_in_one_file(node: Node, send_outbox: SendOutbox, code: str) -> None:
    content = answered(node, send_outbox, code)
    answer = post(node, "/codigo/descargar", code=code)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {"mis-respuestas.html", "mis-respuestas.json"}
        assert json.loads(archive.read("mis-respuestas.json")) == [content]
        page = archive.read("mis-respuestas.html").decode()
    assert "San Miguelito" in page and "/static/" not in page and "href=" not in page


def test_a_correction_takes_the_place_of_the_answer_and_the_same_code_finds_it(
    node: Node, send_outbox: SendOutbox, code: str
) -> None:
    content = answered(node, send_outbox, code)
    found = post(node, "/codigo", code=code)
    assert f'action="/codigo/corregir/{content["id"]}"' in found.text
    page = post(node, f"/codigo/corregir/{content['id']}", _code=code)
    assert "Falta alumbrado &lt;en&gt; la calle." in page.text and "<script" not in page.text
    page = step(node, content, page.text, "next", relato="Ya pusieron luz.")
    page = step(node, content, page.text, "next", relato="Ya pusieron luz.", tema="servicios")
    done = step(node, content, page.text, "send", **{**ANSWERS, "relato": "Ya pusieron luz."})
    assert done.status_code == 303, done.text
    new_id = done.headers["location"].removeprefix("/respuesta/")
    edit, first = record(node, new_id), record(node, content["id"])
    assert (edit.kind, edit.about, edit.state, first.state) == ("edit", content["id"], "usable", "replaced")
    assert json.loads(edit.body or "")["answers"]["relato"] == "Ya pusieron luz."
    again = post(node, "/codigo/ver", code=code)
    assert "Ya pusieron luz." in again.text and "Falta alumbrado" not in again.text


def test_another_code_corrects_nothing(node: Node, send_outbox: SendOutbox, code: str) -> None:
    content, other = answered(node, send_outbox, code), make_code()
    answered(node, send_outbox, other)
    assert post(node, f"/codigo/corregir/{content['id']}", _code=other).status_code == 404
    assert post(node, f"/codigo/corregir/{content['id']}", _code="nada").status_code == 422
    assert post(node, f"/codigo/corregir/{content['id']}").status_code == 422
    page = httpx.post(f"{node.url}/codigo/corregir/x", content=b"\xff", headers=HTML)
    assert page.status_code < 500
