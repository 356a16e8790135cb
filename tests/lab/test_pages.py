"""The lab's pages over real HTTP: who may see them and what they say."""

import csv
import io
import json
import re
from pathlib import Path

import httpx
import pytest
from fastapi import Request

from collector.assets import asset_dir
from collector.lab.whole_record import FLAGS
from collector.pages import load_english
from collector.routes import access
from tests.lab.conftest import PASSWORD, PIN, Lab

PAGES = ["/lab", "/lab/forms/barrio", "/lab/forms/barrio/export.csv?purpose=prueba"]


# --- signing in


@pytest.mark.parametrize("path", PAGES)
def test_without_signing_in_a_browser_is_led_to_the_log_in_and_back(lab: Lab, path: str) -> None:
    answer = lab.browser.get(path + "?before=3")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/lab/login?next=%2Flab")


@pytest.mark.parametrize("path", PAGES)
def test_without_signing_in_a_program_is_told_in_json(lab: Lab, path: str) -> None:
    answer = lab.browser.get(path, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "login_needed")


def test_signing_in_sets_a_cookie_out_of_reach_and_goes_where_one_wanted(lab: Lab) -> None:
    answer = lab.browser.post(
        "/lab/login", data={"email": "ANA@ejemplo.pa ", "password": PASSWORD, "next": "/lab/forms/barrio?before=3"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/lab/forms/barrio?before=3")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("collector_session=") and "httponly" in cookie and "samesite=strict" in cookie
    assert "path=/;" in cookie and "max-age=43200" in cookie and "secure" not in cookie
    assert lab.browser.get("/lab").status_code == 200


@pytest.mark.parametrize(
    "target", ["https://malo.example", "//malo.example", "/\\malo.example", "javascript:alert(1)", "", "/\tmalo", "lab"]
)
def test_a_log_in_never_leads_to_another_place(lab: Lab, target: str) -> None:
    answer = lab.browser.post("/lab/login", data={"email": "ana@ejemplo.pa", "password": PASSWORD, "next": target})
    assert (answer.status_code, answer.headers["location"]) == (303, "/lab")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(lab: Lab) -> None:
    wrong = lab.browser.post("/lab/login", data={"email": "ana@ejemplo.pa", "password": "no es"})
    unknown = lab.browser.post("/lab/login", data={"email": "eva@ejemplo.pa", "password": "no es"})
    assert wrong.status_code == unknown.status_code == 401
    assert "El correo o la contraseña no coinciden" in wrong.text
    assert wrong.text.replace("ana@", "eva@") == unknown.text
    assert "set-cookie" not in wrong.headers


def test_after_five_wrong_passwords_even_the_right_one_waits(lab: Lab) -> None:
    for _ in range(5):
        assert lab.browser.post("/lab/login", data={"email": "ana@ejemplo.pa", "password": "no"}).status_code == 401
    answer = lab.sign_in()
    assert answer.status_code == 429 and re.search(r"Espere (\d+) segundos", answer.text)


def test_signing_out_ends_the_session_on_the_node_too(open_lab: Lab) -> None:
    cookie = open_lab.browser.cookies["collector_session"]
    assert open_lab.browser.post("/lab/logout").headers["location"] == "/lab/login"
    again = httpx.get(
        f"{open_lab.node.url}/lab", cookies={"collector_session": cookie}, headers={"Accept": "text/html"}
    )
    assert again.status_code == 303


def test_a_post_from_another_origin_signs_nobody_in_or_out(open_lab: Lab) -> None:
    for path in ("/lab/login", "/lab/logout"):
        headers = {"Origin": "https://malo.example", "Accept": "application/json"}
        answer = open_lab.browser.post(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "other_origin")
    assert open_lab.browser.get("/lab").status_code == 200


def test_the_pin_of_facilitators_opens_no_page_of_the_lab(lab: Lab) -> None:
    answer = lab.browser.post("/equipo/pin", data={"pin": PIN})
    assert answer.status_code == 303
    lab.browser.cookies.set("collector_session", lab.browser.cookies["collector_pin"])
    assert lab.browser.get("/lab").status_code == 303


def test_a_fragment_asked_after_the_session_ended_leads_the_whole_page_to_the_log_in(lab: Lab) -> None:
    answer = lab.browser.get("/lab/forms/barrio?before=9", headers={"HX-Request": "true"}, follow_redirects=True)
    assert answer.status_code == 204
    assert answer.headers["hx-redirect"] == "/lab/login?next=%2Flab%2Fforms%2Fbarrio%3Fbefore%3D9"


def test_the_waiting_page_of_a_post_is_not_offered_as_a_way_back() -> None:
    scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": []}
    assert access._login_needed(Request(scope), "/equipo/pin").values == {"login": "/equipo/pin"}


# --- what arrived


def test_a_node_without_forms_shows_the_three_steps(open_lab: Lab) -> None:
    from sqlalchemy import text

    with open_lab.node.app.state.engine.begin() as connection:
        connection.execute(text("DELETE FROM form"))
    page = open_lab.browser.get("/lab").text
    assert "1 · Publique un formulario" in page and "3 · Espere la primera respuesta" in page


def test_the_list_counts_what_arrived_by_form_and_by_node(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer(), open_lab.answer())
    open_lab.put(open_lab.answer(), origin="c3" * 16)
    page = open_lab.browser.get("/lab").text
    assert re.search(r'href="/lab/forms/barrio">Mi barrio</a>.*?data-label="Respuestas">3<', page, re.S)
    assert re.search(r"Este equipo</th>\s*<td[^>]*>2<", page) and re.search(r"Equipo c3c3c3c3</th>\s*<td[^>]*>1<", page)


def test_records_of_a_form_that_is_not_published_here_are_listed_and_shown(open_lab: Lab) -> None:
    record_id = open_lab.put(open_lab.answer() | {"form": "ajeno", "version": "9"})[0]
    assert "no está publicado en este equipo" in open_lab.browser.get("/lab").text
    assert record_id in open_lab.browser.get("/lab/forms/ajeno").text
    assert "lugar/municipio" in open_lab.browser.get(f"/lab/records/{record_id}").text


def test_a_form_that_nobody_knows_is_not_found(open_lab: Lab) -> None:
    assert open_lab.browser.get("/lab/forms/nada").status_code == 404


# --- one form


def row_of(page: str, label: str) -> str:
    """Return the words of the table row headed by `label`."""
    found = re.search(rf'<tr><th scope="row">{re.escape(label)}<.*?</tr>', page, re.S)
    assert found, f"no row {label}"
    return re.sub(r"<[^>]+>", " ", found[0]).replace("&nbsp;", " ")


def test_a_form_in_numbers(open_lab: Lab) -> None:
    for gusta, temas, place in [
        ("si", "agua luz", "0810"),
        ("si", "agua", "0810"),
        ("no", "", "0401"),
        ("ns", "luz", "0810"),
    ]:
        open_lab.put(open_lab.answer(gusta=gusta, temas=temas, lugar__municipio=place))
    page = open_lab.browser.get("/lab/forms/barrio").text
    assert ">2 de 2<" in page and ">3:00<" in page
    assert row_of(page, "San Miguelito").split() == ["San", "Miguelito", "3", "75", "%", "30–95"]
    assert row_of(page, "Sí").split() == ["Sí", "67", "%", "21–94", "2"]
    assert row_of(page, "Agua").split() == ["Agua", "67", "%", "21–94", "2"]
    assert "No sé: 1 · Prefiero no decir: 0" in page
    assert row_of(page, "2026-11-20").split() == ["2026-11-20", "4"]


def test_a_page_without_answers_says_so_and_offers_no_file(open_lab: Lab) -> None:
    page = open_lab.browser.get("/lab/forms/barrio").text
    assert "Todavía no llegó ninguna respuesta" in page and "export.csv" not in page


def test_only_usable_records_are_counted_and_the_others_are_named(open_lab: Lab) -> None:
    first = open_lab.answer(gusta="si")
    open_lab.put(first, open_lab.answer(gusta="no"), open_lab.answer(gusta="no"))
    open_lab.put(first | {"lang": "en"})
    erased = open_lab.put(open_lab.answer(gusta="si"))[0]
    open_lab.erase(erased)
    page = open_lab.browser.get("/lab/forms/barrio").text
    assert "1 en reparación · 1 borradas" in page
    assert row_of(page, "No").split()[1:3] == ["100", "%"]
    assert "En reparación" in open_lab.browser.get(f"/lab/records/{first['id']}").text
    assert "Borrado" in open_lab.browser.get(f"/lab/records/{erased}").text


def test_new_answers_change_the_numbers_at_once(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer(gusta="si"))
    assert row_of(open_lab.browser.get("/lab/forms/barrio").text, "Sí").split()[-1] == "1"
    open_lab.put(open_lab.answer(gusta="si"))
    assert row_of(open_lab.browser.get("/lab/forms/barrio").text, "Sí").split()[-1] == "2"


def test_versions_stand_together(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer("1", temas="agua"))
    open_lab.install("2")
    open_lab.put(open_lab.answer("2", temas="agua caminos"))
    page = open_lab.browser.get("/lab/forms/barrio").text
    assert "2 versiones juntas" in page
    assert row_of(page, "Agua").split()[-1] == "2" and row_of(page, "Caminos").split()[-1] == "1"


def test_records_are_paged_from_the_newest_and_none_is_left_out_or_shown_twice(open_lab: Lab) -> None:
    ids = open_lab.put(*(open_lab.answer() for _ in range(120)))
    seen: list[str] = []
    address: str | None = "/lab/forms/barrio"
    while address:
        answer = open_lab.browser.get(address, headers={"HX-Request": "true"})
        assert answer.text.lstrip().startswith('<section class="card" id="records">')
        seen += re.findall(r'href="/lab/records/([^"]+)"', answer.text)
        older = re.search(r'hx-get="([^"]+before=[^"]+)"', answer.text)
        address = older[1] if older else None
    assert seen == ids[::-1]


def test_without_javascript_the_same_link_opens_a_whole_page(open_lab: Lab) -> None:
    open_lab.put(*(open_lab.answer() for _ in range(60)))
    page = open_lab.browser.get("/lab/forms/barrio?before=11").text
    assert page.startswith("<!doctype html>") and len(re.findall(r'href="/lab/records/', page)) == 10


def test_what_citizens_write_is_shown_as_text(open_lab: Lab) -> None:
    record_id = open_lab.put(open_lab.answer(idea="<script>alert(1)</script>"))[0]
    for path in ("/lab/forms/barrio", f"/lab/records/{record_id}"):
        page = open_lab.browser.get(path).text
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page


# --- one record


def test_a_record_in_full(open_lab: Lab) -> None:
    content = open_lab.answer(temas="agua luz", edad="41", otra="x")
    via = json.dumps([{"node": "c3" * 16, "epoch": "e", "n": 4, "received": "2026-11-20T15:30:00.000Z"}])
    flags = json.dumps([{"key": "edad", "what": "constraint", "text": "41"}])
    record_id = open_lab.put(content, origin="c3" * 16, flags=flags, via=via)[0]
    page = open_lab.browser.get(f"/lab/records/{record_id}").text
    words = re.sub(r"<wbr>", "", page)
    for part in ("Agua · Luz", "agua luz", "¿Cuántos años tiene?", "2026-11-20 10:00 – 2026-11-20 10:03",
                 "Equipo c3c3c3c3", "La respuesta no cumple la regla de la pregunta.", "otra", "c3" * 16):  # fmt: skip
        assert part in words, part
    body = re.search(r'<pre class="code" id="body">(.*?)</pre>', page)
    assert body and json.loads(body[1].replace("&#34;", '"'))["id"] == record_id
    from hashlib import sha256

    from sync.records import canonical_bytes

    assert sha256(canonical_bytes(content)).hexdigest() in words


def test_an_unknown_record_is_not_found(open_lab: Lab) -> None:
    assert open_lab.browser.get("/lab/records/nada").status_code == 404


# --- CSV


def test_the_csv_holds_every_usable_record_newest_first(open_lab: Lab) -> None:
    ids = open_lab.put(*(open_lab.answer(idea=f"fila {number}\nñ") for number in range(1203)))
    answer = open_lab.browser.get("/lab/forms/barrio/export.csv?purpose=prueba")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename=\"barrio.csv\"; filename*=UTF-8''barrio.csv"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["KEY"] for row in rows] == [f"uuid:{record_id}" for record_id in ids[::-1]]
    assert rows[0]["idea"] == "fila 1202\nñ" and rows[0]["lugar-municipio"] == "0810"
    assert rows[0]["DeviceID"] == open_lab.node.app.state.node_id


def test_the_csv_splits_choices_and_leaves_the_mark_out_when_asked(open_lab: Lab) -> None:
    open_lab.put(open_lab.answer(temas="luz agua"), open_lab.answer())
    text = open_lab.browser.get("/lab/forms/barrio/export.csv?purpose=prueba&split=1&bom=0&extra=1").text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.startswith("SubmissionDate,")
    assert [(row["temas/agua"], row["temas/luz"], row["Language"]) for row in rows] == [
        ("0", "0", "es"),
        ("1", "1", "es"),
    ]


# --- every page


@pytest.mark.parametrize("path", ["/lab/login", "/lab", "/lab/forms/barrio", "/lab/records/{id}"])
def test_pages_carry_nothing_inline_and_ask_nothing_of_others(open_lab: Lab, path: str) -> None:
    record_id = open_lab.put(open_lab.answer(gusta="si", temas="agua"))[0]
    answer = open_lab.browser.get(path.format(id=record_id))
    assert answer.status_code == 200
    assert not re.search(r'\sstyle=|\son[a-z]+="|<style|<script(?![^>]*\ssrc=)', answer.text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "words"),
    [("/lab/login", "Enter the lab"), ("/lab", "What arrived"), ("/lab/forms/barrio", "Answers by municipality")],
)
def test_pages_speak_english_too(open_lab: Lab, path: str, words: str) -> None:
    open_lab.put(open_lab.answer(gusta="si"))
    page = open_lab.browser.get(path, headers={"Accept-Language": "en"}).text
    assert words in page and '<html lang="en"' in page
    if path.endswith("barrio"):
        assert "Do you like it?" in page and "¿Le gusta su barrio?" not in page


def test_every_sentence_of_the_lab_has_its_english() -> None:
    english = load_english()
    sources = [file.read_text(encoding="utf-8") for file in (asset_dir("templates") / "lab").glob("*.html")]
    sources.append(Path(access.__file__).with_name("lab.py").read_text(encoding="utf-8"))
    said = {sentence for text in sources for sentence in re.findall(r'(?:\b_|translate)\("([^"]+)"', text)}
    assert len(said) > 70
    assert sorted(sentence for sentence in said | set(FLAGS.values()) if sentence not in english) == []


def test_times_are_told_from_now(open_lab: Lab) -> None:
    from collector.clock import now_ms

    open_lab.put(open_lab.answer(), received_ms=now_ms() - 90 * 60_000)
    assert "hace 1 h" in open_lab.browser.get("/lab").text
