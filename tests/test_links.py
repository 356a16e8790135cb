"""Short codes, posters, cards and links for one person, over real HTTP; a decoder reads their squares."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import zxingcpp

from collector import people
from collector.db import reading, writing
from collector.links import LETTERS, form_code, forms_with, make_ticket, minutes_to_answer, tidy_code, wifi_text
from collector.queries import records
from collector.settings import Settings
from tests.conftest import Node, serve, submission

PIN = "482913"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[Node]:
    """A node with two forms; the tests of this file only add to it."""
    found = serve(Settings(data_dir=Path(tmp_path_factory.mktemp("cartel")), name="Municipio", sync_seconds=0))
    for name in ("confianza", "servicios"):
        found.app.state.forms.install(starter_xforms[name], f"{name}.xlsx")
    with writing(found.app.state.engine) as session:
        people.set_pin(session, PIN)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def facilitator(node: Node) -> Iterator[httpx.Client]:
    """A browser-like client that has given the PIN."""
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, follow_redirects=True) as client:
        assert client.post("/equipo/pin", data={"pin": PIN, "next": "/equipo"}).status_code == 200
        yield client


def citizen(node: Node, path: str) -> httpx.Response:
    return httpx.get(node.url + path, headers={"Accept": "text/html"})


def squares_in(html: str) -> list[str]:
    """Return what the QRs of a page say, read by a decoder from dark and light dots drawn as their SVGs say."""
    return [read_square(svg) for svg in re.findall(r'<svg viewBox="0 0 \d+ \d+" class="qr">.*?</svg>', html, re.S)]


def read_square(svg: str) -> str:
    side, dot = int(re.findall(r'viewBox="0 0 (\d+)', svg)[0]), 4
    rows = [bytearray(b"\xff" * side * dot) for _ in range(side * dot)]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", re.findall(r'stroke="#000" d="([^"]*)"', svg)[0]):
        steps = [float(number) for number in numbers.split()]
        if command == "M":
            x, y = steps
        elif command == "m":
            x, y = x + steps[0], y + steps[1]
        else:
            for row in rows[int(y) * dot : (int(y) + 1) * dot]:
                row[int(x) * dot : int(x + steps[0]) * dot] = b"\0" * int(steps[0]) * dot
            x += steps[0]
    picture = memoryview(b"".join(rows)).cast("B", (side * dot, side * dot))
    found = zxingcpp.read_barcodes(picture)
    assert len(found) == 1, svg
    assert found[0].position.top_left.x >= 4 * dot - 1, "the quiet zone is missing"
    return found[0].text


# --- codes


def test_the_code_of_a_form_is_five_consonants_and_the_same_everywhere() -> None:
    codes = {form_code(f"form_{number}") for number in range(2000)}
    assert all(len(code) == 5 and set(code) <= set(LETTERS) for code in codes)
    assert len(codes) > 1995
    # printed on posters: it may never change
    assert (form_code("confianza"), form_code("servicios"), form_code("tarjeta")) == ("KKNST", "KCGHR", "JHCXJ")


def test_a_code_is_read_in_any_case_with_blanks_and_with_a_digit_for_a_letter() -> None:
    assert tidy_code(" kk-n5 t ") == "KKNST"
    assert forms_with("kkn5t", ["servicios", "confianza"]) == ["confianza"]


def test_a_code_leads_to_its_form_and_is_kept_for_a_week(node: Node) -> None:
    for written in ("KKNST", "kknst", "KkN-sT"):
        for folder in ("e", "E"):
            answer = citizen(node, f"/{folder}/{written}")
            assert (answer.status_code, answer.headers["location"]) == (302, "/f/confianza")
            assert answer.headers["cache-control"] == "max-age=604800"
            assert "set-cookie" not in answer.headers and "cookie" not in answer.headers.get("vary", "").lower()


def test_an_unknown_code_says_so_and_asks_again_with_what_was_typed(node: Node) -> None:
    answer = citizen(node, "/e/BBBBB")
    assert answer.status_code == 404
    assert "«BBBBB»" in answer.text and 'value="BBBBB"' in answer.text and 'action="/e"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_typed_code_is_led_to_its_address(node: Node) -> None:
    asked = citizen(node, "/e")
    assert asked.status_code == 200 and 'name="code"' in asked.text
    assert citizen(node, "/e?code=+kknst+").headers["location"] == "/e/KKNST"
    assert citizen(node, "/e?code=%3Cb%3E%2F%2Fx").headers["location"] == "/e/BX"
    unsafe = citizen(node, "/e/%3Cb%3Ehola").text
    assert "«&lt;b&gt;hola»" in unsafe and "<b>hola" not in unsafe


def test_two_forms_of_one_code_are_both_offered(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.links.form_code", lambda _form_id: "KKNST")
    answer = citizen(node, "/e/kknst")
    assert answer.status_code == 300
    assert 'href="/f/confianza"' in answer.text and 'href="/f/servicios"' in answer.text


# --- posters


def test_a_wifi_is_written_as_phones_read_it() -> None:
    assert wifi_text("ENCUESTA-SONA", "confianza7") == "WIFI:T:WPA;S:ENCUESTA-SONA;P:confianza7;;"
    assert wifi_text('casa;de:"Ana"', "a\\b,c") == 'WIFI:T:WPA;S:casa\\;de\\:\\"Ana\\";P:a\\\\b\\,c;;'
    assert wifi_text("Abierta", "") == "WIFI:T:nopass;S:Abierta;;"


def test_the_poster_has_two_squares_that_a_decoder_reads(node: Node, facilitator: httpx.Client) -> None:
    typed = {
        "wifi": 'Soná; "1"',
        "clave": "ñandú:7\\",
        "quien": "Junta <comunal>",
        "hasta": "el viernes",
        "anonima": "si",
    }
    poster = facilitator.post("/equipo/cartel/confianza", data=typed)
    wifi, form = squares_in(poster.text)
    assert wifi == wifi_text('Soná; "1"', "ñandú:7\\")
    assert urlsplit(form).path == "/e/KKNST" and urlsplit(form).port == node.port
    assert urlsplit(form).hostname not in ("localhost", "127.0.0.1")
    assert "Junta &lt;comunal&gt;" in poster.text and "Hasta el viernes" in poster.text
    assert f"{urlsplit(form).netloc}/e/kknst" in poster.text
    for sentence in ("sin su nombre", "apague los datos móviles", "seguir conectado", "Pida la tableta"):
        assert sentence in poster.text


def test_the_poster_speaks_the_languages_of_the_form_that_we_know(facilitator: httpx.Client) -> None:
    poster = facilitator.get("/equipo/cartel/confianza").text
    assert 'lang="en">Join' not in poster, "without a network nobody is told to join one"
    assert '<p class="lead-in second" lang="en">Tell us with your phone in about 3 minutes.' in poster
    assert "unos 3 minutos" in poster


def test_the_wifi_is_remembered_only_when_that_is_ticked(node: Node, facilitator: httpx.Client) -> None:
    typed = {"wifi": "RedDePrueba", "clave": "secreto99"}
    facilitator.post("/equipo/cartel/servicios", data=typed)
    assert "RedDePrueba" not in facilitator.get("/equipo/cartel/servicios").text
    facilitator.post("/equipo/cartel/servicios", data=typed | {"recordar": "si"})
    again = facilitator.get("/equipo/cartel/confianza").text
    assert 'value="RedDePrueba"' in again and squares_in(again)[0] == wifi_text("RedDePrueba", "secreto99")
    facilitator.post("/equipo/cartel/servicios", data=typed)
    assert "RedDePrueba" not in facilitator.get("/equipo/cartel/servicios").text


def test_eight_cards_stand_on_a_page(facilitator: httpx.Client) -> None:
    squares = squares_in(facilitator.get("/equipo/cartel/confianza?solo=1").text)
    assert len(squares) == 8 and {urlsplit(each).path for each in squares} == {"/e/KKNST"}


def test_the_qr_of_the_home_page_says_the_short_address(facilitator: httpx.Client) -> None:
    drawn = facilitator.get("/equipo/qr/confianza.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert 'href="/equipo/enlaces/confianza"' in facilitator.get("/equipo").text


def test_only_facilitators_see_posters(node: Node) -> None:
    for path in ("/equipo/cartel/confianza", "/equipo/enlaces/confianza"):
        answer = citizen(node, path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/equipo/pin?next={path.replace('/', '%2F')}")


def test_a_poster_of_no_form_is_not_found(facilitator: httpx.Client) -> None:
    for path in ("/equipo/cartel/nada", "/equipo/enlaces/nada", "/equipo/enlaces/confianza/nada"):
        assert facilitator.get(path).status_code == 404


def test_the_time_to_answer_grows_with_the_questions(node: Node) -> None:
    forms = node.app.state.forms
    short, long = (forms.get(name, forms.versions(name)[0].version) for name in ("confianza", "servicios"))
    assert 2 <= minutes_to_answer(short) <= minutes_to_answer(long) <= 6


# --- links for one person


def test_each_link_of_a_batch_is_another_one(facilitator: httpx.Client) -> None:
    made = facilitator.post("/equipo/enlaces/confianza", data={"n": "9"})
    squares = [urlsplit(each) for each in squares_in(made.text)]
    assert len(squares) == 9 == len({each.fragment for each in squares})
    assert all(each.path == "/f/confianza" and re.fullmatch(r"t=[0-9A-Z]{12}", each.fragment) for each in squares)
    assert squares_in(facilitator.get(str(made.url.path)).text) == [each.geturl() for each in squares], "printed again"
    assert re.search(r"9 enlaces del .*?usados: 0", facilitator.get("/equipo/enlaces/confianza").text, re.S)


def test_a_link_used_twice_is_noticed_and_both_answers_stay(
    node: Node, send_outbox: Callable[..., httpx.Response]
) -> None:
    ticket = make_ticket()
    first, second = submission(ticket=ticket), submission(ticket=ticket)
    assert set(send_outbox(node, first, second).json()["results"].values()) == {"stored"}
    assert set(send_outbox(node, first).json()["results"].values()) == {"duplicate"}
    with reading(node.app.state.engine) as session:
        kept = [records.record_by_id(session, str(content["id"])) for content in (first, second)]
    assert ["ticket_used" in record.flags for record in kept if record is not None] == [False, True]


def test_what_is_no_ticket_is_left_alone(node: Node, send_outbox: Callable[..., httpx.Response]) -> None:
    strange = [submission(ticket=value) for value in ("x", 7, ["A" * 12], "A" * 40, "i" * 12)] * 2
    for content in strange:
        send_outbox(node, content)
    with reading(node.app.state.engine) as session:
        kept = [records.record_by_id(session, str(content["id"])) for content in strange]
    assert not [record for record in kept if record is None or "ticket_used" in record.flags]
