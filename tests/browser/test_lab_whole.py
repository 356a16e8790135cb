"""A first day in the lab in Chromium: from an empty node to an approved answer in a file of one's own.

Nobody touches the store: an account by the command, and from there on what a person presses, in a browser at a desk
and on a phone that loses its network. The same pages then without scripts.
"""

import csv
import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from collector.settings import Settings
from sync.records import canonical_bytes
from tests.browser.conftest import choose, fill_confianza, go_on, ready, until
from tests.browser.test_offline import keep_page, stored
from tests.browser.test_whole_path import command
from tests.conftest import STARTER, Node, serve, submission

EMAIL, PASSWORD = "nueva@ejemplo.pa", "una clave muy larga"
FORM, TITLE, VERSION = "confianza", "Confianza y cohesión", "2026112200"
WHY_FILE, WHY_TOKEN = "informe de diciembre", "tablero de Luis"
DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)


@contextmanager
def new_node(folder: Path) -> Iterator[Node]:
    """Give a node on which there is one account and nothing else."""
    node = serve(Settings(data_dir=folder / "central", name="Central", sync_seconds=0))
    try:
        command("user", "add", EMAIL, "--password", PASSWORD, "--data", str(node.data_dir))
        yield node
    finally:
        node.stop()


class Worker:
    """Somebody of the lab at a desk. `page`: where she is; `go` and `press` do what her hand does."""

    def __init__(self, context: BrowserContext, node: Node) -> None:
        self.page, self.node = context.new_page(), node

    def go(self, path: str) -> None:
        self.page.goto(f"http://localhost:{self.node.port}{path}")

    def sign_in(self) -> None:
        self.go("/lab")
        self.page.fill("#email", EMAIL)
        self.page.fill("#password", PASSWORD)
        self.press("Entrar")

    def section(self, name: str) -> None:
        """Go to a section by the band."""
        self.page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def sees(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)


# --- the day, in the order in which it goes


def publish(worker: Worker) -> None:
    """Upload the XLSForm, read the report, look at it as people will meet it, and publish."""
    worker.follow("Publicar")
    worker.page.set_input_files("#file", STARTER / "confianza.xlsx")
    worker.press("Revisar sin publicar")
    worker.sees("Se puede publicar.")
    worker.follow("Ver como la verá la gente")
    ready(worker.page)
    choose(worker.page, "edad", "18_29")
    go_on(worker.page)
    worker.page.get_by_role("link", name="Volver a publicar").click()
    worker.press(f"Publicar la versión {VERSION}")
    worker.sees(f"Publicado: {FORM}, versión {VERSION}.")


def answer(phone: Page, node: Node) -> None:
    """Open the survey once, lose the network, answer, and get the network back."""
    address = f"http://localhost:{node.port}/f/{FORM}"
    phone.goto(address)
    ready(phone)
    keep_page(phone)
    phone.context.set_offline(True)
    phone.goto(address)
    ready(phone)
    fill_confianza(phone)
    go_on(phone, "send")
    phone.wait_for_selector("text=Guardado en este dispositivo")
    assert stored(node) == 0
    phone.context.set_offline(False)
    until(phone, lambda: stored(node) == 1)


def see_what_came(worker: Worker) -> None:
    """Find the answer among what arrives, in the list of forms, and in the charts of its form."""
    worker.go("/lab/llegadas")
    line = worker.page.locator("section:has(h2:text('Las últimas')) tbody tr")
    expect(line).to_have_count(1)
    expect(line).to_contain_text("San Miguelito")
    worker.section("Qué llegó")
    expect(worker.page.locator("tr", has_text=TITLE).locator("[data-label=Respuestas]")).to_have_text("1")
    worker.follow(TITLE)
    chart = worker.page.locator("#q-edad")
    expect(chart).to_contain_text("n = 1")
    expect(chart.locator("tr", has_text="18 a 29")).to_contain_text("100")
    assert chart.locator("svg").count() > 0


def filter_by_a_link(worker: Worker) -> None:
    """Filter by place; the address alone says it: somebody else who opens it sees the same."""
    page = worker.page
    page.click(".view-filters summary")
    page.select_option("[name=lugar]", "0401")
    page.click(".view-filters button")
    worker.sees("Ninguna respuesta cumple los filtros.")
    assert "lugar=0401" in page.url
    other = page.context.new_page()
    other.goto(page.url.replace("0401", "0810"))
    assert other.locator("#records tbody a").count() == 1
    expect(other.locator(".view-filters summary")).to_contain_text("San Miguelito")
    other.close()


def approve_with_keys(worker: Worker) -> None:
    worker.section("Revisar")
    worker.follow(TITLE)
    worker.page.wait_for_url(f"**/lab/revisar/{FORM}*")  # with its scripts: keys go to no page that is left
    worker.page.keyboard.press("j")
    worker.page.wait_for_selector("#one")
    worker.page.keyboard.press("a")
    worker.sees("Se anotó en 1.")


def take_away(worker: Worker, folder: Path) -> dict[str, str]:
    """Take the form away as CSV; return the one row of the file."""
    worker.go(f"/lab/forms/{FORM}")
    worker.follow("Llevarse los datos")
    worker.page.fill("#purpose", WHY_FILE)
    worker.press("Preparar el archivo")
    with worker.page.expect_download() as coming:
        worker.page.get_by_role("link", name="Bajar el archivo").click()
    coming.value.save_as(folder / "datos.zip")
    with zipfile.ZipFile(folder / "datos.zip") as held:
        rows = list(csv.DictReader(io.StringIO(held.read(f"{FORM}.csv").decode("utf-8-sig"))))
    assert len(rows) == 1
    return rows[0]


def pull_with_a_token(worker: Worker, file: Path) -> None:
    """Make a token in the browser, as the page gives it, and let the command fill a file with it."""
    worker.section("Personas")
    worker.follow("Tokens para programas")
    worker.page.fill("#name", "R de Luis")
    worker.page.fill("#purpose", WHY_TOKEN)
    worker.press("Hacer el token")
    token = worker.page.inner_text("#token")
    command("pull", worker.node.url, "--token", token, "--to", str(file))


def audited(worker: Worker) -> list[list[str]]:
    """Return the lines of the audit page, oldest first: what was done, about what, what for."""
    worker.section("Auditoría")
    names = ("Qué hizo", "Sobre qué", "Para qué")
    lines = worker.page.locator("main tbody tr").all()
    found = [[line.locator(f"[data-label='{name}']").inner_text() for name in names] for line in reversed(lines)]
    return [[done.split("\n")[0], about, purpose] for done, about, purpose in found]


def test_a_new_worker_goes_from_an_empty_node_to_an_approved_answer_in_a_file_of_her_own(
    browser: Browser, tmp_path: Path
) -> None:
    desk = browser.new_context(viewport=DESK, locale="es-PA", accept_downloads=True)
    hand = browser.new_context(viewport=PHONE, locale="es-PA")
    with new_node(tmp_path) as node:
        worker = Worker(desk, node)
        worker.sign_in()
        worker.sees("Publique un formulario")
        publish(worker)
        answer(hand.new_page(), node)
        see_what_came(worker)
        filter_by_a_link(worker)
        approve_with_keys(worker)
        row = take_away(worker, tmp_path)
        assert (row["confianza_gente"], row["ReviewState"]) == ("7", "approved")
        pull_with_a_token(worker, tmp_path / "lab.db")
        with sqlite3.connect(tmp_path / "lab.db") as database:
            pulled = database.execute("SELECT id, confianza_gente, _review FROM confianza").fetchall()
        record = row["KEY"].removeprefix("uuid:")
        assert pulled == [(record, "7", "approved")]
        acts = audited(worker)
    hand.close()
    desk.close()
    wanted = [
        ["Publicó", FORM, "–"], ["Revisó", record, "–"], ["Se llevó datos", FORM, WHY_FILE],
        ["Cambió un token", "R de Luis", WHY_TOKEN], ["Se llevó datos", "todos los formularios", WHY_TOKEN],
    ]  # fmt: skip
    assert [act for act in acts if act in wanted] == wanted


# --- the same without scripts


@pytest.fixture(scope="module")
def answered_node(tmp_path_factory: pytest.TempPathFactory, starter_xforms: dict[str, str]) -> Iterator[Node]:
    """A node with the form, without its notice, and three answers to it."""
    with new_node(tmp_path_factory.mktemp("plain")) as node:
        node.app.state.forms.install(starter_xforms[FORM], "confianza.xlsx")
        body = b"".join(canonical_bytes(submission()) + b"\n" for _ in range(3))
        kind = {"Content-Type": "application/x-ndjson"}
        httpx.post(f"{node.url}/sync/v1/outbox", content=body, headers=kind).raise_for_status()
        yield node


@pytest.fixture(scope="module")
def plain(answered_node: Node, browser: Browser) -> Iterator[Worker]:
    """Somebody of the lab whose browser runs no scripts."""
    context = browser.new_context(viewport=PHONE, locale="es-PA", java_script_enabled=False)
    worker = Worker(context, answered_node)
    worker.sign_in()
    yield worker
    context.close()


def filter_form(worker: Worker) -> None:
    worker.page.click(".view-filters summary")
    worker.page.select_option("[name=pregunta]", "edad")
    worker.page.select_option("[name=valor]", "18_29")
    worker.page.click(".view-filters button")


def add_person(worker: Worker) -> None:
    if not worker.page.is_visible("#new-email"):
        worker.page.locator("summary:has-text('gregar')").first.click()
    worker.page.fill("#new-email", "otra@ejemplo.pa")
    worker.page.fill("#new-purpose", "entra al equipo")
    worker.page.click("form:has(#new-email) button.next")


def plan(worker: Worker) -> None:
    worker.page.fill("#frequency", "30")
    worker.page.click("main form button.next")


def approve(worker: Worker) -> None:
    worker.page.click("[data-line] a >> nth=0")
    worker.page.click("#one [value=approve]")


def prepare_file(worker: Worker) -> None:
    worker.page.fill("#purpose", WHY_FILE)
    worker.press("Preparar el archivo")


def make_token(worker: Worker) -> None:
    worker.page.fill("#name", "Power BI")
    worker.page.fill("#purpose", WHY_TOKEN)
    worker.press("Hacer el token")


def check_file(worker: Worker) -> None:
    worker.page.set_input_files("#file", STARTER / "tarjeta.xlsx")
    worker.press("Revisar sin publicar")


def ask_audit(worker: Worker) -> None:
    worker.page.select_option("#que", "erase")
    worker.press("Ver")


def reply(worker: Worker) -> None:
    worker.page.fill("#text", "Reparar el alumbrado en marzo")
    worker.press("Añadir")


def only_look(worker: Worker) -> None:
    """Nothing is asked there."""


# address, what is done there, what the page says then
WITHOUT_SCRIPTS: dict[str, tuple[Callable[[Worker], None], str]] = {
    "/lab": (only_look, TITLE),
    "/lab/llegadas": (only_look, "San Miguelito"),
    "/lab/al-dia": (only_look, "¿Quién está al día?"),
    "/lab/calidad": (only_look, "Calidad"),
    f"/lab/forms/{FORM}": (filter_form, "Quitar los filtros"),
    f"/lab/formularios/{FORM}/plan": (plan, "cada 30 días"),
    "/lab/publicar": (check_file, "Se puede publicar."),
    f"/lab/revisar/{FORM}": (approve, "Se anotó en 1."),
    f"/lab/forms/{FORM}/llevar": (prepare_file, "Bajar el archivo"),
    f"/lab/forms/{FORM}/diccionario": (only_look, "confianza_gente"),
    "/lab/personas": (add_person, "otra@ejemplo.pa"),
    "/lab/fichas": (make_token, "no se vuelve a mostrar"),
    "/lab/auditoria": (ask_audit, "No hay nada con ese filtro."),
    "/municipio/0810": (reply, "Reparar el alumbrado en marzo"),
}


@pytest.mark.parametrize("address", WITHOUT_SCRIPTS)
def test_a_page_of_the_lab_is_used_without_scripts(plain: Worker, address: str) -> None:
    act, words = WITHOUT_SCRIPTS[address]
    shown = plain.page.goto(f"http://localhost:{plain.node.port}{address}")
    assert shown is not None and shown.status == 200
    act(plain)
    plain.sees(words)
