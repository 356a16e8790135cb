"""A place by list without scripts: posted, corrected, read by its person and by the lab, in files and in pulls."""

import html
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector import people
from collector.db import reading, writing
from collector.pull.client import pull
from collector.receipt_codes import claim_of, make_code
from collector.tables.log import Record
from tests.conftest import Node, submission
from tests.listed_form import listed_xform
from tests.stored import stored_records
from tests.test_erasure_pages import post
from tests.test_erasure_pages import record as record_of
from tests.test_posted_pages import fields_of

PAGE = "/f/tomas/1"
SendOutbox = Callable[..., httpx.Response]
PLACES = {"punto": {"code": "0503", "place": "Barrio X"}, "pozo[2]/sitio": {"code": "10"}}
WELLS = {"pozo": [{"nombre": "Uno", "sitio": "8.9 -79.5 0 0"}, {"nombre": "Dos"}]}


@pytest.fixture
def node(make_node: Callable[..., Node]) -> Node:
    one = make_node("campo")
    one.app.state.forms.install(listed_xform())
    return one


def posted(node: Node, fields: dict[str, str], **changed: str) -> httpx.Response:
    return httpx.post(node.url + PAGE, data=fields | changed)


def stored(node: Node) -> tuple[dict[str, Any], str]:
    """Return the newest record and its flags."""
    with reading(node.app.state.engine) as session:
        newest = stored_records(session)[-1]
    return json.loads(newest.body or ""), newest.flags


def test_a_plain_page_offers_the_list_by_province_and_names_twins_whole(node: Node) -> None:
    page = httpx.get(node.url + PAGE).text
    listed = page.partition('<details class="listed"')[2].partition("</details>")[0]
    assert re.findall(r'optgroup label="([^"]+)"', listed)[:3] == ["Bocas del Toro", "Chiriquí", "Coclé"]
    assert '<option value="0503">Santa Fe (Darién)</option>' in listed
    assert '<option value="10">Guna Yala</option>' in listed
    assert "data-listed" not in httpx.get(f"{node.url}/").text


def test_a_place_by_list_is_enough_for_a_required_point(node: Node) -> None:
    fields = fields_of(httpx.get(node.url + PAGE).text)
    missing = posted(node, fields, _go="next")
    assert missing.status_code == 422 and "Falta una respuesta" in missing.text
    assert re.search(r"data-listed open", missing.text), "what helps is open where something is missing"
    nothing = posted(node, fields, **{"_go": "next", "_list/punto": "9999", "_near/punto": "Barrio X"})
    assert nothing.status_code == 422
    page = posted(node, fields, **{"_go": "next", "_list/punto": "0503", "_near/punto": " Barrio  X "})
    assert page.status_code == 200
    for go in ("next", "add:pozo", "next"):
        changed = {"_go": go, "_list/pozo[2]/sitio": "10", "pozo[2]/nombre": "Dos", "pozo[1]/nombre": "Uno"}
        # the second row is there only once it was added
        changed = changed if "pozo[2]/nombre" in page.text else {"_go": go}
        page = posted(node, fields_of(page.text), **changed)
        if page.status_code == 303:
            break
    assert page.status_code == 303, page.text
    content, flags = stored(node)
    assert content["places"] == PLACES
    assert content["answers"] == {"pozo": [{"nombre": "Uno"}, {"nombre": "Dos"}]}
    assert json.loads(flags) == [{"key": "punto", "what": "place_listed", "text": "0503 Barrio X"}]


def test_back_and_again_finds_the_place_as_it_was_chosen(node: Node) -> None:
    fields = fields_of(httpx.get(node.url + PAGE).text)
    page = posted(node, fields, **{"_go": "next", "_list/punto": "0503", "_near/punto": "Barrio X"})
    back = posted(node, fields_of(page.text), _go="back").text
    assert '<option value="0503" selected>' in back and 'value="Barrio X"' in back
    cleared = posted(node, fields_of(back), **{"_go": "next", "_list/punto": "", "_near/punto": "Barrio X"})
    assert cleared.status_code == 422, "a name alone may be anywhere"


def test_a_point_and_no_place_keeps_no_places_at_all(node: Node) -> None:
    page = posted(node, fields_of(httpx.get(node.url + PAGE).text), _go="next", punto="8.9 -79.5")
    for _ in range(4):
        if page.status_code == 303:
            break
        page = posted(node, fields_of(page.text), _go="next")
    content, flags = stored(node)
    assert "places" not in content and flags == "" and content["answers"]["punto"] == "8.9 -79.5"


# --- what arrives from phones


def arrived(node: Node, send_outbox: SendOutbox, **changes: Any) -> dict[str, Any]:
    (form,) = node.app.state.forms.current()
    given = {"form": "tomas", "version": "1", "form_sha": form.sha256[:16], "answers": WELLS, "places": PLACES}
    content = submission(**(given | changes))
    assert send_outbox(node, content).status_code == 200
    return content


def test_what_a_phone_sends_is_by_list_and_not_missing(node: Node, send_outbox: SendOutbox) -> None:
    arrived(node, send_outbox)
    content, flags = stored(node)
    assert content["places"] == PLACES
    assert json.loads(flags) == [{"key": "punto", "what": "place_listed", "text": "0503 Barrio X"}]


def test_the_lab_reads_the_place_by_its_name(
    node: Node, send_outbox: SendOutbox, lab_login: Callable[[Node], httpx.Client]
) -> None:
    content = arrived(node, send_outbox)
    lab = lab_login(node)
    record = lab.get(f"/lab/records/{content['id']}").text
    assert "Lugar de la lista: <b>Santa Fe (Darién) · Barrio X</b>" in record
    assert "Lugar de la lista: <b>Guna Yala</b>" in record
    assert "Sin punto: el lugar se eligió de la lista." in record
    assert "Santa Fe (Darién) · Barrio X" in lab.get("/lab/forms/tomas").text
    assert "Barrio X" not in lab.get(f"/lab/records/{content['id']}.xml").text


def test_columns_of_places_stand_last_and_only_where_there_are_any(
    node: Node, send_outbox: SendOutbox, lab_login: Callable[[Node], httpx.Client]
) -> None:
    (form,) = node.app.state.forms.current()
    plain = submission(form="tomas", version="1", form_sha=form.sha256[:16], answers={"punto": "8.9 -79.5"})
    assert send_outbox(node, plain).status_code == 200
    lab = lab_login(node)
    before = files_in(lab)
    assert not [line for lines in before.values() for line in lines if "place_" in line]
    arrived(node, send_outbox, places=PLACES | {"punto": {"code": "0503", "place": "=1+1"}})
    after = files_in(lab, safe="true")
    heads = {name: lines[0] for name, lines in before.items()}
    names = ",punto-place_code,punto-place_name,punto-place_text"
    assert after["tomas.csv"][0] == heads["tomas.csv"] + names
    assert after["tomas.csv"][1].endswith(",0503,Santa Fe (Darién),'=1+1") and after["tomas.csv"][2].endswith(",,,")
    assert after["tomas-pozo.csv"][0] == heads["tomas-pozo.csv"] + names.replace("punto", "sitio")
    assert [line.partition("]")[2] for line in after["tomas-pozo.csv"][1:]] == [",,,", ",10,Guna Yala,"]


def files_in(lab: httpx.Client, **options: str) -> dict[str, list[str]]:
    """Return the lines of each file of the form's ZIP."""
    answer = lab.get("/lab/forms/tomas/export.csv", params={"purpose": "prueba", **options})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {name: archive.read(name).decode("utf-8-sig").splitlines() for name in archive.namelist()}


def test_a_pull_gives_places_columns_of_their_own(node: Node, send_outbox: SendOutbox, tmp_path: Path) -> None:
    arrived(node, send_outbox)
    with writing(node.app.state.engine) as session:
        token = people.make_token(session, "prueba")
    for _ in range(2):  # a second run finds the columns that the first one made
        pull(node.url, token, tmp_path / "lab.db")
        arrived(node, send_outbox)
    with sqlite3.connect(tmp_path / "lab.db") as database:
        row = 'select punto, "punto-place_code", "punto-place_name", "punto-place_text" from tomas'
        assert database.execute(row).fetchall() == [(None, "0503", "Santa Fe (Darién)", "Barrio X")] * 2
        wells = 'select sitio, "sitio-place_code", "sitio-place_name" from tomas_pozo order by id limit 2'
        assert database.execute(wells).fetchall() == [
            ("8.9 -79.5 0 0", None, None), (None, "10", "Guna Yala"),
        ]  # fmt: skip
    database.close()


# --- the person's own page


def test_a_person_reads_and_corrects_the_place_they_chose(node: Node, send_outbox: SendOutbox) -> None:
    code = make_code()
    content = arrived(node, send_outbox, claim=claim_of(code))
    assert "Santa Fe (Darién) · Barrio X" in post(node, "/codigo/ver", code=code).text
    address = f"/codigo/corregir/{content['id']}"
    page = post(node, address, _code=code).text
    assert '<option value="0503" selected>' in page and 'value="Barrio X"' in page
    changed = {"_list/punto": "0401", "_near/punto": "Barrio Y"}
    for _ in range(4):
        fields = {name: html.unescape(text) for name, text in fields_of(page).items()}
        answer = post(node, address, **fields | changed | {"_go": "next", "_list/pozo[2]/sitio": "10"})
        if answer.status_code == 303:
            break
        page = answer.text
    edit: Record = record_of(node, answer.headers["location"].removeprefix("/respuesta/"))
    corrected = json.loads(edit.body or "")
    assert edit.kind == "edit"
    assert corrected["places"] == PLACES | {"punto": {"code": "0401", "place": "Barrio Y"}}
    assert corrected["answers"] == WELLS
