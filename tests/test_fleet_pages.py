"""The fleet board, codes with their QR, and enrolment from the browser, over real HTTP between real nodes."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import segno

from collector import __version__
from collector.clock import now_ms
from collector.db import reading, writing
from collector.fleet.board import DAY_MS, HOUR_MS, Line, make_board
from collector.fleet.words import size, span
from collector.queries import nodes, store
from collector.queries.fleet import FleetRow, list_fleet, note_report
from collector.queries.people import put_user
from collector.routes.enrol import whole_address
from sync.push import sync_once
from tests.conftest import Node
from tests.lab.conftest import EMAIL, PASSWORD, PIN, hashed

NOW_MS = 1_795_190_400_000
MakeNode = Callable[..., Node]


def engine_of(node: Node) -> Any:
    return node.app.state.engine


def sync(node: Node) -> None:
    """Talk to the upstream once; it must work."""
    with httpx.Client() as http:
        assert sync_once(engine_of(node), http, now_ms(), node.app.state.install_form).error == ""


def fleet_of(node: Node) -> list[FleetRow]:
    with reading(engine_of(node)) as session:
        return list_fleet(session)


@contextmanager
def sign_in(node: Node) -> Iterator[httpx.Client]:
    """Give a browser at a node, signed in at the lab and with the PIN."""
    with writing(engine_of(node)) as session:
        put_user(session, EMAIL, hashed(PASSWORD), NOW_MS)
        store.set_fact(session, "pin_hash", hashed(PIN))
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, timeout=60) as browser:
        assert browser.post("/lab/login", data={"email": EMAIL, "password": PASSWORD}).status_code == 303
        assert browser.post("/equipo/pin", data={"pin": PIN}).status_code == 303
        yield browser


# --- what is said of a node


def row(**given: Any) -> FleetRow:
    """Return a node that asks for nothing; `given` replaces what it says."""
    quiet: dict[str, Any] = {
        "id": "a1", "name": "Tableta 3", "above": "", "level": 1, "last_contact_ms": NOW_MS, "report_ms": NOW_MS,
        "is_revoked": False, "has_key": True, "alarm": "", "skew_ms": 0, "version": __version__, "waiting": 0,
        "quarantine": 0, "free_bytes": 8 * 10**9, "store_bytes": 10**6, "missing_files": 0,
        "forms": (("barrio", "1"),), "lacking_forms": (), "unconfirmed": (),
    }  # fmt: skip
    return FleetRow(**quiet | given)


def line(**given: Any) -> Line:
    [one] = make_board([row(**given)], NOW_MS, "Central", __version__).lines
    return one


def test_a_node_that_is_well_asks_for_nothing() -> None:
    assert (line().troubles, line().freshness, line().is_late) == ((), "fresh", False)


CASES: list[tuple[dict[str, Any], str, bool]] = [
    ({"alarm": "history_changed"}, "history_changed", True),
    ({"alarm": "otra"}, "alarm", True),
    ({"is_revoked": True}, "revoked", False),
    ({"is_revoked": True, "waiting": 4}, "revoked_waiting", True),
    ({"has_key": False}, "no_key", False),
    ({"last_contact_ms": None}, "never", False),
    ({"last_contact_ms": NOW_MS - 25 * HOUR_MS}, "late", False),
    ({"last_contact_ms": NOW_MS - 8 * DAY_MS}, "lost", True),
    ({"skew_ms": 6 * 60_000}, "clock_behind", False),
    ({"skew_ms": -6 * 60_000}, "clock_ahead", False),
    ({"skew_ms": -6 * 365 * DAY_MS}, "clock_ahead", True),
    ({"free_bytes": 400 * 2**20}, "disk_full", True),
    ({"free_bytes": 900 * 2**20}, "disk_little", False),
    ({"waiting": 14}, "waiting", False),
    ({"missing_files": 2}, "missing_files", False),
    ({"lacking_forms": (("barrio", "2"),)}, "lacking_forms", False),
    ({"quarantine": 1}, "quarantine", False),
    ({"unconfirmed": ("x",)}, "unconfirmed", False),
    ({"unconfirmed": ("x",) * 50}, "unconfirmed_many", False),
    ({"version": "0.0.1"}, "version", False),
]


@pytest.mark.parametrize(("given", "code", "is_grave"), CASES)
def test_each_trouble_is_seen_and_its_weight(given: dict[str, Any], code: str, is_grave: bool) -> None:
    found = {trouble.code: trouble for trouble in line(**given).troubles}
    assert found[code].is_grave is is_grave
    assert line(**given).needs_person is is_grave


def test_the_gravest_stands_first() -> None:
    troubles = line(waiting=3, version="0.0.1", alarm="history_changed", missing_files=1).troubles
    assert [trouble.is_grave for trouble in troubles] == [True, False, False, False]


def test_a_revoked_node_is_never_called_late() -> None:
    assert not line(is_revoked=True, last_contact_ms=NOW_MS - 30 * DAY_MS).is_late


def test_what_a_hub_says_of_its_tablets_is_judged_by_the_hubs_own_clock() -> None:
    then = NOW_MS - 9 * DAY_MS
    hub = row(id="h", name="Nodo", last_contact_ms=then, report_ms=then)
    tablet = row(id="t", above="h", level=2, last_contact_ms=then - HOUR_MS, report_ms=then - HOUR_MS)
    board = make_board([hub, tablet], NOW_MS, "Central", __version__)
    assert [one.freshness for one in board.lines] == ["lost", "fresh"]
    assert [one.above for one in board.lines] == ["Central", "Nodo"]
    assert (board.lines[0].has_below, [one.row.id for one in board.below("h")]) == (True, ["t"])
    assert [one.row.id for one in board.late()] == ["h"]


def test_the_board_counts_who_is_well_who_needs_a_person_and_what_waits() -> None:
    rows = [row(id="1", waiting=3), row(id="2", waiting=None), row(id="3", alarm="history_changed", waiting=4)]
    board = make_board(rows, NOW_MS, "Central", __version__)
    assert (board.fresh, board.need_person, board.waiting) == (3, 1, 7)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "1 min"),
        (59 * 60_000, "59 min"),
        (47 * HOUR_MS, "47 h"),
        (49 * HOUR_MS, "2 días"),
        (6 * 365 * DAY_MS, "6 años"),
    ],
)
def test_stretches_of_time_are_said_in_one_unit(ms: int, said: str) -> None:
    assert span(ms, lambda text, **values: text.format(**values)) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 MB"), (1, "1 MB"), (340_000_000, "340 MB"), (1_440_000_000, "1.4 GB"), (10**10, "10 GB")]
)
def test_sizes_are_said_in_one_unit(count: int, said: str) -> None:
    assert size(count, lambda text, **values: text.format(**values)) == said


def test_every_trouble_has_its_words(make_node: MakeNode) -> None:
    template = make_node("central").app.state.templates.get_template("lab/_fleet_words.html")
    words = {"_": lambda text, **values: text.format(**values) if values else text, "span": str, "size": str}
    module = template.make_module(words)
    for given, code, is_grave in CASES:
        [trouble] = [one for one in line(**given).troubles if one.code == code]
        assert module.said(trouble).strip() and "{" not in module.said(trouble)
        assert module.to_do(trouble).strip() or not is_grave


# --- the board over HTTP


def test_the_board_shows_a_hub_and_under_it_the_tablet_that_sends_to_it(make_node: MakeNode) -> None:
    central = make_node("central")
    hub = make_node("Nodo Soná", upstream=central)
    tablet = make_node("Tableta 3", upstream=hub)
    for node in (tablet, hub):
        sync(node)
    with sign_in(central) as browser:
        shown = browser.get("/lab/equipos").text
        assert shown.index("Nodo Soná") < shown.index("Tableta 3") < shown.index("envía a Nodo Soná")
        assert "level-2" in shown and __version__ in shown and "Al día" in shown and "GB" in shown
        deep = browser.get(f"/lab/equipos/{tablet.app.state.node_id}").text
        assert "Se administra desde el equipo al que envía: Nodo Soná." in deep and "Dar de baja" not in deep
        assert 'href="/lab/equipos"' in browser.get("/lab").text
        english = browser.get("/lab/equipos", headers={"Accept-Language": "en"}).text
        assert "sends to Nodo Soná" in english and "Up to date" in english


def test_what_a_node_still_lacks_and_who_is_late_is_said(make_node: MakeNode, starter_xforms: dict[str, str]) -> None:
    central = make_node("central")
    tablet = make_node("Tableta 3", upstream=central)
    sync(tablet)
    central.app.state.forms.install(starter_xforms["tarjeta"], "tarjeta.xlsx")
    [known] = fleet_of(central)
    then = now_ms() - 3 * DAY_MS
    with writing(engine_of(central)) as session:
        nodes.note_contact(session, known.id, then, 7 * 60_000)
        note_report(session, known.id, {"version": "0.0.1", "forms": [], "waiting": 14, "free_bytes": 10**8}, then)
    with sign_in(central) as browser:
        shown = browser.get("/lab/equipos").text
        for words in (
            "No habla desde hace 3 días.", "Su reloj está atrasado 7 min.", "Casi sin espacio: quedan 100 MB.",
            "Todavía no tiene estos formularios publicados aquí: tarjeta (", "Tiene la versión 0.0.1",
            "Tableta 3 no habla con central desde hace 3 días. La última vez tenía por enviar: 14.",
        ):  # fmt: skip
            assert words in shown
        page = browser.get(f"/lab/equipos/{known.id}").text
        assert "Libere espacio hoy" in page and "atrasado 7 min" in page and "Mensaje listo para enviar" in page


def test_a_node_is_renamed_and_a_name_that_cannot_be_is_told(make_node: MakeNode) -> None:
    central = make_node("central")
    tablet = make_node("Tableta 3", upstream=central)
    here = f"/lab/equipos/{tablet.app.state.node_id}"
    with sign_in(central) as browser:
        for wrong in ("", "  ", "x" * 101, "a\x07b"):
            assert browser.post(f"{here}/nombre", data={"name": wrong}).status_code == 422
        assert fleet_of(central)[0].name == "Tableta 3"
        assert browser.post(f"{here}/nombre", data={"name": "Besiko <1>"}).status_code == 303
        assert "Besiko &lt;1&gt;" in browser.get("/lab/equipos").text


def test_a_revoked_node_is_asked_about_first_and_comes_back_with_a_new_code(make_node: MakeNode) -> None:
    central = make_node("central")
    tablet = make_node("Tableta 3", upstream=central)
    node_id = tablet.app.state.node_id
    with sign_in(central) as browser:
        asked = browser.get(f"/lab/equipos/{node_id}/baja").text
        assert "¿Dar de baja Tableta 3?" in asked and "queda apartado en cuarentena" in asked
        assert not fleet_of(central)[0].is_revoked
        assert browser.post(f"/lab/equipos/{node_id}/baja").status_code == 303
        assert fleet_of(central)[0].is_revoked
        assert "De baja desde" in browser.get(f"/lab/equipos/{node_id}").text
        again = browser.post("/lab/equipos/codigo", data={"node": node_id}).text
        assert "Inscribir otra vez Tableta 3" in again
        with sign_in(tablet) as at_tablet:
            sent = {"url": central.url, "codigo": _code(again), "nombre": "Tableta 3", "cambiar": "si"}
            assert at_tablet.post("/equipo/inscribir", data=sent).status_code == 200
        assert not fleet_of(central)[0].is_revoked


def test_an_alarm_stands_until_somebody_takes_it_down(make_node: MakeNode) -> None:
    central = make_node("central")
    tablet = make_node("Tableta 3", upstream=central)
    node_id = tablet.app.state.node_id
    with writing(engine_of(central)) as session:
        nodes.note_alarm(session, node_id, "history_changed")
    with sign_in(central) as browser:
        assert "Lo que envió antes no coincide con lo que hay aquí." in browser.get("/lab/equipos").text
        assert "quitar la alarma" in browser.get(f"/lab/equipos/{node_id}").text
        assert "Avise al laboratorio" in browser.get("/equipo").text
        assert browser.post(f"/lab/equipos/{node_id}/alarma").status_code == 303
        assert "quitar la alarma" not in browser.get(f"/lab/equipos/{node_id}").text
    assert fleet_of(central)[0].alarm == ""


def test_an_unknown_node_and_a_stranger_are_turned_away(make_node: MakeNode) -> None:
    central = make_node("central")
    with sign_in(central) as browser:
        for answer in (
            browser.get("/lab/equipos/nadie"), browser.post("/lab/equipos/nadie/nombre", data={"name": "x"}),
            browser.get("/lab/equipos/nadie/baja"), browser.post("/lab/equipos/nadie/baja"),
            browser.post("/lab/equipos/nadie/alarma"), browser.post("/lab/equipos/codigo", data={"node": "nadie"}),
        ):  # fmt: skip
            assert answer.status_code == 404 and "nadie" in answer.text
        assert browser.get("/lab/equipos/codigo").headers["location"] == "/lab/equipos"
        assert browser.get("/equipo/codigo").headers["location"] == "/equipo"
        assert "Todavía no envía ningún equipo." in browser.get("/lab/equipos").text
    with httpx.Client(base_url=central.url, headers={"Accept": "text/html"}) as stranger:
        doors = [stranger.get("/lab/equipos"), stranger.post("/lab/equipos/codigo"), stranger.post("/equipo/codigo")]
        assert [answer.status_code for answer in doors] == [303, 303, 303]
    assert _codes(central) == 0


def _codes(node: Node) -> int:
    with reading(engine_of(node)) as session:
        return int(session.connection().exec_driver_sql("SELECT count(*) FROM enrol_code").scalar_one())


# --- codes and their picture


def _code(page: str) -> str:
    [code] = re.findall(r'class="enrol-code">([0-9A-Z]{4}-[0-9A-Z]{4})<', page)
    return str(code)


def squares(svg: str) -> list[list[int]]:
    """Return the matrix that a QR's SVG draws, its quiet zone taken off: each row is strokes of dark squares."""
    side = int(re.findall(r'viewBox="0 0 (\d+) \d+"', svg)[0])
    path = re.findall(r'class="qrline"[^>]* d="([^"]+)"', svg)[0]
    matrix = [[0] * side for _ in range(side)]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path):
        values = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", numbers)]
        if command == "h":
            matrix[int(y)][int(x) : int(x + values[0])] = [1] * int(values[0])
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    return [line[4:-4] for line in matrix[4:-4]]


def test_the_picture_holds_the_tablets_own_address_with_the_code(make_node: MakeNode) -> None:
    central = make_node("central")
    with sign_in(central) as browser:
        for path in ("/lab/equipos/codigo", "/equipo/codigo"):
            shown = browser.post(path).text
            link = re.findall(r"<code>(http://localhost:8000/[^<]+)</code>", shown)[0].replace("&amp;", "&")
            asked = parse_qs(urlsplit(link).query)
            assert urlsplit(link).path == "/equipo/inscribir" and asked["codigo"] == [_code(shown)]
            assert urlsplit(asked["url"][0]).port == central.port
            expected = [list(line) for line in segno.make(link, error="m", micro=False).matrix]
            assert squares(shown.partition('class="qr"')[2]) == expected


def test_the_setting_says_which_address_others_reach(make_node: MakeNode) -> None:
    central = make_node("central")
    object.__setattr__(central.app.state.settings, "public_url", "https://central.ejemplo.pa")
    with sign_in(central) as browser:
        shown = browser.post("/lab/equipos/codigo").text
    assert "url=https%3A%2F%2Fcentral.ejemplo.pa" in shown and "<code>https://central.ejemplo.pa</code>" in shown


# --- enrolling from the browser


def test_a_scanned_code_fills_the_page_and_one_tap_enrols(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    with sign_in(central) as lab, sign_in(tablet) as browser:
        code = _code(lab.post("/lab/equipos/codigo").text)
        shown = browser.get("/equipo/inscribir", params={"url": central.url, "codigo": code}).text
        assert f'value="{central.url}"' in shown and f'value="{code}"' in shown and 'value="tableta"' in shown
        sent = {"url": central.url, "codigo": code.lower(), "nombre": "Tableta Soná"}
        done = browser.post("/equipo/inscribir", data=sent)
        assert done.status_code == 200 and "Listo: este equipo quedó inscrito" in done.text
        assert "Tableta Soná" in browser.get("/equipo").text
    sync(tablet)
    assert [(one.name, one.has_key) for one in fleet_of(central)] == [("Tableta Soná", True)]


def test_without_the_pin_the_scanned_page_comes_after_it(make_node: MakeNode) -> None:
    tablet = make_node("tableta")
    with writing(engine_of(tablet)) as session:
        store.set_fact(session, "pin_hash", hashed(PIN))
    with httpx.Client(base_url=tablet.url, headers={"Accept": "text/html"}) as browser:
        asked = browser.get("/equipo/inscribir?url=http://10.0.0.1:8000&codigo=ABCD-2345")
        pin_page = browser.get(asked.headers["location"]).text
        back = re.findall(r'name="next" value="([^"]+)"', pin_page)[0].replace("&amp;", "&")
        entered = browser.post("/equipo/pin", data={"pin": PIN, "next": back})
        assert entered.headers["location"] == "/equipo/inscribir?url=http://10.0.0.1:8000&codigo=ABCD-2345"


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://[::1", "no es una dirección"])
def test_what_is_no_address_is_told_and_what_was_typed_stays(make_node: MakeNode, url: str) -> None:
    with sign_in(make_node("tableta")) as browser:
        answer = browser.post("/equipo/inscribir", data={"url": url, "codigo": "ABCD-2345", "nombre": "Tableta 3"})
        assert answer.status_code in (422, 502) and 'value="ABCD-2345"' in answer.text
        assert 'value="Tableta 3"' in answer.text and "No cambió nada." in answer.text


def test_a_wrong_code_a_dead_line_and_oneself_are_told_in_plain_words(make_node: MakeNode) -> None:
    central, tablet = make_node("central"), make_node("tableta")
    with sign_in(tablet) as browser, sign_in(central) as lab:
        wrong = browser.post("/equipo/inscribir", data={"url": central.url, "codigo": "ABCD-2345"})
        assert wrong.status_code == 403 and "El código ABCD-2345 no sirve" in wrong.text
        own = _code(browser.post("/equipo/codigo").text)
        assert browser.post("/equipo/inscribir", data={"url": tablet.url, "codigo": own}).status_code == 508
        code = _code(lab.post("/lab/equipos/codigo").text)
        central.stop()
        dead = browser.post("/equipo/inscribir", data={"url": central.url, "codigo": code})
        assert dead.status_code == 502 and "No hay señal con" in dead.text and f'value="{code}"' in dead.text
    with reading(engine_of(tablet)) as session:
        assert nodes.get_upstream(session) is None


def test_a_node_that_has_an_upstream_is_asked_before_it_changes(make_node: MakeNode) -> None:
    central, other = make_node("central"), make_node("otra")
    tablet = make_node("tableta", upstream=central)
    with sign_in(tablet) as browser, sign_in(other) as lab:
        sent = {"url": other.url, "codigo": _code(lab.post("/lab/equipos/codigo").text), "nombre": ""}
        assert f"Este equipo ya envía a {central.url}." in browser.get("/equipo/inscribir").text
        asked = browser.post("/equipo/inscribir", data=sent)
        assert asked.status_code == 409 and "Falta confirmar" in asked.text and f'value="{other.url}"' in asked.text
        assert fleet_of(other) == []
        assert browser.post("/equipo/inscribir", data=sent | {"cambiar": "si"}).status_code == 200
        assert [one.name for one in fleet_of(other)] == ["tableta"]


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("10.42.0.1:8000", "http://10.42.0.1:8000"), ("https://central.pa/", "https://central.pa"),
        ("http://10.42.0.1:8000/?a=1#b", "http://10.42.0.1:8000"), ("nodo.lan", "http://nodo.lan"),
    ],
)  # fmt: skip
def test_an_address_is_completed_as_people_write_it(typed: str, whole: str) -> None:
    assert whole_address(typed) == whole


def test_the_facilitator_of_a_hub_sees_who_sends_to_it(make_node: MakeNode) -> None:
    hub = make_node("nodo")
    tablet = make_node("Tableta 3", upstream=hub)
    with sign_in(hub) as browser:
        assert "Todavía no ha enviado." in browser.get("/equipo").text
        sync(tablet)
        assert "Tableta 3" in browser.get("/equipo").text
        with sign_in(tablet) as at_tablet:
            assert "Ninguno todavía." in at_tablet.get("/equipo").text
