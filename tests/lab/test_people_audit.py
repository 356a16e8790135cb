"""The audit: what stands in it, who may read it, and that nobody changes it, on both databases."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyxform.xls2xform import convert
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from collector.clock import now_ms
from collector.db import open_engine, prepare_store, reading, writing
from collector.lab.audit_details import NAME_WORDS, VALUE_WORDS, detail_lines
from collector.lab.audit_words import ACTION_WORDS, ACTOR_WORDS, ROLE_WORDS, SCOPE_WORDS, SUBJECT_WORDS
from collector.migrations.run import upgrade
from collector.pages import load_english
from collector.problems import ProblemError
from collector.queries.audit import ACTIONS, Done, add_entry, list_entries
from collector.queries.blobs import add_blob
from collector.queries.quarantine import entry_of
from collector.queries.records import ingest
from collector.receipt_codes import claim_of, make_code
from collector.rights import ROLES, SCOPES
from collector.routes.audited import tidy_purpose
from sync.records import uuid7
from sync.statements import made
from tests.conftest import Node
from tests.lab.conftest import EMAIL, Lab
from tests.lab.staff import address_of, audited, browser_of, hire


def note(engine: Engine, **given: Any) -> str:
    """Put an act into the audit; return its id."""
    entry_id = uuid7()
    done = Done(
        given.pop("who", EMAIL), "lab", given.pop("action", "export"), given.pop("subject", "barrio"), "informe"
    )
    with writing(engine) as session:
        add_entry(session, done, entry_id, now_ms(), **given)
    return entry_id


@pytest.fixture(params=["new", "migrated"])
def engine(request: pytest.FixtureRequest, make_database_url: Callable[..., str]) -> Iterator[Engine]:
    """Give a store with the table as a new store makes it, and as the migrations do."""
    engine = open_engine(make_database_url())
    if request.param == "migrated":
        with engine.begin() as connection:
            tables = [] if engine.dialect.name == "sqlite" else ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"]
            for statement in tables:
                connection.execute(text(statement))
        upgrade(engine)
    prepare_store(engine)
    yield engine
    engine.dispose()


# --- the database keeps it


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'otra'", "DELETE FROM audit"])
def test_the_database_lets_nobody_change_or_remove_a_row(engine: Engine, statement: str) -> None:
    note(engine)
    with pytest.raises(DatabaseError, match="audit rows are only added"), writing(engine) as session:
        session.connection().execute(text(statement))
    with reading(engine) as session:
        assert [entry.who for entry in list_entries(session)] == [EMAIL]


@pytest.mark.parametrize(("name", "value"), [("who", EMAIL), ("action", "export"), ("subject", "barrio")])
def test_a_page_of_one_person_kind_or_subject_is_read_by_its_index(tmp_path: Path, name: str, value: str) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    prepare_store(engine)
    asked = f"SELECT * FROM audit WHERE {name} = '{value}' AND id < 'x' ORDER BY id DESC LIMIT 51"
    with reading(engine) as session:
        plan = " ".join(str(row[3]) for row in session.connection().execute(text(f"EXPLAIN QUERY PLAN {asked}")))
    engine.dispose()
    assert f"ix_audit_{name}" in plan and "TEMP B-TREE" not in plan


def test_an_act_that_has_no_name_is_a_mistake_in_the_code(lab: Lab) -> None:
    with pytest.raises(KeyError):
        note(lab.node.app.state.engine, action="look")


def test_every_act_role_and_scope_has_its_words() -> None:
    assert ACTION_WORDS.keys() == set(ACTIONS)
    assert ROLE_WORDS.keys() == set(ROLES)
    assert SCOPE_WORDS.keys() == set(SCOPES)


def test_the_words_of_the_audit_stand_in_english_too() -> None:
    tables = (NAME_WORDS, ACTION_WORDS, ACTOR_WORDS, SUBJECT_WORDS, *VALUE_WORDS.values())
    assert {words for table in tables for words in table.values()} <= load_english().keys()


def test_what_belongs_to_an_act_is_said_in_words_and_a_strange_name_as_it_is() -> None:
    plan = {"quotas": [{"question": "sexo", "value": "m", "target": 40}], "expected": {"0810": 50}, "offered": False}
    detail = {"what": "made", "before": {"role": "lab"}, "plan": plan, "closed": True, "hidden": [], "otro": 3, "x": ""}
    said = dict(detail_lines(detail, lambda words, **_: words, {"0810": "San Miguelito"}))
    assert said == {
        "Qué": "lo hizo", "Antes": "Papel: Laboratorio", "Formulario cerrado": "sí", "otro": "3",
        "Plan": "Cuotas: sexo = m: 40; Respuestas esperadas: San Miguelito 50; Se ofrece aquí: no",
    }  # fmt: skip
    ((_, long),) = detail_lines({"fields": ["columna"] * 200}, str, {})
    assert len(long) == 301


def test_the_page_of_the_audit_says_details_and_actors_in_words(open_lab: Lab) -> None:
    engine = open_lab.node.app.state.engine
    note(engine, who="pin", subject="audit", action="token", what="withdrawn", scope="records")
    page = open_lab.browser.get("/lab/auditoria").text
    assert "Qué: lo retiró" in page and "Qué puede leer: Respuestas sin quién las dio" in page
    assert "Facilitación, con el PIN" in page and "la auditoría</td>" in page
    assert "withdrawn" not in page
    english = open_lab.browser.get("/lab/auditoria?lang=en").text
    assert "What: withdrew it" in english and "What it may read" in english


@pytest.mark.parametrize("typed", ["", "   ", "abc", "\n\t x"])
def test_a_purpose_says_something(typed: str) -> None:
    with pytest.raises(ProblemError):
        tidy_purpose(typed)
    assert tidy_purpose("  informe\n de junio ") == "informe de junio"


# --- what stands in it


def kinds(node: Node) -> list[tuple[str, str, str, int]]:
    return [(entry.who, entry.action, entry.subject, entry.count) for entry in audited(node)]


def test_every_reading_of_raw_answers_is_noted_before_they_are_shown(open_lab: Lab) -> None:
    ids = open_lab.put(*(open_lab.answer(idea=f"idea {n}") for n in range(3)))
    open_lab.browser.get("/lab/forms/barrio")
    open_lab.browser.get(f"/lab/records/{ids[0]}")
    open_lab.browser.get("/lab/forms/barrio/temas")
    open_lab.browser.get(f"/lab/cuarentena/{ids[1]}")
    assert kinds(open_lab.node) == [
        (EMAIL, "read_record", ids[1], 1),
        (EMAIL, "read_record", "barrio", 3),
        (EMAIL, "read_record", ids[0], 1),
        (EMAIL, "read_record", "barrio", 3),
    ]
    assert {entry.role for entry in audited(open_lab.node)} == {"admin"}


def test_a_file_that_is_opened_is_noted(open_lab: Lab) -> None:
    sha256 = put_photo(open_lab, "calle.jpg")
    assert open_lab.browser.get(f"/lab/archivo/{sha256}").content == b"foto"
    assert kinds(open_lab.node) == [(EMAIL, "read_file", sha256, 1)]
    assert open_lab.browser.get(f"/lab/archivo/{'0' * 64}").status_code == 404
    assert len(audited(open_lab.node)) == 1


def put_photo(lab: Lab, name: str, question: str = "foto") -> str:
    """Store a file and a record that names it; return its hash."""
    with writing(lab.node.app.state.engine) as session:
        sha256 = add_blob(session, b"foto", "image/jpeg")
    blob = {"name": name, "sha256": sha256, "bytes": 4, "type": "image/jpeg"}
    lab.put(lab.answer(**{question: name}) | {"blobs": [blob]})
    return sha256


@pytest.mark.parametrize("name", ["textos.csv", "proyecto.qdpx", "comentarios.csv", "participantes.csv"])
def test_what_people_wrote_leaves_only_for_a_purpose(open_lab: Lab, name: str) -> None:
    open_lab.put(open_lab.answer(idea="más luz"))
    address = f"/lab/forms/barrio/temas/{name}"
    refused = open_lab.browser.get(address)
    assert refused.status_code == 422 and 'name="purpose"' in refused.text
    assert audited(open_lab.node) == []
    assert open_lab.browser.get(address, params={"purpose": "informe de junio"}).status_code == 200
    assert open_lab.browser.get(address, headers={b"X-Purpose": "análisis".encode()}).status_code == 200
    found = [(entry.action, entry.subject, entry.purpose, entry.detail) for entry in audited(open_lab.node)]
    detail = json.dumps({"file": name})
    assert found == [("export", "barrio", "análisis", detail), ("export", "barrio", "informe de junio", detail)]


def test_the_page_that_asks_for_the_purpose_keeps_what_was_asked(open_lab: Lab) -> None:
    page = open_lab.browser.get("/lab/auditoria.csv?quien=ana%40ejemplo.pa&que=export").text
    assert '<form method="get" action="/lab/auditoria.csv">' in page
    assert '<input type="hidden" name="quien" value="ana@ejemplo.pa">' in page
    assert '<input type="hidden" name="que" value="export">' in page


def test_an_erasure_is_noted_with_its_reason_or_as_the_persons_own(open_lab: Lab) -> None:
    (record_id,) = open_lab.put(open_lab.answer(idea="x"))
    open_lab.browser.post(f"/lab/records/{record_id}/borrar", data={"reason": ""})
    assert audited(open_lab.node) == []
    open_lab.browser.post(f"/lab/records/{record_id}/borrar", data={"reason": "lo pidió"})
    entry = audited(open_lab.node)[0]
    assert (entry.who, entry.action, entry.subject, entry.purpose) == (EMAIL, "erase", record_id, "lo pidió")


def test_whoever_erases_by_receipt_code_stands_in_the_audit_without_a_name(lab: Lab) -> None:
    code = make_code()
    record = made(lab.answer(idea="x") | {"claim": claim_of(code)})
    with writing(lab.node.app.state.engine) as session:
        ingest(session, [record], now_ms())
    assert lab.browser.post("/codigo/borrar", data={"code": code}).status_code == 303
    entry = audited(lab.node)[0]
    assert (entry.who, entry.role, entry.action, entry.subject) == ("person", "person", "erase", record.id)
    assert code not in entry.detail


def test_a_decision_on_the_quarantine_is_noted(open_lab: Lab) -> None:
    first = open_lab.answer(idea="uno")
    record_id, _ = open_lab.put(first, first | {"answers": {"idea": "otro"}})
    with reading(open_lab.node.app.state.engine) as session:
        entry = entry_of(session, record_id)
        assert entry is not None
        picks = [f"{each.id} {each.sha256.hex()}" for each in entry.contents if not each.is_record]
    fields = {"pick": picks[0], "action": "set_aside", "reason": "prueba"}
    assert open_lab.browser.post(f"/lab/cuarentena/{record_id}", data=fields).status_code == 303
    noted = audited(open_lab.node, action="repair")[0]
    assert (noted.who, noted.subject, noted.purpose, noted.count) == (EMAIL, record_id, "prueba", 1)
    assert json.loads(noted.detail) == {"decision": {"action": "set_aside"}}


# --- reading it


def test_the_audit_is_filtered_paged_and_says_what_was_done(open_lab: Lab) -> None:
    engine = open_lab.node.app.state.engine
    ids = [note(engine, who=f"p{n % 2}@ejemplo.pa", action="export", subject=f"f{n % 3}") for n in range(120)]
    get = open_lab.browser.get
    first = get("/lab/auditoria").text
    assert first.count("Se llevó datos</option>") == 1 and first.count("<tr><th") == 51
    assert "Lo anterior" in first and "Lo más nuevo" not in first
    second = get(f"/lab/auditoria?antes={ids[70]}").text
    assert second.count("<tr><th") == 51 and "Lo más nuevo" in second
    assert get("/lab/auditoria?quien=p0@ejemplo.pa&sobre=f1&que=export").text.count("<tr><th") == 21
    assert "No hay nada con ese filtro" in get("/lab/auditoria?quien=nadie").text


def test_taking_the_audit_along_is_itself_in_it(open_lab: Lab) -> None:
    note(open_lab.node.app.state.engine, subject='=1+1,"x"')
    assert open_lab.browser.get("/lab/auditoria.csv").status_code == 422
    answer = open_lab.browser.get("/lab/auditoria.csv?purpose=revisión anual")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["who"], row["action"], row["subject"], row["purpose"]) for row in rows] == [
        (EMAIL, "export", "audit", "revisión anual"),
        (EMAIL, "export", '\'=1+1,"x"', "informe"),
    ]


def test_an_analyst_may_not_read_the_audit(open_lab: Lab) -> None:
    hire(open_lab.node, "analyst", "lab")
    for role, status in (("analyst", 403), ("lab", 200)):
        with browser_of(open_lab.node, role) as client:
            assert client.get("/lab/auditoria").status_code == status
            assert client.get("/lab/auditoria.csv?purpose=informe").status_code == status


# --- what an analyst is not shown

PEOPLE = """
| survey   |            |         |                          |               |
|          | type       | name    | label::Español (es)      | bind::privacy |
|          | text       | nombre  | ¿Cuál es su nombre?      |               |
|          | integer    | cedula  | Cédula                   |               |
|          | text       | idea    | ¿Qué cambiaría?          |               |
|          | image      | calle   | Foto de la calle         |               |
|          | image      | cara    | Su foto                  | direct        |
| settings |            |         |                          |               |
|          | form_id    | version | form_title               | default_language |
|          | gente      | 1       | Gente                    | Español (es)  |
"""


@pytest.fixture
def people_lab(open_lab: Lab) -> Lab:
    """Give a node with a form that asks who people are, and an analyst."""
    open_lab.publish(str(convert(PEOPLE, validate=False, file_type=".md").xform))
    hire(open_lab.node, "analyst")
    return open_lab


def put_person(lab: Lab) -> tuple[str, dict[str, str]]:
    """Store a record with two photos; return its id, and the hash of each by its question."""
    hashes, entries = {}, []
    for question in ("calle", "cara"):
        with writing(lab.node.app.state.engine) as session:
            hashes[question] = add_blob(session, question.encode(), "image/jpeg")
        size = len(question)
        entries.append({"name": f"{question}.jpg", "sha256": hashes[question], "bytes": size, "type": "image/jpeg"})
    answers = {"nombre": "Ana Ríos", "cedula": "81234567", "idea": "más luz", "calle": "calle.jpg", "cara": "cara.jpg"}
    flags = json.dumps([{"what": "constraint", "key": "cedula", "text": "81234567"}])
    (record_id,) = lab.put(lab.record("gente", answers, blobs=entries), flags=flags)
    return record_id, hashes


def test_an_analyst_sees_the_answers_and_not_whose_they_are(people_lab: Lab) -> None:
    record_id, _ = put_person(people_lab)
    with browser_of(people_lab.node, "analyst") as analyst:
        for path in (f"/lab/records/{record_id}", "/lab/forms/gente", "/lab/forms/gente/temas"):
            page = analyst.get(path).text
            assert "más luz" in page, path
            assert "Ana Ríos" not in page and "81234567" not in page and "cara.jpg" not in page, path
        page = analyst.get(f"/lab/records/{record_id}").text
        assert "•••" in page and "Tal como llegó" not in page and "calle.jpg" in page
    whole = people_lab.browser.get(f"/lab/records/{record_id}").text
    assert "Ana Ríos" in whole and "81234567" in whole and "Tal como llegó" in whole


def test_an_analyst_opens_the_photo_of_the_street_and_not_that_of_a_face(people_lab: Lab) -> None:
    _, hashes = put_person(people_lab)
    with browser_of(people_lab.node, "analyst") as analyst:
        assert analyst.get(f"/lab/archivo/{hashes['calle']}").status_code == 200
        assert analyst.get(f"/lab/archivo/{hashes['cara']}").status_code == 404
    assert people_lab.browser.get(f"/lab/archivo/{hashes['cara']}").status_code == 200


def test_nobody_codes_names_and_no_file_of_codes_holds_them(people_lab: Lab) -> None:
    put_person(people_lab)
    get: Callable[..., httpx.Response] = people_lab.browser.get
    assert "Ana Ríos" not in get("/lab/forms/gente/temas").text
    for name in ("textos.csv", "comentarios.csv", "participantes.csv"):
        assert "Ana" not in get(f"/lab/forms/gente/temas/{name}?purpose=informe").text


def test_an_analyst_is_known_in_the_audit_by_name_and_role(people_lab: Lab) -> None:
    record_id, _ = put_person(people_lab)
    with browser_of(people_lab.node, "analyst") as analyst:
        analyst.get(f"/lab/records/{record_id}")
    entry = audited(people_lab.node)[0]
    assert (entry.who, entry.role, entry.subject) == (address_of("analyst"), "analyst", record_id)
