"""What a form's page and the pages of giving back draw fits a phone, a tablet and a wide page, by day and by night."""

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from collector.clock import now_ms
from collector.db import writing
from collector.form_plan import Plan
from collector.queries.people import put_user
from collector.queries.plans import put_plan
from collector.queries.records import Arrival, ingest
from collector.settings import Settings
from sync.records import canonical_bytes, new_salt, read_record, uuid7
from tests.conftest import Node, serve
from tests.forms.sheet_findings import steps
from tests.lab.conftest import EMAIL, PASSWORD, hashed

FORM = """
| survey | | | |
| | type | name | label |
| | select_one municipio | municipio | Municipio |
| | date | nacio | ¿Cuándo nació? |
| | date | vino | ¿Qué día vino el camión? |
| | decimal | pago | ¿Cuánto paga? |
| | select_multiple temas | temas | ¿Qué temas le preocupan? |
| | select_one grado | grado | ¿Confía en la administración municipal? |
| choices | | | |
| | list_name | name | label |
| | municipio | 0810 | San Miguelito |
| | municipio | 0406 | David |
| | temas | agua | Abastecimientodeaguapotable de la comunidad |
| | temas | luz | Luz |
| | grado | a | Nada |
| | grado | b | Algo |
| | grado | c | Mucho |
| settings | | |
| | form_id | version |
| | ancho | 1 |
"""
# what of a card's tables and of its charts' words lies outside the card, and which words below a chart meet
OUTSIDE = """() => [...document.querySelectorAll('main .card')].flatMap((card) => {
  const { left, right } = card.getBoundingClientRect();
  const parts = [...card.querySelectorAll('td, th, svg text, svg rect')].filter((part) => !part.closest('.scroll'));
  return parts.filter((part) => {
    const box = part.getBoundingClientRect();
    return box.width && box.right > 0 && (box.right > right + 1 || box.left < left - 1);
  }).map((part) => part.textContent.trim() || part.tagName);
})"""
MEETING = """() => [...document.querySelectorAll('svg.columns')].flatMap((chart) => {
  const boxes = [...chart.querySelectorAll('.name')].map((name) => name.getBoundingClientRect());
  return boxes.slice(1).filter((box, at) => box.left < boxes[at].right + 1).map(() => chart.getAttribute('aria-label'));
})"""


def content(chance: random.Random) -> dict[str, Any]:
    answers = {
        "municipio": chance.choice(["0810", "0810", "0406"]),
        "nacio": f"{chance.randint(1930, 2008)}-0{chance.randint(1, 9)}-11",
        "vino": f"2026-11-{chance.randint(1, 20):02d}",
        "pago": f"{chance.lognormvariate(8, 1):.2f}",
        "temas": chance.choice(["agua", "luz", "agua luz"]),
        "grado": chance.choice("abc"),
    }
    return {
        "id": uuid7(), "kind": "submission", "form": "ancho", "version": "1", "form_sha": "0" * 16, "lang": "es",
        "started": f"2026-11-{chance.randint(1, 20):02d}T10:00:00.000-05:00", "mode": "web", "salt": new_salt(),
        "finished": f"2026-11-{chance.randint(1, 20):02d}T10:03:00.000-05:00", "answers": answers,
    }  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    one = serve(Settings(data_dir=tmp_path_factory.mktemp("seeing"), name="Central", sync_seconds=0))
    one.app.state.forms.install(steps(FORM)[-1]["xform"])
    chance = random.Random(3)
    read = [read_record(canonical_bytes(content(chance)).decode()) for _ in range(300)]
    with writing(one.app.state.engine) as session:
        ingest(session, [Arrival(r.id, r.sha256, r.body, r.kind, r.form, r.version) for r in read], now_ms())
        put_user(session, EMAIL, hashed(PASSWORD), now_ms())
        put_plan(session, "ancho", Plan(is_public=True, public=("temas", "grado")), now_ms())
    yield one
    one.stop()


def opened(browser: Browser, node: Node, width: int, scheme: Any) -> Page:
    size = ViewportSize(width=width, height=800)
    page = browser.new_context(viewport=size, locale="es-PA", color_scheme=scheme).new_page()
    page.goto(f"{node.url}/lab/login")
    page.get_by_label("Correo").fill(EMAIL)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    page.wait_for_url("**/lab")
    return page


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (768, "dark"), (1280, "light")])
def test_every_number_of_a_chart_is_in_sight(browser: Browser, node: Node, width: int, scheme: str) -> None:
    page = opened(browser, node, width, scheme)
    for address in ("/lab/forms/ancho", "/municipio/0810", "/publico/ancho"):
        page.goto(node.url + address)
        assert page.locator(".card").count() >= 2
        assert page.evaluate(OUTSIDE) == [], (address, width)
        assert page.evaluate(MEETING) == [], (address, width)
    page.context.close()


def test_the_sheets_are_printed_on_one_page_with_every_number(browser: Browser, node: Node) -> None:
    page = opened(browser, node, 718, "light")  # an A4 sheet with margins of 1 cm, at 96 dots an inch
    page.emulate_media(media="print")
    for address in ("/municipio/0810", "/publico/ancho"):
        page.goto(node.url + address)
        assert page.evaluate(OUTSIDE) == [], address
        margin: Any = dict.fromkeys(("top", "bottom", "left", "right"), "10mm")
        assert len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(format="A4", margin=margin))) == 1, address
    page.context.close()


def test_at_night_the_fullest_municipality_stands_out(browser: Browser, node: Node) -> None:
    """Tiles grow brighter on a dark page and darker on a light one; the words on them are read in both."""
    drawn = {}
    for scheme in ("light", "dark"):
        page = opened(browser, node, 360, scheme)
        page.goto(f"{node.url}/lab/forms/ancho")
        light = "(part) => getComputedStyle(part).fill.match(/[0-9]+/g).reduce((sum, each) => sum + Number(each), 0)"
        tile, word = (page.locator(f".tile-map {part}").first.evaluate(light) for part in (".t5", ".on5"))
        drawn[scheme] = (tile, word)
        page.context.close()
    (day_tile, day_word), (night_tile, night_word) = drawn["light"], drawn["dark"]
    assert day_tile < 300 < day_word and night_word < 300 < night_tile
