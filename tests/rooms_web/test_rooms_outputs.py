"""What leaves a room: every file is made on the node, what may not be quoted stays in the lab, nothing runs."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from collector.db import reading, writing
from collector.demo_room import TITLE, open_demo_room
from collector.queries.audit import list_entries
from collector.queries.people import put_user
from collector.room_store import Writer, make_contribution, new_token
from tests.conftest import Node
from tests.lab.conftest import EMAIL, PASSWORD, hashed
from tests.rooms_web.furnished_room import node_with_pin, open_full_room

READ = {
    "informe.html", "acta.html", "devolucion.html", "energia-energia.html", "iceberg-iceberg.html", "actores.html",
    "acuerdos.html",
}  # fmt: skip
FOR_LAB = {
    "textos.csv", "proyecto.qdpx", "temas.qdc", "frases-frases.csv", "temas-sector.csv", "comentarios.csv",
    "participantes.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    found = node_with_pin(Path(tmp_path_factory.mktemp("salidas")))
    with writing(found.app.state.engine) as session:
        put_user(session, EMAIL, hashed(PASSWORD), 1_795_000_000_000)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def session(node: Node) -> str:
    """The demonstration, with two codes on one of its notes."""
    rooms = node.app.state.rooms
    session = str(open_demo_room(rooms, date(2026, 11, 22)))
    note = rooms.get(session).of("note")[0]
    writer = Writer(new_token())
    for count, path in enumerate(("confianza/vecinos", "gobernanza/reclamos"), 1):
        said = {"target": note.id, "path": path, "coder": "ana"}
        rooms.add(make_contribution(session, "coding", said, writer, count))
    return session


@pytest.fixture(scope="module")
def lab(node: Node) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        client.post("/lab/login", data={"email": EMAIL, "password": PASSWORD, "next": "/lab"})
        client.headers["X-Purpose"] = "informe de junio"
        yield client


def names_in(client: httpx.Client, address: str) -> set[str]:
    page = client.get(address)
    assert page.status_code == 200
    marks = page.text.split(f'href="{address}/')[1:]
    return {mark.partition('"')[0] for mark in marks}


def test_every_file_that_is_offered_can_be_had_and_says_that_it_is_a_demonstration(
    host: httpx.Client, session: str
) -> None:
    address = f"/sala/{session}/salidas"
    names = names_in(host, address)
    assert names >= READ and {"mapas.json", "acuerdos.csv", "energia-energia.svg"} <= names
    for name in names:
        answer = host.get(f"{address}/{name}")
        assert answer.status_code == 200 and answer.content, name
        assert "default-src 'none'" in answer.headers["content-security-policy"], name
        if name.endswith((".html", ".md", ".txt")):
            assert "emostraci" in answer.text, name


def test_a_file_that_a_facilitator_saves_is_noted_as_the_pins(host: httpx.Client, node: Node, session: str) -> None:
    assert host.get(f"/sala/{session}/salidas/informe.md").status_code == 200
    with reading(node.app.state.engine) as opened:
        entry = list_entries(opened)[0]
    assert (entry.who, entry.action, entry.subject, entry.purpose) == ("pin", "export", session, "")
    assert "informe.md" in entry.detail


def test_words_that_may_not_be_quoted_are_for_the_lab_alone(
    host: httpx.Client, lab: httpx.Client, session: str
) -> None:
    assert not names_in(host, f"/sala/{session}/salidas") & FOR_LAB
    assert names_in(lab, f"/lab/salas/{session}") >= FOR_LAB
    for name in FOR_LAB:
        assert host.get(f"/sala/{session}/salidas/{name}").status_code == 404
        assert lab.get(f"/lab/salas/{session}/{name}").status_code == 200
        assert lab.get(f"/lab/salas/{session}/{name}", headers={"X-Purpose": ""}).status_code == 422
    assert TITLE in lab.get("/lab/salas").text


def test_without_a_pin_or_a_password_nothing_leaves(node: Node, session: str) -> None:
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}) as stranger:
        for path in (f"/sala/{session}/salidas", f"/sala/{session}/salidas/informe.md", f"/lab/salas/{session}",
                     "/lab/salas", f"/lab/salas/{session}/proyecto.qdpx"):  # fmt: skip
            assert stranger.get(path).status_code in (303, 401), path


def test_the_files_are_what_other_programs_read(lab: httpx.Client, session: str) -> None:
    def get(name: str) -> httpx.Response:
        return lab.get(f"/lab/salas/{session}/{name}")

    with zipfile.ZipFile(io.BytesIO(get("proyecto.qdpx").content)) as project:
        assert "project.qde" in project.namelist() and project.testzip() is None
    assert {"elements", "connections"} <= json.loads(get("mapas.json").content).keys()
    assert len(get("energia-energia.txt").text) <= 1000
    assert get("frases-frases.csv").text.splitlines()[0].startswith("timestamp,datetime,comment-id")
    assert (
        get("informe.html")
        .headers["content-disposition"]
        .startswith("inline; filename*=UTF-8''demostracion-2026-11-22-")
    )
    assert get("nada.html").status_code == 404


def test_english_is_given_where_it_is_wanted(host: httpx.Client, session: str) -> None:
    report = host.get(f"/sala/{session}/salidas/informe.md", headers={"Accept-Language": "en"}).text
    assert "Report of the session" in report or "session" in report.splitlines()[0].lower()


def test_the_energy_map_of_a_later_round_tells_its_change_since_the_one_before(node: Node, host: httpx.Client) -> None:
    open_full_room(node, seed=8, round=1, place="Soná")
    later = open_full_room(node, seed=7, round=2, place="Soná")
    (name,) = [each for each in names_in(host, f"/sala/{later}/salidas") if re.fullmatch(r"energia-\w+\.csv", each)]
    rows = list(csv.DictReader(io.StringIO(host.get(f"/sala/{later}/salidas/{name}").text.removeprefix("\ufeff"))))
    assert {(row["round"], row["previous_round"]) for row in rows} == {("2", "1")}
    assert all(row["change"] for row in rows)


def test_the_iceberg_can_be_had_as_a_drawing_that_any_program_opens(host: httpx.Client, session: str) -> None:
    drawing = host.get(f"/sala/{session}/salidas/iceberg-iceberg.svg")
    assert drawing.headers["content-type"] == "image/svg+xml"
    boxes = [each for each in fromstring(drawing.text).iter() if each.get("data-node")]
    words = host.get(f"/sala/{session}/salidas/iceberg-iceberg.md").text
    assert len(boxes) == 6 and "Supuestos" in words
