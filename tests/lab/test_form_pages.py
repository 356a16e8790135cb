"""The lab's pages of forms: a look before publishing, what a version changes, plans, closing, languages, voices."""

import html
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event

from collector.clock import now_ms
from collector.db import reading, writing
from collector.form_plan import Plan, Quota
from collector.publish import drafts
from collector.publish.drafts import KEPT_MS, MOST_DRAFTS, clean_drafts, keep_draft, open_draft
from collector.publish.publishing import check_file
from collector.queries import fleet, nodes, plans
from collector.queries.audit import list_entries
from collector.queries.people import put_user
from sync.records import uuid7
from tests.browser.people_form import beep
from tests.conftest import STARTER
from tests.lab.conftest import MOMENT_MS, SURVEY, Lab, hashed

CARD = (STARTER / "tarjeta.xlsx").read_bytes()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
WITH_PICTURE = (
    b"| survey |\n| | type | name | label | image | required |\n"
    b"| | text | a | \xc2\xbfQu\xc3\xa9 ve? | mapa.png | yes |\n| | image | foto | Una foto | | |\n"
    b"| settings |\n| | form_id | version |\n| | mapa | 1 |\n"
)
# version 3 of the form of tests/lab: without the idea, without "sí"
LESS = SURVEY.format(version="3", edad="integer", more="", topics="")
LESS = LESS.replace(
    "|          | text                     | idea       |", "|          | text                     | sueno      |"
)
LESS = LESS.replace("¿Qué cambiaría? ", "¿Qué sueña? ").replace(
    "|          | gusta                    | si         | Sí                        | Yes                |\n", ""
)


def upload(
    lab: Lab, name: str, content: bytes, go: str = "check", media: Mapping[str, bytes] | None = None
) -> httpx.Response:
    files = [("file", (name, content)), *(("media", (each, inside)) for each, inside in (media or {}).items())]
    return lab.browser.post("/lab/publicar", files=files, data={"go": go}, follow_redirects=True)


def token_in(answer: httpx.Response) -> str:
    found = re.search("/lab/vista/([0-9a-f]{32})", answer.text)
    assert found, answer.text
    return found.group(1)


def planned(lab: Lab, form_id: str = "barrio") -> Plan:
    with reading(lab.node.app.state.engine) as session:
        return plans.get_plan(session, form_id)


def acts(lab: Lab, action: str) -> list[tuple[str, str, str]]:
    with reading(lab.node.app.state.engine) as session:
        return [(entry.who, entry.subject, entry.detail) for entry in list_entries(session, action=action)]


# --- a look before publishing


def test_a_form_can_be_looked_at_before_anybody_else_meets_it(open_lab: Lab) -> None:
    answer = upload(open_lab, "mapa.md", WITH_PICTURE, media={"mapa.png": PNG})
    assert "Se puede publicar." in answer.text
    here = f"/lab/vista/{token_in(answer)}"
    first = open_lab.browser.get(here)
    assert first.status_code == 200 and "Vista previa" in first.text and "¿Qué ve?" in first.text
    assert f'src="{here}/media/mapa.png"' in first.text
    picture = open_lab.browser.get(f"{here}/media/mapa.png")
    assert picture.content == PNG and picture.headers["content-type"] == "image/png"
    assert open_lab.browser.get(f"{here}/media/otra.png").status_code == 404
    assert open_lab.browser.get("/f/mapa").status_code == 404


def test_what_is_written_in_a_preview_is_checked_and_kept_nowhere(open_lab: Lab) -> None:
    here = f"/lab/vista/{token_in(upload(open_lab, 'mapa.md', WITH_PICTURE, media={'mapa.png': PNG}))}"
    before = open_lab.last()
    blank = open_lab.browser.post(here, data={"_go": "next", "_page": "0"})
    assert blank.status_code == 422 and "Vista previa" in blank.text
    given = {"_go": "next", "_page": "0", "_id": uuid7(), "a": "un mapa"}
    second = open_lab.browser.post(here, data=given)
    assert second.status_code == 200 and "Una foto" in second.text
    was = re.search(r'name="_was" value="([^"]*)"', second.text)
    assert was
    fields = given | {"_go": "send", "_page": "1", "_was": html.unescape(was.group(1))}
    last = open_lab.browser.post(here, data=fields, files={"_file/foto": ("f.png", PNG, "image/png")})
    assert last.status_code == 200 and "no se guardó nada" in last.text
    assert open_lab.last() == before
    with reading(open_lab.node.app.state.engine) as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM blob").scalar() == 0


def test_the_preview_shows_the_pages_of_the_published_form(open_lab: Lab) -> None:
    answer = upload(open_lab, "tarjeta.xlsx", CARD)
    preview = open_lab.browser.get(f"/lab/vista/{token_in(answer)}").text
    open_lab.browser.post(f"/lab/publicar/{token_in(answer)}", data={"go": "publish"})
    page = open_lab.browser.get("/f/tarjeta", follow_redirects=True).text
    sections = re.compile(r'<section class="page".*?</section>', re.DOTALL)
    assert sections.findall(preview) and sections.findall(preview) == sections.findall(page)


def test_a_form_that_waits_is_published_by_its_draft_and_leaves_a_trace(open_lab: Lab) -> None:
    token = token_in(upload(open_lab, "tarjeta.xlsx", CARD))
    assert "Antes de publicar" in open_lab.browser.get(f"/lab/publicar/{token}").text
    answer = open_lab.browser.post(f"/lab/publicar/{token}", data={"go": "publish"})
    assert "Publicado: tarjeta" in answer.text
    [(who, subject, detail)] = acts(open_lab, "publish")
    assert (who, subject) == ("ana@ejemplo.pa", "tarjeta") and "tarjeta.xlsx" in detail
    assert open_lab.browser.get(f"/lab/publicar/{token}").status_code == 404
    source = open_lab.browser.get("/lab/formularios/tarjeta/fuente")
    assert source.content == CARD and "tarjeta.xlsx" in source.headers["content-disposition"]


def test_a_form_that_waits_can_be_thrown_away(open_lab: Lab) -> None:
    token = token_in(upload(open_lab, "tarjeta.xlsx", CARD))
    assert open_lab.browser.post(f"/lab/publicar/{token}", data={"go": "drop"}).status_code == 303
    for address in (f"/lab/publicar/{token}", f"/lab/vista/{token}", "/lab/vista/..%2F..%2Fetc"):
        assert open_lab.browser.get(address).status_code == 404


def test_drafts_are_thrown_away_after_half_a_day_and_the_oldest_when_there_are_many(tmp_path: Path) -> None:
    checked = check_file("tarjeta.xlsx", CARD)
    tokens = [keep_draft(tmp_path, checked, "t", CARD, "ana", 1000 + n) for n in range(MOST_DRAFTS + 2)]
    held = [token for token in tokens if open_draft(tmp_path, token, 2000)]
    assert held == tokens[2:]
    kept = open_draft(tmp_path, tokens[-1], 2000)
    assert kept and kept.form == checked.form and kept.report == checked.report and kept.source() == CARD
    assert open_draft(tmp_path, tokens[-1], 2000 + 2 * KEPT_MS) is None
    unfinished = tmp_path / drafts.FOLDER / ("0" * 32)
    unfinished.mkdir()
    clean_drafts(tmp_path, now_ms())
    assert [folder.name for folder in (tmp_path / drafts.FOLDER).iterdir()] == [unfinished.name]


# --- what a version changes


def answered(lab: Lab) -> None:
    """Put answers under version 1, and a tablet below that still holds it."""
    lab.put(lab.answer(idea="Más luz", gusta="si"), lab.answer(idea="Parque", gusta="no"), lab.answer(gusta="si"))
    with writing(lab.node.app.state.engine) as session:
        nodes.enrol_node(session, nodes.make_enrol_code(session, now_ms()), "Tableta de Alanje", "t1", now_ms(), "")
    with writing(lab.node.app.state.engine) as session:
        fleet.note_report(session, "t1", {"forms": [["barrio", "1"]], "waiting": 7}, now_ms())


def test_a_version_that_takes_away_something_answered_asks_once_more(open_lab: Lab) -> None:
    answered(open_lab)
    answer = upload(open_lab, "barrio.md", LESS.encode(), "publish")
    assert "Todavía no se publicó" in answer.text
    assert "Quita «¿Qué cambiaría?», que tiene 2 respuestas." in answer.text
    assert "«Sí», elegida 2 veces" in answer.text
    assert "1 equipo todavía tiene la 1:" in answer.text and "Tableta de Alanje" in answer.text
    assert "7 por enviar" in answer.text
    assert [row.version for row in open_lab.node.app.state.forms.versions("barrio")] == ["1"]
    done = open_lab.browser.post(f"/lab/publicar/{token_in(answer)}", data={"go": "publish"})
    assert "Publicado: barrio" in done.text
    assert [row.version for row in open_lab.node.app.state.forms.versions("barrio")] == ["3", "1"]


def test_one_answer_is_said_in_the_singular(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer(idea="Más luz", gusta="si"))
    page = upload(open_lab, "barrio.md", LESS.encode(), "check").text
    assert "que tiene 1 respuesta." in page and "«Sí», elegida 1 vez" in page and "1 respuestas" not in page


def test_without_answers_the_same_version_is_published_at_once(open_lab: Lab) -> None:
    assert "Publicado: barrio" in upload(open_lab, "barrio.md", LESS.encode(), "publish").text


def test_two_versions_are_compared_with_the_answers_that_are_here(open_lab: Lab) -> None:
    answered(open_lab)
    open_lab.install("2")
    page = open_lab.browser.get("/lab/formularios/barrio/diferencia").text
    assert "De la versión 1 a la 2" in page and "Agrega «¿Cuántos hijos?»" in page and "«Caminos»" in page
    back = open_lab.browser.get("/lab/formularios/barrio/diferencia", params={"de": "2", "a": "1"}).text
    assert "era «Número con decimales» y ahora es «Número entero»" in back
    assert (
        "was “Number with decimals”" in open_lab.browser.get("/lab/formularios/barrio/diferencia?de=2&a=1&lang=en").text
    )
    assert "Quita «¿Cuántos hijos?», que todavía no tiene respuestas." in back
    assert open_lab.browser.get("/lab/formularios/barrio/diferencia?de=x&a=y").status_code == 200


# --- plans


def test_the_list_and_the_page_say_how_a_form_stands(open_lab: Lab) -> None:
    assert "Abierta" in open_lab.browser.get("/lab/formularios").text
    answered(open_lab)
    page = open_lab.browser.get("/lab/formularios/barrio").text
    assert "Todos los equipos" in page and "Tableta de Alanje" in page and "/e/" in page and "<svg" in page
    assert open_lab.browser.get("/lab/formularios/nadie").status_code == 404


def test_a_plan_is_changed_on_its_page_and_leaves_a_trace(open_lab: Lab) -> None:
    answered(open_lab)
    assert "Tableta de Alanje" in open_lab.browser.get("/lab/formularios/barrio/plan").text
    fields = {
        "node": "t1", "place": "0401", "frequency": "30", "expected": "Alanje: 12", "quota:gusta:si": "5",
        "public_on": "1", "public": "gusta",
    }  # fmt: skip
    assert open_lab.browser.post("/lab/formularios/barrio/plan", data=fields).status_code == 303
    assert planned(open_lab) == Plan(
        frequency_days=30, nodes=("t1",), municipalities=("0401",), quotas=(Quota("gusta", "si", 5),),
        expected={"0401": 12}, is_public=True, public=("gusta",),
    )  # fmt: skip
    assert [subject for _, subject, _ in acts(open_lab, "plan")] == ["barrio"]
    page = open_lab.browser.get("/lab/formularios/barrio").text
    assert "Tableta de Alanje" in page and "cada 30 días" in page and "Alanje: 12" in page
    again = open_lab.browser.get("/lab/formularios/barrio/plan").text
    assert 'value="t1" checked' in again and "Alanje: 12" in again and 'name="quota:gusta:si"' in again
    assert open_lab.browser.post("/lab/formularios/barrio/plan", data=fields).status_code == 303
    assert len(acts(open_lab, "plan")) == 1  # nothing changed


def test_a_plan_that_cannot_be_read_changes_nothing_and_keeps_what_was_typed(open_lab: Lab) -> None:
    answer = open_lab.browser.post("/lab/formularios/barrio/plan", data={"frequency": "7", "expected": "Macondo: 3"})
    assert answer.status_code == 422 and "No hay un municipio con ese nombre: «Macondo: 3»." in answer.text
    assert "Macondo: 3</textarea>" in answer.text and planned(open_lab) == Plan()


def test_a_closed_form_is_not_opened_and_what_was_answered_still_arrives(
    open_lab: Lab, send_outbox: Callable[..., httpx.Response]
) -> None:
    page = open_lab.browser.get("/f/barrio/1").text
    assert 'name="_page"' in page
    assert open_lab.browser.post("/lab/formularios/barrio/cerrar").status_code == 303
    for address in ("/f/barrio", "/f/barrio/1", "/k/barrio", "/k/barrio/1"):
        closed = open_lab.browser.get(address)
        assert "Esta encuesta ya cerró" in closed.text and "no-store" in closed.headers["cache-control"]
    # what a kept page still asks for is given, and brings the page back to nobody
    assert open_lab.browser.get("/f/barrio/1/form.json").json()["form"] == "barrio"
    assert "Esta encuesta ya cerró" in open_lab.browser.get("/f/barrio/1").text
    assert open_lab.browser.get("/f/barrio/current").json()["address"] == "/f/barrio/current/cerrada"
    assert "ya cerró" in open_lab.browser.get("/f/barrio/current/cerrada").text
    english = open_lab.browser.get("/f/barrio", headers={"Accept-Language": "en"}).text
    assert "This survey has closed" in english
    assert "Mi barrio" not in open_lab.browser.get("/").text
    assert send_outbox(open_lab.node, open_lab.answer()).status_code == 200
    fields = {"_go": "send", "_page": "0", "lugar/municipio": "0810"}
    assert open_lab.browser.post("/f/barrio/1", data=fields).status_code in (
        200,
        303,
    )  # a page that was open stays good
    assert "Cerrada" in open_lab.browser.get("/lab/formularios").text
    assert open_lab.browser.post("/lab/formularios/barrio/abrir").status_code == 303
    assert 'name="_page"' in open_lab.browser.get("/f/barrio/1").text
    assert "Mi barrio" in open_lab.browser.get("/").text
    assert open_lab.browser.get("/f/barrio/current").json() == {"version": "1", "address": "/f/barrio/1"}
    assert open_lab.browser.get("/f/barrio/current/cerrada").headers["location"] == "/f/barrio"
    assert [detail for _, _, detail in acts(open_lab, "plan")] == ['{"closed": false}', '{"closed": true}']


def test_what_the_upstream_decides_is_not_changed_here(open_lab: Lab) -> None:
    with writing(open_lab.node.app.state.engine) as session:
        plans.keep_told(session, "0810", {"barrio": Plan(closed_ms=5, is_from_above=True)}, MOMENT_MS)
    assert open_lab.browser.post("/lab/formularios/barrio/abrir").status_code == 409
    assert planned(open_lab).is_closed
    page = open_lab.browser.get("/lab/formularios/barrio/plan").text
    assert 'name="node"' not in page and 'name="frequency"' in page
    assert "lo decide el equipo al que este envía" in open_lab.browser.get("/lab/formularios/barrio").text


def test_a_node_is_placed_in_a_municipality_on_its_page(open_lab: Lab) -> None:
    answered(open_lab)
    assert open_lab.browser.post("/lab/equipos/t1/municipio", data={"municipio": "0401"}).status_code == 303
    assert '<option value="0401" selected>' in open_lab.browser.get("/lab/equipos/t1").text
    assert open_lab.browser.post("/lab/equipos/t1/municipio", data={"municipio": "9999"}).status_code == 400
    assert open_lab.browser.post("/lab/equipos/nadie/municipio", data={"municipio": ""}).status_code == 404


def statements(lab: Lab, act: Callable[[], object]) -> list[str]:
    """Return the SQL that an act asks the store."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        said.append(statement)

    event.listen(lab.node.app.state.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(lab.node.app.state.engine, "before_cursor_execute", note)
    return said


def test_the_list_asks_the_store_as_little_with_many_forms_as_with_one_and_counts_nothing(open_lab: Lab) -> None:
    one = statements(open_lab, lambda: open_lab.browser.get("/lab/formularios"))
    for number in range(12):
        xform = open_lab.xforms["1"].replace('id="barrio"', f'id="barrio{number}"')
        open_lab.publish(xform)
        with writing(open_lab.node.app.state.engine) as session:
            plans.put_plan(session, f"barrio{number}", Plan(frequency_days=7), now_ms())
    answered(open_lab)
    many = statements(open_lab, lambda: open_lab.browser.get("/lab/formularios"))
    assert len(many) == len(one) <= 8
    assert not [statement for statement in many if "FROM record" in statement]


def test_a_version_that_takes_nothing_away_counts_no_answers(open_lab: Lab) -> None:
    answered(open_lab)
    said = statements(open_lab, lambda: upload(open_lab, "otra.md", open_lab_more().encode()))
    assert not [statement for statement in said if "json_each" in statement]


def test_counts_that_took_long_stand_for_the_next_look(open_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(open_lab)
    monkeypatch.setattr("collector.routes.form_impact.SLOW_SECONDS", -1.0)
    token = token_in(upload(open_lab, "barrio.md", LESS.encode()))
    open_lab.put(open_lab.answer(idea="Otra"))
    said = statements(open_lab, lambda: open_lab.browser.get(f"/lab/publicar/{token}"))
    assert not [statement for statement in said if "json_each" in statement]
    monkeypatch.setattr("collector.routes.form_impact.KEPT_SECONDS", -1.0)
    assert "que tiene 3 respuestas" in open_lab.browser.get(f"/lab/publicar/{token}").text


def open_lab_more() -> str:
    """Return a version of the form with one question more."""
    more = "| | text | otra | ¿Algo más? | Anything else? | |\n"
    return SURVEY.format(version="5", edad="integer", more=more, topics="")


# --- languages and voices


def test_languages_say_what_is_missing(open_lab: Lab) -> None:
    page = open_lab.browser.get("/lab/formularios/barrio/idiomas").text
    assert "Textos por idioma" in page and "English (en)" in page and "Falta en" not in page
    lacking = SURVEY.format(version="4", edad="integer", more="", topics="").replace("How old are you? ", " ")
    assert "Publicado" in upload(open_lab, "barrio.md", lacking.encode(), "publish").text
    page = open_lab.browser.get("/lab/formularios/barrio/idiomas").text
    assert "Falta en English (en)" in page and "¿Cuántos años tiene?" in page
    assert '<td data-label="Qué texto">Pregunta</td>' in page


def test_the_lab_uploads_a_voice_that_the_survey_plays(open_lab: Lab) -> None:
    page = open_lab.browser.get("/lab/formularios/barrio/voces?lengua=gym").text
    found = re.search(r'name="place" value="([^"]+)"><input type="hidden" name="text" value="([^"]+)"', page)
    assert found
    fields = {"lengua": "gym", "place": found.group(1), "text": found.group(2), "go": "keep"}
    sound = {"_file/voice": ("a.wav", beep(), "audio/wav")}
    answer = open_lab.browser.post("/lab/formularios/barrio/voces", data=fields, files=sound)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/lab/formularios/barrio/voces?")
    assert "Ngäbere" in open_lab.browser.get("/lab/formularios/barrio/idiomas").text
    assert "media/voice/" in open_lab.browser.get("/f/barrio/1").text


# --- who may


@pytest.mark.parametrize(("role", "sees", "changes"), [("analyst", 200, 403), ("facilitator", 403, 403)])
def test_who_may_not_publish_changes_nothing(lab: Lab, role: str, sees: int, changes: int) -> None:
    assert lab.sign_in().status_code == 303
    token = token_in(upload(lab, "tarjeta.xlsx", CARD))
    with writing(lab.node.app.state.engine) as session:
        put_user(session, "otra@ejemplo.pa", hashed("una clave larga"), MOMENT_MS)
        session.flush()
        session.connection().exec_driver_sql(f"UPDATE account SET role = '{role}' WHERE email = 'otra@ejemplo.pa'")
    lab.browser.cookies.clear()
    lab.browser.post("/lab/login", data={"email": "otra@ejemplo.pa", "password": "una clave larga", "next": "/lab"})
    for address in ("", "/barrio", "/barrio/idiomas", "/barrio/diferencia", "/barrio/fuente"):
        assert lab.browser.get(f"/lab/formularios{address}").status_code == sees
    for address in ("barrio/plan", "barrio/voces"):
        assert lab.browser.get(f"/lab/formularios/{address}").status_code == changes
    for address in ("barrio/cerrar", "barrio/abrir", "barrio/plan", "barrio/voces"):
        assert lab.browser.post(f"/lab/formularios/{address}").status_code == changes
    for address in (f"/lab/vista/{token}", f"/lab/publicar/{token}", f"/lab/vista/{token}/media/x"):
        assert lab.browser.get(address).status_code == changes
    assert lab.browser.post(f"/lab/publicar/{token}", data={"go": "publish"}).status_code == changes
    assert [row.form_id for row in lab.node.app.state.forms.current()] == ["barrio"]
    assert planned(lab) == Plan()
