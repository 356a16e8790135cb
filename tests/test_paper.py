"""Paper sheets: printed with a serial of their own, entered once, by whoever, wherever. Over real HTTP."""

import html
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from collector import people
from collector.db import open_engine, prepare_store, reading, writing
from collector.forms.model import Choice
from collector.forms.xform import read_xform
from collector.links import form_code
from collector.paper import dates
from collector.paper.serials import is_serial, make_serial, read_serial, shown_serial
from collector.paper.sheet import Block, blocks_of, laid_out, option_keys
from collector.problems import ProblemError
from collector.queries import records, single_use
from collector.settings import Settings
from collector.tables.forms import SingleUse
from collector.tables.log import Record
from tests.browser.rich_form import rich_xform
from tests.conftest import Node, serve, submission
from tests.paper_form import ANSWERS, paper_xform
from tests.stored import stored_records
from tests.test_links import squares_in

PIN = "482913"
LIVE = ANSWERS | {"_live": "1"}  # as the page's script posts it: nothing appears unseen


def open_node(folder: Path, xforms: dict[str, str]) -> Node:
    node = serve(Settings(data_dir=folder, name="Municipio", sync_seconds=0))
    for xform in (paper_xform(), xforms["confianza"]):
        node.app.state.forms.install(xform)
    return node


@contextmanager
def give_pin(node: Node) -> Iterator[httpx.Client]:
    """Give a browser-like client that has given the PIN."""
    with writing(node.app.state.engine) as session:
        people.set_pin(session, PIN)
    accept = {"Accept": "text/html"}
    with httpx.Client(base_url=node.url, headers=accept, follow_redirects=True, timeout=30) as client:
        assert client.post("/equipo/pin", data={"pin": PIN, "next": "/equipo"}).status_code == 200
        yield client


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[Node]:
    """A node with three forms; the tests of this file only add to it."""
    found = open_node(tmp_path_factory.mktemp("papel"), starter_xforms)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def browser(node: Node) -> Iterator[httpx.Client]:
    """A browser-like client that has given the PIN."""
    with give_pin(node) as client:
        yield client


def make_sheets(browser: httpx.Client, form: str, count: int = 1, **more: str) -> httpx.Response:
    answer = browser.post(f"/equipo/papel/{form}", data={"n": str(count), **more})
    assert answer.status_code == 200, answer.text
    return answer


def hidden_fields(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def open_sheet(browser: httpx.Client, form: str, serial: str) -> dict[str, str]:
    """Open a sheet and return what the page carries."""
    page = browser.get(f"/equipo/digitar/{form}", params={"hoja": serial})
    assert page.status_code == 200, page.text
    return hidden_fields(page.text)


def keep_sheet(browser: httpx.Client, form: str, fields: dict[str, Any], go: str = "save") -> httpx.Response:
    return browser.post(f"/equipo/digitar/{form}", data={**fields, "_go": go})


def record_of(node: Node, serial: str) -> Record:
    with reading(node.app.state.engine) as session:
        record = records.record_by_id(session, single_use.holder_of(session, single_use.PAPER, serial))
    assert record is not None
    return record


# --- serials


def test_a_serial_names_its_form_and_proves_every_letter() -> None:
    serial = make_serial("agua")
    assert serial.startswith(form_code("agua")) and is_serial(serial)
    wrong = [serial[:at] + letter + serial[at + 1 :] for at in range(14) for letter in "7BK" if serial[at] != letter]
    assert not [each for each in wrong if is_serial(each)]
    assert len({make_serial("agua") for _ in range(500)}) == 500


def test_a_serial_is_read_as_people_type_it() -> None:
    serial = make_serial("agua")
    typed = shown_serial(serial).lower().replace("0", "o").replace("1", "l")
    assert read_serial(f" {typed} ") == read_serial(serial[5:], "agua") == serial
    for wrong in ("", form_code("agua"), serial[:-1], serial + "2", serial[5:]):
        with pytest.raises(ProblemError, match="mistyped"):
            read_serial(wrong)


# --- what is printed


def blocks(xform: str, say: Callable[..., str] = lambda sentence, **v: sentence.format(**v)) -> dict[int, Block]:
    form = read_xform(xform)
    return {block.number: block for block in laid_out(blocks_of(form, form.languages[0], say)) if block.number}


def test_conditions_are_said_in_words_and_answers_say_where_to_go_on() -> None:
    found = blocks(paper_xform())
    assert found[5].only_if == "Solo si la pregunta 4 es «De otra parte»."
    assert found[7].only_if == "Solo si la pregunta 4 es «Tubería» o «Carro cisterna»."
    assert found[9].only_if == "Solo si en la pregunta 8 se marcó «Otro»."
    assert found[12].only_if == "Solo si la pregunta 11 es más de 7."
    leads = {option.name: option.leads for option in found[4].options}
    assert leads["tubo"] == "pase a la pregunta 6" and leads["rio"] == leads["ns"] == "pase a la pregunta 8"
    assert leads["otra"] == "", "the next question is asked: nobody is sent on"


def test_what_is_typed_for_an_option_is_its_number_on_the_sheet() -> None:
    def keys(*names: str) -> list[str]:
        return list(option_keys([Choice(name, {}) for name in names]).values())

    assert keys("si", "no", "ns") == ["1", "2", "a"]
    assert keys("0", "5", "10", "ns", "nr") == ["0", "5", "10", "a", "b"], "on a scale 5 is typed for 5"
    assert keys("08", "09") == ["1", "2"]


def test_every_question_of_a_rich_form_has_its_place_on_paper() -> None:
    form = read_xform(rich_xform())
    printed = list(laid_out(blocks_of(form, form.languages[0], lambda sentence, **v: sentence.format(**v))))
    kinds = {block.kind for block in printed}
    assert kinds == {"one", "lines", "boxes", "scale", "rank", "agree", "files", "heading", "rows", "row", "note"} - {
        "scale"
    }
    assert [block.number for block in printed if block.kind == "row" and block.label == "Persona"] == [1, 2, 3]
    assert sum(block.kind == "row" and block.label == "Pago" for block in printed) == 9
    ages = [block for block in printed if "edad" in block.label]
    assert {block.label for block in ages} == {"¿Qué edad tiene ________?"} and {b.level for b in ages} == {1}
    works = next(block for block in printed if block.label.startswith("¿Trabaja"))
    assert works.only_if == f"Solo si la pregunta {ages[0].number} es 15 o más."
    assert max(len(block.options) for block in printed) <= 30, "a list of ten thousand is written by hand"


def test_sheets_have_their_own_serials_and_the_same_when_printed_again(browser: httpx.Client) -> None:
    page = make_sheets(browser, "agua", 3)
    serials = re.findall(r'class="serial">([^<]+)<', page.text)
    assert len(set(serials)) == 3 and all(is_serial(each.replace("-", "")) for each in serials)
    assert squares_in(page.text) == [each.replace("-", "") for each in serials]
    assert re.findall(r'class="serial">([^<]+)<', browser.get(str(page.url.path)).text) == serials
    assert browser.get("/equipo/papel/confianza/" + page.url.path.rpartition("/")[2]).status_code == 404
    listed = browser.get("/equipo/papel/agua").text
    assert re.search(r"3 hojas del \d{4}-\d\d-\d\d.*?digitadas: 0", listed, re.S)


def test_looking_at_the_page_makes_no_sheets_and_the_number_is_bounded(browser: httpx.Client) -> None:
    page = browser.get("/equipo/papel/confianza?n=20")
    assert 'value="20"' in page.text and "Hechas antes" not in page.text
    assert 'value="200"' in browser.get("/equipo/papel/confianza?n=999999").text
    assert len(re.findall("data-sheet ", make_sheets(browser, "confianza", 0).text)) == 1
    wanted = browser.post("/equipo/papel/confianza", data={"n": "²"}).text
    assert len(re.findall("data-sheet ", wanted)) == 20


def test_a_sheet_speaks_the_language_it_is_asked_for(browser: httpx.Client) -> None:
    page = make_sheets(browser, "agua", 1, idioma="English (en)").text
    assert "Only if question 4 is “Somewhere else”." in page and "→ go to question 6" in page
    assert 'class="a4" lang="en"' in page and "Mark with an X." in page
    assert "Hojas listas para imprimir" in page, "the facilitator still reads Spanish"


# --- entering


def test_dates_are_typed_as_they_stand_on_the_sheet() -> None:
    typed = {
        "date": ("10112026", "10/11/2026", "10-11-2026"),
        "time": ("1430", "14:30"),
        "month": ("112026", "11/2026"),
    }
    wanted = {"date": "2026-11-10", "time": "14:30", "month": "2026-11"}
    assert all(dates.stored(kind, text) == wanted[kind] for kind, texts in typed.items() for text in texts)
    assert dates.stored("datetime", "1/2/2026 9:05") == "2026-02-01T09:05"
    assert dates.stored("date", "ayer") == "ayer" and dates.stored("date", "2026-11-10") == "2026-11-10"
    assert dates.written("date", "2026-11-10") == "10/11/2026" and dates.written("month", "2026-11") == "11/2026"
    assert dates.written("datetime", "2026-02-01T09:05:00.000-05:00") == "01/02/2026 09:05"


def test_a_sheet_is_kept_as_a_record_from_paper(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    carried = open_sheet(browser, "agua", shown_serial(serial).lower())
    answer = keep_sheet(browser, "agua", carried | LIVE)
    assert answer.status_code == 200 and f"Hoja {shown_serial(serial)} guardada." in answer.text
    content = json.loads(record_of(node, serial).body or "")
    assert (content["mode"], content["paper"], content["kind"]) == ("paper", serial, "submission")
    assert content["answers"]["pago"] == "2.50" and "fuente_otra" not in content["answers"]
    assert content["id"] == carried["_id"] and record_of(node, serial).flags == ""


def test_a_sheet_is_not_entered_twice(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    carried = open_sheet(browser, "agua", serial)
    other = open_sheet(browser, "agua", serial)  # two people took the same sheet
    keep_sheet(browser, "agua", carried | LIVE)
    before = record_of(node, serial).id
    late = keep_sheet(browser, "agua", other | LIVE)
    assert late.status_code == 409 and f'href="/r/{before}"' in late.text and "Se digitó el 2" in late.text
    again = browser.get("/equipo/digitar/agua", params={"hoja": serial})
    assert again.status_code == 409 and before in again.text
    assert keep_sheet(browser, "agua", carried | LIVE).status_code == 200, "a second tap is the same record"
    with reading(node.app.state.engine) as session:
        found = stored_records(session, "agua")
    assert len([record for record in found if serial in (record.body or "")]) == 1


def test_of_two_who_save_one_sheet_at_once_one_is_told(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    forms = [open_sheet(browser, "agua", serial) for _ in range(4)]
    statuses: list[int] = []

    def save(carried: dict[str, str]) -> None:
        answer = httpx.post(
            f"{node.url}/equipo/digitar/agua",
            data=carried | LIVE | {"_go": "save"},
            headers={"Accept": "text/html"},
            cookies=dict(browser.cookies),
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=save, args=(carried,)) for carried in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(statuses) == [303, 409, 409, 409]


def test_a_mistyped_serial_and_one_of_another_form_are_told_apart(browser: httpx.Client) -> None:
    serial = make_serial("confianza")
    other = browser.get("/equipo/digitar/agua", params={"hoja": serial})
    assert other.status_code == 409 and "«Confianza y cohesión»" in other.text
    last = "3" if serial[-1] != "3" else "4"
    wrong = browser.get("/equipo/digitar/confianza", params={"hoja": serial[:-1] + last})
    assert wrong.status_code == 422 and "letra por letra" in wrong.text and f'value="{serial[:-1]}{last}"' in wrong.text
    unsafe = browser.get("/equipo/digitar/confianza", params={"hoja": "<script>"})
    assert unsafe.status_code == 422 and "<script>" not in unsafe.text


def test_wrong_answers_are_told_beside_their_fields_and_nothing_is_lost(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    carried = open_sheet(browser, "agua", serial)
    typed = ANSWERS | {"dias": "muchos", "fuente": ""}
    page = keep_sheet(browser, "agua", carried | typed | {"_live": "1"})
    assert page.status_code == 422 and "Escriba un número entero" in page.text and 'value="muchos"' in page.text
    assert page.text.count('aria-invalid="true"') == 1 and "Guardarla así" not in page.text
    with reading(node.app.state.engine) as session:
        assert single_use.holder_of(session, single_use.PAPER, serial) == ""


def test_what_a_sheet_left_blank_can_be_kept_with_a_notice(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    carried = open_sheet(browser, "agua", serial)
    typed = {key: text for key, text in ANSWERS.items() if key not in ("zona", "barrio")} | {"_live": "1"}
    page = keep_sheet(browser, "agua", carried | typed)
    assert page.status_code == 422 and "Guardarla así" in page.text
    assert keep_sheet(browser, "agua", hidden_fields(page.text) | typed, "anyway").status_code == 200
    assert "required" in record_of(node, serial).flags


def test_without_scripts_questions_that_an_answer_makes_appear_are_shown_first(browser: httpx.Client) -> None:
    carried = open_sheet(browser, "agua", make_serial("agua"))
    page = keep_sheet(browser, "agua", carried | ANSWERS | {"fuente": "otra", "fuente_otra": ""})
    assert page.status_code == 422 and "ahora hay más preguntas" in page.text
    kept = keep_sheet(browser, "agua", hidden_fields(page.text) | ANSWERS | {"fuente": "otra", "fuente_otra": "Pozo"})
    assert kept.status_code == 200 and "guardada" in kept.text


def test_a_look_says_what_is_asked_now_and_keeps_nothing(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    carried = open_sheet(browser, "agua", serial)
    look = keep_sheet(browser, "agua", carried | {"fuente": "otra", "zona": "z2"}, "look").json()
    page = browser.get("/equipo/digitar/agua", params={"hoja": serial}).text
    tags = dict(re.findall(r'id="a-(\d+)"[^>]* name="([^"]+)"', page))
    shown = {tags[tag] for tag in look["shown"] if tag in tags}
    assert "fuente_otra" in shown and "corte" not in shown
    offered = next(iter(look["offered"].values()))
    assert len(offered) == 20 and all(name.startswith("z2") for name in offered)


def test_rows_are_added_and_taken_away(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    carried = open_sheet(browser, "agua", serial)  # one row stands there from the start
    more = keep_sheet(browser, "agua", carried | {"persona[1]/nombre": "Ana"}, "add:persona")
    assert more.status_code == 200 and 'data-row-new="persona[2]"' in more.text and 'value="Ana"' in more.text
    typed = {"persona[1]/nombre": "Ana", "persona[2]/nombre": "Luz", "persona[2]/edad": "40"}
    less = keep_sheet(browser, "agua", hidden_fields(more.text) | typed, "remove:persona[1]")
    assert 'name="persona[2]/nombre"' not in less.text and 'value="Luz"' in less.text and "Ana" not in less.text
    kept = keep_sheet(
        browser, "agua", hidden_fields(less.text) | LIVE | {"persona[1]/nombre": "Luz", "persona[1]/edad": "40"}
    )
    assert kept.status_code == 200, re.findall(r'class="err"[^<]*<', kept.text)
    assert json.loads(record_of(node, serial).body or "")["answers"]["persona"] == [{"edad": "40", "nombre": "Luz"}]


def test_odd_posts_are_answered_with_a_page(browser: httpx.Client) -> None:
    odd: list[dict[str, Any]] = [
        {"_was": "no es json"}, {"_was": '{"v": [], "r": 3}'}, {"_was": '{"r":{"5":[' * 900 + "]}" * 900},
        {"_id": "x"}, {"_started": "ayer"}, {"_version": "nada"}, {"_go": "add:nada"}, {"_go": "look", "_was": "[]"},
        {"_go": "remove:persona[99999999999999999999]"}, {"comentario": "a\x00b"}, {"nota": "9" * 5000},
    ]  # fmt: skip
    for fields in odd:
        carried = open_sheet(browser, "agua", make_serial("agua"))
        answer = browser.post("/equipo/digitar/agua", data={**carried, "_go": "save", **fields})
        assert answer.status_code in (200, 422), (fields, answer.status_code)
    assert browser.post("/equipo/digitar/agua", data={}).status_code == 422


def test_only_facilitators_print_and_enter(node: Node) -> None:
    for path in ("/equipo/papel/agua", "/equipo/papel/agua/x", "/equipo/digitar/agua"):
        assert httpx.get(node.url + path, headers={"Accept": "text/html"}).status_code == 303
    for path in ("/equipo/papel/agua", "/equipo/digitar/agua"):
        assert httpx.post(node.url + path, data={"n": "5"}, headers={"Accept": "text/html"}).status_code == 303
        refused = httpx.post(node.url + path, data={"n": "5"}, headers={"Origin": "http://otro.example"})
        assert refused.status_code == 403


# --- several nodes and versions


def test_a_code_is_taken_once_on_both_databases(make_database_url: Callable[..., str]) -> None:
    engine = open_engine(make_database_url())
    prepare_store(engine)
    made = [
        SingleUse(kind=single_use.PAPER, code=code, form="agua", version="1", batch=batch, made_ms=moment)
        for batch, code, moment in (("uno", "A", 5), ("uno", "B", 5), ("dos", "C", 9))
    ]
    with writing(engine) as session:
        single_use.add_codes(session, made)
        taken = [
            single_use.take_code(session, kind, code, record_id, "agua", "1", 70)
            for kind, code, record_id in (
                ("paper", "A", "r1"),
                ("paper", "A", "r2"),
                ("ticket", "A", "r2"),
                ("paper", "Z", "r3"),
            )
        ]
    assert taken == ["r1", "r1", "r2", "r3"]
    with reading(engine) as session:
        listed = single_use.batches_of(session, "paper", "agua")
        assert [(each.batch, each.count, each.used) for each in listed] == [("dos", 1, 0), ("uno", 2, 1)]
        assert single_use.count_used_since(session, "paper", "agua", 70) == 2
        assert [row.code for row in single_use.codes_in(session, "paper", "uno")] == ["A", "B"]
        assert single_use.holder_of(session, "paper", "B") == single_use.holder_of(session, "paper", "nada") == ""
    engine.dispose()


def test_a_sheet_entered_on_two_nodes_is_noticed_at_central_and_both_stay(
    make_node: Callable[..., Node],
) -> None:
    central = make_node("central")
    central.app.state.forms.install(paper_xform())
    serial = make_serial("agua")
    ids = []
    for name in ("norte", "sur"):
        field = make_node(name, upstream=central)
        field.app.state.forms.install(paper_xform())
        with give_pin(field) as client:
            carried = open_sheet(client, "agua", serial)
            assert keep_sheet(client, "agua", carried | LIVE).status_code == 200
        field.app.state.sync_now()
        ids.append(carried["_id"])
    with reading(central.app.state.engine) as session:
        first, second = (records.record_by_id(session, record_id) for record_id in ids)
    assert first is not None and second is not None and first.state == second.state == "usable"
    assert first.flags == "" and json.loads(second.flags) == [
        {"key": "", "what": "serial_used", "text": f"{serial} {ids[0]}"}
    ]
    with give_pin(central) as client:
        assert client.get("/equipo/digitar/agua", params={"hoja": serial}).status_code == 409


def test_a_sheet_is_entered_into_the_version_that_is_printed_on_it(
    make_node: Callable[..., Node],
) -> None:
    node = make_node("campo")
    node.app.state.forms.install(paper_xform("1"))
    with give_pin(node) as client:
        sheet = re.findall(r'class="serial">([^<]+)<', make_sheets(client, "agua").text)[0]
        node.app.state.forms.install(paper_xform("2"))
        assert open_sheet(client, "agua", sheet)["_version"] == "1"
        assert open_sheet(client, "agua", make_serial("agua"))["_version"] == "2"
        foreign = client.get("/equipo/digitar/agua", params={"hoja": make_serial("agua"), "version": "1"})
        assert hidden_fields(foreign.text)["_version"] == "1"
        assert "<option>1" in client.get("/equipo/digitar/agua").text


def test_a_serial_that_is_none_makes_no_notice(node: Node, send_outbox: Callable[..., httpx.Response]) -> None:
    contents = [submission("agua", paper=value) for value in ("x", "A" * 14, 5, None)] * 2
    for content in contents:
        send_outbox(node, content)
    with reading(node.app.state.engine) as session:
        kept = [records.record_by_id(session, str(content["id"])) for content in contents]
    assert not [record for record in kept if record is None or "serial_used" in record.flags]


def test_a_sheet_without_consent_is_not_kept(node: Node, browser: httpx.Client) -> None:
    serial = make_serial("agua")
    typed = {key: text for key, text in LIVE.items() if key != "consent/accepted"}
    page = keep_sheet(browser, "agua", open_sheet(browser, "agua", serial) | typed)
    assert page.status_code == 422 and "Guardarla así" not in page.text
    assert keep_sheet(browser, "agua", hidden_fields(page.text) | typed, "anyway").status_code == 422
    with reading(node.app.state.engine) as session:
        assert single_use.holder_of(session, single_use.PAPER, serial) == ""
