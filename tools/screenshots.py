"""Take the pictures in docs/img from a central and a field node with invented answers: python tools/screenshots.py"""

import random
import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from collector import people  # noqa: E402
from collector.clock import now_ms  # noqa: E402
from collector.db import writing  # noqa: E402
from collector.publish.publishing import check_path  # noqa: E402
from collector.queries import nodes  # noqa: E402
from collector.settings import Settings  # noqa: E402
from sync.push import enrol  # noqa: E402
from sync.records import canonical_bytes, new_salt, uuid7  # noqa: E402
from tests.browser.conftest import ARGUMENTS, find_chromium, ready  # noqa: E402
from tests.browser.rich_form import rich_xform  # noqa: E402
from tests.browser.test_rich_page import make_people  # noqa: E402
from tests.conftest import Node, serve  # noqa: E402

IMAGES = ROOT / "docs" / "img"
DAY_MS = 86_400_000


def main() -> None:
    """Start both nodes, answer the surveys, and photograph each page at 360 and 1280 px."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        central = serve(Settings(data_dir=Path(folder) / "central", name="Central", sync_seconds=0))
        field = serve(Settings(data_dir=Path(folder) / "campo", name="Tableta 3 · Soná", sync_seconds=0))
        try:
            prepare(central, field)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=find_chromium(playwright), args=[*ARGUMENTS[1:], "--no-sandbox"]
                )
                photograph(browser, central, field)
                photograph_rows(browser, field)
                photograph_kiosk(browser, field)
        finally:
            field.stop()
            central.stop()


def prepare(central: Node, field: Node) -> None:
    """Publish, enrol, and let invented people answer: most in central already, some only on the tablet."""
    for name in ("tarjeta", "servicios", "confianza"):
        checked = check_path(ROOT / "collector" / "starter" / f"{name}.xlsx")
        central.app.state.forms.install(checked.xform, f"{name}.xlsx")
    with writing(central.app.state.engine) as session:
        people.add_user(session, "ana@example.org", "clave de prueba")
        code = nodes.make_enrol_code(session, now_ms())
    with writing(field.app.state.engine) as session:
        people.set_pin(session, "246810")
    with httpx.Client() as http:
        enrol(field.app.state.engine, http, central.url, code, "Tableta 3 · Soná")
    field.app.state.sync_now()
    answer_all(field, 96)
    field.app.state.sync_now()
    answer_all(field, 14)


def answer_all(node: Node, count: int) -> None:
    """Post `count` answers of form confianza as phones do."""
    form = node.app.state.forms.versions("confianza")[0]
    question = node.app.state.forms.get("confianza", form.version).question("/data/consent/notice_sha256")
    notice = question.logic.calculate[1]
    chance = random.Random(count)
    for start in range(0, count, 20):
        lines = [
            canonical_bytes(answer(form.version, form.sha256, notice, chance)) for _ in range(min(20, count - start))
        ]
        httpx.post(
            f"{node.url}/sync/v1/outbox",
            content=b"\n".join(lines) + b"\n",
            headers={"Content-Type": "application/x-ndjson"},
        ).raise_for_status()


def answer(version: str, sha256: str, notice: str, chance: random.Random) -> dict[str, object]:
    """Invent one answer of the last twelve days."""
    from collector.clock import iso_here

    ended = now_ms() - int(chance.random() ** 2 * 12 * DAY_MS)
    place = chance.choices(("0810", "0911", "0406", "1205", "0808", "1303"), (30, 25, 14, 12, 9, 6))[0]
    answers = {
        "consent/accepted": "OK",
        "consent/notice_version": "1",
        "consent/notice_sha256": notice,
        "consent/at": iso_here(ended - 100_000),
        "edad": chance.choice(("18_29", "30_44", "45_59", "60_mas")),
        "lugar/provincia": place[:2],
        "lugar/municipio": place,
        "brecha": chance.choices(("crecio", "igual", "bajo", "ns"), (62, 22, 9, 7))[0],
        "trato": chance.choice(("nunca", "una", "algunas", "muchas")),
        "escucha": chance.choices(("nada", "poco", "algo", "mucho", "ns"), (26, 40, 22, 7, 5))[0],
        "reuniones": chance.choice(("ninguna", "una", "pocas", "muchas")),
        "confianza_gente": str(min(10, max(0, round(chance.gauss(5.6, 2.3))))),
        "confianza_municipio": chance.choice((str(min(10, max(0, round(chance.gauss(4, 2.4))))), "ns")),
    }
    return {
        "id": uuid7(ended), "kind": "submission", "form": "confianza", "version": version, "form_sha": sha256[:16],
        "started": iso_here(ended - chance.randrange(120_000, 320_000)), "finished": iso_here(ended), "lang": "es",
        "mode": "web", "salt": new_salt(), "answers": answers,
    }  # fmt: skip


def photograph_rows(browser: Browser, node: Node) -> None:
    """Take a page of a form with a repeat, two rows of it filled in."""
    node.app.state.forms.install(rich_xform())
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA")
    page = context.new_page()
    page.goto(f"{node.url}/f/hogar")
    ready(page)
    make_people(page)
    page.screenshot(path=IMAGES / "rows-360.png", full_page=True)
    context.close()


def photograph_kiosk(browser: Browser, node: Node) -> None:
    """Take the page between two people."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA")
    page = context.new_page()
    page.goto(f"{node.url}/k/confianza")
    page.fill("#new-pin", "2580")
    page.click("text=Empezar")
    page.wait_for_selector("[data-begin]:visible")
    page.screenshot(path=IMAGES / "kiosk-360.png")
    context.close()


def photograph(browser: Browser, central: Node, field: Node) -> None:
    """Take each page at both widths, light; the form also in the dark."""
    for width in (360, 1280):
        context = browser.new_context(viewport={"width": width, "height": 740}, locale="es-PA")
        page = context.new_page()
        page.goto(f"{field.url}/f/confianza")
        ready(page)
        page.check("[name=edad][value='30_44']")
        page.screenshot(path=IMAGES / f"form-{width}.png")
        page.goto(f"{field.url}/equipo")
        page.fill("[name=pin]", "246810")
        page.click("button.next")
        page.wait_for_selector("text=Envíos")
        page.screenshot(path=IMAGES / f"status-{width}.png", full_page=width < 700)
        page.goto(f"{central.url}/lab")
        page.fill("[name=email]", "ana@example.org")
        page.fill("[name=password]", "clave de prueba")
        page.click("button.next")
        page.wait_for_selector("text=Confianza y cohesión")
        page.screenshot(path=IMAGES / f"lab-{width}.png", full_page=width < 700)
        page.goto(f"{central.url}/lab/forms/confianza")
        page.set_viewport_size({"width": width, "height": 1100})
        page.screenshot(path=IMAGES / f"lab-form-{width}.png")
        context.close()


if __name__ == "__main__":
    main()
