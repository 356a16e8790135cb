"""A whole session in Chromium: a facilitator, a note-taker and eight phones on plain http, with the internet cut.

They join, write, vote blind, lose the network and get it back, see the reveal and close. Then the internet comes back,
and central shows every board and every file of the session byte for byte as the tablet does.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from collector import people
from collector.clock import now_ms
from collector.db import writing
from collector.queries import nodes
from collector.rooms.room import Room
from collector.settings import Settings
from sync.push import enrol
from tests.browser.conftest import until
from tests.conftest import Node, serve
from tests.rooms_web.furnished_room import PIN, signed_in

PATIENCE_MS = 60_000
PEOPLE = 8
HOST = "nodo.lan"
STATEMENTS = ("El agua llega todos los días.", "La basura se recoge a tiempo.", "Aquí uno puede confiar en la gente.")
STEPS = ("frases", "pasos")


def central_in(folder: Path, port: int = 0) -> Node:
    return serve(Settings(data_dir=folder / "central", name="Central", sync_seconds=0), port)


@dataclass
class Pair:
    """A tablet and the port at which its central answers when it runs."""

    tablet: Node
    central_port: int


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """A tablet that central let in, and that cannot reach it any more."""
    central = central_in(tmp_path)
    node = serve(Settings(data_dir=tmp_path / "tableta", name="Tableta 3 · San Miguelito", sync_seconds=0))
    for each in (central, node):
        with writing(each.app.state.engine) as session:
            people.set_pin(session, PIN)
    with writing(central.app.state.engine) as session:
        code = nodes.make_enrol_code(session, now_ms())
    with httpx.Client() as http:
        enrol(node.app.state.engine, http, central.url, code, "Tableta 3")
    central.stop()
    yield Pair(node, central.port)
    node.stop()


class Meeting:
    """The browsers of one session, all at the tablet's plain address."""

    def __init__(self, browser: Browser, node: Node, ends: ExitStack) -> None:
        self.browser, self.node, self.ends = browser, node, ends
        self.session = ""

    def come(self, path: str, width: int = 360, height: int = 740) -> Page:
        context = self.browser.new_context(viewport={"width": width, "height": height}, locale="es-PA")
        self.ends.callback(context.close)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://{HOST}:{self.node.port}{path}")
        return page

    def staff(self, path: str) -> Page:
        page = self.come(path, 1280, 900)
        page.fill("[name=pin]", PIN)
        page.press("[name=pin]", "Enter")
        page.wait_for_url(f"**{path}")
        return page

    @property
    def now(self) -> Room:
        room: Room | None = self.node.app.state.rooms.get(self.session)
        assert room is not None
        return room

    def opened_by(self, run: Page) -> str:
        """Let the facilitator open a session from a starter guide; return the code that people type."""
        run.locator("li", has_text="confianza en comunidades").get_by_text("Usar esta guía").click()
        run.fill("[name=title]", "Confianza en San Miguelito")
        run.fill("[name=seats]", "0")
        run.check("[name=group_consent]", force=True)
        run.click("button:has-text('Abrir la sala')")
        run.wait_for_selector(".code.big")
        self.session = run.url.rpartition("/")[2]
        return run.inner_text(".code.big").strip()

    def joined(self, code: str) -> Page:
        """Let a phone in by the code that its owner typed."""
        page = self.come("/s")
        page.fill("input[type=text], input[name=code]", code)
        page.press("input[name=code]", "Enter")
        page.check("#participate", force=True)
        page.click("main .btn.next")
        page.wait_for_url("**/ahora")
        page.wait_for_function("() => window.htmx")
        return page


def shows(page: Page, words: str) -> None:
    expect(page.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)


def open_step(meeting: Meeting, run: Page, name: str) -> None:
    _press(run, f"#open-{_place(meeting, name)}")
    until(run, lambda: meeting.now.run(name).state == "open")


def reveal(meeting: Meeting, run: Page, name: str) -> None:
    _press(run, f"#reveal-{_place(meeting, name)}")
    until(run, lambda: meeting.now.run(name).state == "revealed")


def _place(meeting: Meeting, name: str) -> int:
    guide = meeting.now.guide
    assert guide is not None
    return [step.name for step in guide.steps].index(name) + 1


def _press(run: Page, button: str) -> None:
    run.wait_for_function("() => window.htmx")
    run.click(button)


def vote(page: Page, choice: str) -> None:
    card = page.get_attribute(".card-now", "id")
    page.click(f"button[name=choice][value={choice}]")
    page.wait_for_selector(f"#{card}", state="detached")


def vote_unheard(page: Page, choice: str) -> None:
    """Vote on all statements without a signal: the page goes on by itself."""
    for number in range(1, len(STATEMENTS) + 1):
        expect(page.locator(".card-now .over")).to_have_text(f"Frase {number} de 3", timeout=PATIENCE_MS)
        page.click(f"button[name=choice][value={choice}]")
    expect(page.locator(".card-now")).to_be_hidden(timeout=PATIENCE_MS)


def note(page: Page, seat: str, words: str) -> None:
    page.wait_for_function("() => window.htmx")
    page.check(f"input[name=seat][value='{seat}']", force=True)
    page.fill("#text", words)
    page.check("input[name=manner][value=verbatim]", force=True)
    page.click("button:has-text('Guardar nota')")
    expect(page.locator("#notas")).to_contain_text(words, timeout=PATIENCE_MS)


def test_a_whole_session_without_internet_is_the_same_to_the_byte_at_central(
    browser: Browser, pair: Pair, tmp_path: Path
) -> None:
    with ExitStack() as ends:
        meeting = Meeting(browser, pair.tablet, ends)
        run = meeting.staff("/sala/nueva")
        code = meeting.opened_by(run)
        notes = meeting.staff(f"/sala/{meeting.session}/notas")
        phones = [meeting.joined(code) for _ in range(PEOPLE)]
        assert len(meeting.now.seats) == PEOPLE

        _statements(meeting, run, phones, notes)
        _points(meeting, run, phones)
        _close(meeting, run, notes)
    _same_at_central(pair, meeting.session, tmp_path)


def _statements(meeting: Meeting, run: Page, phones: list[Page], notes: Page) -> None:
    """Write three statements and vote on them, two of the phones without a signal; nobody sees a result before."""
    open_step(meeting, run, "frases")
    for number, words in enumerate(STATEMENTS):
        shows(phones[number], "Escribir una frase")
        if not phones[number].is_visible("textarea[name=text]"):
            phones[number].click("summary:has-text('Escribir una frase')")
        phones[number].fill("textarea[name=text]", words)
        phones[number].click(".give[id$=-statement] .btn")
        run.click(f"li:has-text('{words}') button:has-text('Mostrar')")  # the guide asks for it: not shown before
        until(run, lambda: len(meeting.now.of("statement", "frases")) == number + 1)  # noqa: B023
    note(notes, "P1", "Cuando llueve, la quebrada se llena de basura.")
    lost, present = phones[:2], phones[2:]
    for page in phones:
        shows(page, "Frase 1 de 3")
    for page in lost:
        page.wait_for_load_state("networkidle")
        page.context.set_offline(True)
    for page in present:
        for _ in STATEMENTS:
            vote(page, "agree")
    for page in lost:
        vote_unheard(page, "disagree")
        shows(page, "Guardado en este teléfono.")
    assert meeting.now.voters("vote", "frases") == len(present), "what was voted without a signal waits on the phone"
    board = meeting.staff(f"/sala/{meeting.session}/tablero/frases")
    assert "%" not in board.inner_text("main"), "blind until the reveal"
    for page in lost:
        page.context.set_offline(False)
    until(run, lambda: meeting.now.voters("vote", "frases") == PEOPLE)
    reveal(meeting, run, "frases")
    shows(board, "75 %")
    tallies = sorted(str(vote.payload["choice"]) for vote in meeting.now.secret.of("vote", "frases"))
    assert tallies == ["agree"] * 18 + ["disagree"] * 6, "each vote once"


def _points(meeting: Meeting, run: Page, phones: list[Page]) -> None:
    """Give ten points each."""
    open_step(meeting, run, "pasos")
    for number, page in enumerate(phones):
        shows(page, "Le quedan")
        for _ in range(10):
            page.click("#more-1" if number < 5 else "#more-2")
        page.click(".give-now .next")
        page.wait_for_selector("#thanks")
    reveal(meeting, run, "pasos")
    assert meeting.now.voters("allocation", "pasos") == PEOPLE


def _close(meeting: Meeting, run: Page, notes: Page) -> None:
    note(notes, "P2", "Propongo reunirnos el sábado en la cancha.")
    run.click("a:has-text('Cerrar la sesión')")
    run.fill("[name=summary]", "El grupo habló de la basura y de encontrarse.")
    run.check("[name=read_back]", force=True)
    run.click("button:has-text('Cerrar la sesión')")
    expect(run.locator(".banner.done")).to_contain_text("El acta se leyó al grupo.", timeout=PATIENCE_MS)


def _same_at_central(pair: Pair, session: str, folder: Path) -> None:
    """Bring the internet back, sync, and compare what both nodes answer."""
    tablet, central = pair.tablet, central_in(folder, pair.central_port)
    try:
        assert tablet.app.state.sync_now().error == ""
        ours, theirs = tablet.app.state.rooms.get(session), central.app.state.rooms.get(session)
        assert ours is not None and ours == theirs and ours.is_closed
        with signed_in(tablet) as here, signed_in(central) as there:
            listed = here.get(f"/sala/{session}/salidas").text
            names = sorted({part.partition('"')[0] for part in listed.split(f"/sala/{session}/salidas/")[1:]})
            assert len(names) >= 8
            paths = [f"salidas/{name}" for name in names] + [f"tablero/{step.name}" for step in ours.guide.steps]
            differs = []
            for path in paths:
                answers = [
                    client.get(f"/sala/{session}/{path}", headers={"HX-Request": "true"}) for client in (here, there)
                ]
                assert [answer.status_code for answer in answers] == [200, 200], path
                differs += [path] if answers[0].content != answers[1].content else []
            assert not differs
    finally:
        central.stop()
