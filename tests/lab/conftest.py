"""Fixtures of the lab: a node with a form in two versions, records put straight into its log, a signed-in browser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyxform.xls2xform import convert
from sqlalchemy import Engine

from collector import people
from collector.db import open_engine, prepare_store, reading, writing
from collector.queries import store
from collector.queries.people import put_user
from collector.queries.records import Arrival, ingest, last_number
from sync.records import canonical_bytes, new_salt, read_record, uuid7
from sync.statements import make_tombstone
from tests.conftest import Node

EMAIL, PASSWORD, PIN = "ana@ejemplo.pa", "una clave larga", "4821"
MOMENT_MS = 1_795_190_400_000  # 2026-11-20T16:00:00Z

SURVEY = """
| survey   |                          |            |                           |                    |           |
|          | type                     | name       | label::Español (es)       | label::English (en)| required  |
|          | note                     | inicio     | Hola                      | Hello              |           |
|          | begin_group              | lugar      | Lugar                     | Place              |           |
|          | select_one municipio     | municipio  | Municipio                 | Municipality       |           |
|          | end_group                |            |                           |                    |           |
|          | {edad}                   | edad       | ¿Cuántos años tiene?      | How old are you?   |           |
|          | decimal                  | pago       | ¿Cuánto paga?             | How much?          |           |
|          | select_multiple temas    | temas      | ¿Qué temas?               | Which topics?      |           |
|          | select_one gusta         | gusta      | ¿Le gusta su barrio?      | Do you like it?    |           |
|          | text                     | idea       | ¿Qué cambiaría?           | What would change? |           |
{more}| choices  |                          |            |                           |                    |
|          | list_name                | name       | label::Español (es)       | label::English (en)|
|          | municipio                | 0401       | Alanje                    | Alanje             |
|          | municipio                | 0810       | San Miguelito             | San Miguelito      |
|          | temas                    | agua       | Agua                      | Water              |
|          | temas                    | luz        | Luz                       | Power              |
{topics}|          | gusta                    | si         | Sí                        | Yes                |
|          | gusta                    | no         | No                        | No                 |
|          | gusta                    | ns         | No sé                     | I don't know       |
|          | gusta                    | nr         | Prefiero no decir         | I'd rather not say |
| settings |                          |            |                           |                    |
|          | form_id                  | version    | form_title                | default_language   |
|          | barrio                   | {version}  | Mi barrio                 | Español (es)       |
"""
MORE = (
    "|          | integer                  | hijos      | ¿Cuántos hijos?           | How many children? |        |\n"
)
ROADS = "|          | temas                    | caminos    | Caminos                   | Roads              |\n"


def _xform(version: str, edad: str, more: str, topics: str) -> str:
    text = SURVEY.format(version=version, edad=edad, more=more, topics=topics)
    return str(convert(text, validate=False, file_type=".md").xform)


@pytest.fixture(scope="session")
def barrio_xforms() -> dict[str, str]:
    """Give version -> XForm: "2" asks the age with decimals, one question more and has one topic more."""
    return {"1": _xform("1", "integer", "", ""), "2": _xform("2", "decimal", MORE, ROADS)}


@pytest.fixture
def engine(make_database_url: Callable[..., str], tmp_path: Path) -> Iterator[Engine]:
    """Give a central store: on SQLite and again on PostgreSQL."""
    made = open_engine(make_database_url(tmp_path))
    prepare_store(made)
    with writing(made) as session:
        store.first_facts(session, "central")
    yield made
    made.dispose()


@cache
def hashed(secret: str) -> str:
    """Hash once for all tests: argon2 is slow on purpose."""
    return people.hash_secret(secret)


@dataclass
class Lab:
    """A node with the form, and a browser that nobody signed in yet."""

    node: Node
    browser: httpx.Client
    xforms: dict[str, str]

    def install(self, version: str) -> None:
        """Publish a version of the form."""
        self.node.app.state.forms.install(self.xforms[version], f"barrio-{version}.md")

    def publish(self, xform: str) -> None:
        """Publish another form."""
        self.node.app.state.forms.install(xform, "otro.xml")

    def put(
        self,
        *contents: dict[str, Any],
        origin: str = "",
        received_ms: int = MOMENT_MS,
        flags: str = "",
        via: str = "[]",
    ) -> list[str]:
        """Put records into the log as they are; return their ids."""
        read = [read_record(canonical_bytes(content).decode()) for content in contents]
        arrivals = [
            Arrival(r.id, r.sha256, r.body, r.kind, r.form, r.version, r.why, origin=origin, flags=flags, via=via)
            for r in read
        ]
        for start in range(0, len(arrivals), 500):
            with writing(self.node.app.state.engine) as session:
                ingest(session, arrivals[start : start + 500], received_ms)
        return [r.id for r in read]

    def answer(self, version: str = "1", **answers: str) -> dict[str, Any]:
        """Return a record's content; a "__" in a name stands for the "/" of its group."""
        given = {"lugar/municipio": "0810"} | {name.replace("__", "/"): text for name, text in answers.items()}
        return {
            "id": uuid7(), "kind": "submission", "form": "barrio", "version": version, "form_sha": "0" * 16,
            "started": "2026-11-20T10:00:00.000-05:00", "finished": "2026-11-20T10:03:00.000-05:00",
            "lang": "es", "mode": "web", "salt": new_salt(), "answers": given,
        }  # fmt: skip

    def record(self, form: str, answers: object, version: str = "1", **more: Any) -> dict[str, Any]:
        """Return the content of a record of any form, its answers as given."""
        return self.answer(version) | {"form": form, "answers": answers} | more

    def sign_in(self) -> httpx.Response:
        """Sign the browser in."""
        return self.browser.post("/lab/login", data={"email": EMAIL, "password": PASSWORD, "next": "/lab"})

    def token(self) -> str:
        """Make a pull token."""
        with writing(self.node.app.state.engine) as session:
            return people.make_token(session, "prueba")

    def erase(self, record_id: str) -> None:
        """Erase the record as the lab does."""
        with writing(self.node.app.state.engine) as session:
            ingest(session, [make_tombstone(record_id, "lab", "prueba")], MOMENT_MS)

    def last(self) -> int:
        """Return the last log number."""
        with reading(self.node.app.state.engine) as session:
            return last_number(session)


@pytest.fixture
def lab(make_node: Callable[..., Node], barrio_xforms: dict[str, str]) -> Iterator[Lab]:
    """Give a node with version 1 of the form and an account."""
    node = make_node("central")
    with writing(node.app.state.engine) as session:
        put_user(session, EMAIL, hashed(PASSWORD), MOMENT_MS)
        store.set_fact(session, "pin_hash", hashed(PIN))
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, timeout=30) as browser:
        lab = Lab(node, browser, barrio_xforms)
        lab.install("1")
        yield lab


@pytest.fixture
def open_lab(lab: Lab) -> Lab:
    """Give the node with the browser signed in."""
    assert lab.sign_in().status_code == 303
    return lab


@pytest.fixture
def lab_db(tmp_path: Path) -> Path:
    """Give the path of a file that does not exist yet."""
    return tmp_path / "datos" / "lab.db"
