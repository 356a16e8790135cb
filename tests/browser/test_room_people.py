"""People of a room in real browsers, on plain http too: eight phones join, write, vote blind and see the reveal."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.origins import HOSTS
from tests.conftest import Node
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import PIN, node_with_pin
from tests.rooms_web.people_room import EVERY_TYPE, OPTIONS, PeopleRoom

PATIENCE_MS = 60_000
STEPS = (step_of("statements", "frases"), step_of("dots", "puntos", *OPTIONS), step_of("question", "pregunta"))
TEXT = "textarea[name=text]"
Come = Callable[..., Page]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with a PIN; each test opens a room of its own."""
    found = node_with_pin(tmp_path_factory.mktemp("telefonos"))
    yield found
    found.stop()


@pytest.fixture
def room(node: Node) -> PeopleRoom:
    return PeopleRoom(node, *STEPS)


@pytest.fixture
def come(node: Node, browser: Browser) -> Iterator[Come]:
    """Give a function that lets another phone come to an address of the node: `come("/s", "nodo.lan")`."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, host: str = "nodo.lan", **options: object) -> Page:
        settings: dict[str, object] = {"viewport": {"width": 360, "height": 740}, "locale": "es-PA"}
        context = browser.new_context(**(settings | options))  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"http://{host}:{node.port}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def join(come: Come, room: PeopleRoom, host: str = "nodo.lan", **options: object) -> Page:
    """Let a phone in by its code."""
    page = come(f"/s/{room.code}", host, **options)
    page.check("#participate", force=True)
    page.click("main .btn.next")
    page.wait_for_url("**/ahora")
    return page


def shows(page: Page, words: str) -> None:
    """Wait until the page shows words, as it does by itself."""
    expect(page.get_by_text(words).first).to_be_visible(timeout=PATIENCE_MS)


def thanks(page: Page) -> None:
    """Wait until the page says that what was given is kept."""
    page.wait_for_selector("#thanks")


def write(page: Page, words: str) -> None:
    """Add a statement."""
    page.wait_for_function("() => window.htmx")
    if not page.is_visible(TEXT):
        page.click("summary:has-text('Escribir una frase')")
    page.fill(TEXT, words)
    page.click(".give[id$=-statement] .btn")
    thanks(page)


def vote(page: Page, choice: str) -> None:
    """Vote on the statement that is on the screen, and wait for the next one."""
    card = page.get_attribute(".card-now", "id")
    page.click(f"button[name=choice][value={choice}]")
    page.wait_for_selector(f"#{card}", state="detached")


def facilitator(come: Come, room: PeopleRoom, host: str) -> Page:
    """Open the page on which the room is run."""
    page = come(f"/sala/{room.id}", host, viewport={"width": 1280, "height": 900})
    page.fill("[name=pin]", PIN)
    page.press("[name=pin]", "Enter")
    page.wait_for_url(f"**/sala/{room.id}")
    page.wait_for_function("() => window.htmx")
    return page


@pytest.mark.parametrize("host", HOSTS)
def test_eight_phones_join_write_vote_blind_and_see_the_reveal(come: Come, room: PeopleRoom, host: str) -> None:
    run = facilitator(come, room, host)
    phones = [join(come, room, host) for _ in range(8)]
    assert [phone.inner_text(".band span").rpartition(" ")[2] for phone in phones] == [f"P{n}" for n in range(1, 9)]
    shows(phones[0], "Todavía no hay nada abierto.")
    run.click("#open-1")
    for phone in phones:
        shows(phone, "Escriba la primera.")
    write(phones[0], "El agua llega todos los días.")
    write(phones[1], "La basura se recoge a tiempo.")
    for number, phone in enumerate(phones):
        shows(phone, "Frase 1 de 2")
        vote(phone, "agree" if number < 6 else "disagree")
        vote(phone, "pass" if number < 2 else "agree")
        shows(phone, "Votó todas las frases.")
        assert "%" not in phone.inner_text("#now"), "what the others voted is on no phone"
    board = run.context.new_page()
    board.goto(f"http://{host}:{room.node.port}/sala/{room.id}/tablero/frases")
    shows(board, "8")
    assert "%" not in board.inner_text("main"), "blind until the reveal"
    run.click("#reveal-1")
    shows(phones[7], "El resultado está a la vista del grupo.")
    shows(board, "75 %")
    counted = {
        (vote.ref, vote.payload["choice"]): sum(
            other.ref == vote.ref and other.payload == vote.payload for other in room.now.secret.of("vote", "frases")
        )
        for vote in room.now.secret.of("vote", "frases")
    }
    first, second = room.now.of("statement")
    assert counted == {
        (first.id, "agree"): 6,
        (first.id, "disagree"): 2,
        (second.id, "agree"): 6,
        (second.id, "pass"): 2,
    }
    assert room.now.voters("vote", "frases") == 8


def test_what_is_being_typed_stays_when_others_say_something(come: Come, room: PeopleRoom) -> None:
    room.step("frases")
    page = join(come, room)
    shows(page, "Escriba la primera.")
    page.fill(TEXT, "A medio escr")
    page.focus(TEXT)
    room.statement("frases", "Falta luz.")
    shows(page, "Falta luz.")
    assert page.input_value(TEXT) == "A medio escr"
    page.keyboard.type("ibir")
    assert page.input_value(TEXT) == "A medio escribir"


def test_what_was_typed_for_one_step_does_not_land_in_the_next(come: Come, room: PeopleRoom) -> None:
    room.step("frases")
    page = join(come, room)
    page.fill(TEXT, "A medias")
    room.step("frases", "locked")
    room.step("pregunta")
    shows(page, "Su respuesta")
    assert page.input_value(TEXT) == ""


def test_points_are_put_without_asking_the_node_and_wait_to_be_given(come: Come, room: PeopleRoom) -> None:
    room.step("puntos")
    page = join(come, room)
    page.wait_for_function("() => window.htmx")
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    for _ in range(7):
        page.click("#more-1")
    page.click("#less-1")
    for _ in range(9):
        page.click("#more-2", force=True)  # the last five find no point left
    assert page.locator("output").all_inner_texts() == ["6", "4", "0"]
    assert page.get_attribute("#more-3", "aria-disabled") == "true" and "Le quedan 0" in page.inner_text(".purse")
    page.context.set_offline(False)
    room.step("pregunta")  # something new in the room: what is not given yet stays as it is
    shows(page, "Hay algo nuevo en la sala.")
    assert page.locator("output").all_inner_texts() == ["6", "4", "0"]
    page.click(".give-now .next")
    thanks(page)
    (vote,) = room.now.secret.of("allocation", "puntos")
    assert vote.payload == {"points": {"agua": 6, "basura": 4}}
    assert page.is_hidden("#news")


def test_a_phone_without_a_signal_says_so_keeps_the_words_and_goes_on(come: Come, room: PeopleRoom) -> None:
    room.step("frases")
    page = join(come, room)
    page.wait_for_function("() => window.htmx")
    page.wait_for_load_state("networkidle")
    page.fill(TEXT, "Falta agua.")
    page.context.set_offline(True)
    page.click(".give[id$=-statement] .btn")
    shows(page, "Sin señal del equipo")
    shows(page, "Guardado en este teléfono.")
    assert page.input_value(TEXT) == "" and not room.told("statement")
    page.context.set_offline(False)
    thanks(page)
    expect(page.locator("#silent")).to_be_hidden(timeout=PATIENCE_MS)
    assert [each["payload"]["text"] for each in room.told("statement")] == ["Falta agua."]
    assert page.input_value(TEXT) == ""


def test_the_keyboard_alone_votes_and_gives_points(come: Come, room: PeopleRoom) -> None:
    room.open("frases", "puntos")
    room.statement("frases", "Falta agua.")
    page = join(come, room)
    page.wait_for_function("() => window.htmx")
    page.focus("button[value=disagree]")
    page.keyboard.press("Enter")
    shows(page, "Votó todas las frases.")
    assert page.evaluate("document.activeElement.id") == "thanks", "who hears the page goes on where it speaks"
    page.goto(page.url.partition("?")[0] + "?paso=puntos")
    page.wait_for_function("() => window.htmx")
    page.focus("#more-1")
    for _ in range(3):
        page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "more-2"
    page.keyboard.press("Enter")
    page.focus(".give-now .next")
    page.keyboard.press("Enter")
    thanks(page)
    (given,) = room.now.secret.of("allocation", "puntos")
    assert given.payload == {"points": {"agua": 3, "basura": 1}}


def test_without_scripts_a_person_joins_votes_and_gives_points(come: Come, room: PeopleRoom) -> None:
    room.open("frases", "puntos")
    room.statement("frases", "Falta agua.")
    page = join(come, room, java_script_enabled=False)
    page.click("button[value=agree]")
    assert "Votó todas las frases." in page.inner_text("main")
    page.click("a.chip:has-text('puntos')")
    for _ in range(2):
        page.click("#more-3")
    page.click("#less-3")
    page.click(".give-now .next")
    assert "Guardado." in page.inner_text("main")
    assert [vote.payload for vote in room.now.secret.of("allocation", "puntos")] == [{"points": {"cultura": 1}}]


def test_the_tablet_that_is_passed_on_shows_nothing_of_the_person_before(come: Come, room: PeopleRoom) -> None:
    room.step("frases")
    room.statement("frases", "Falta agua.")
    tablet = come(f"/s/{room.code}/pasar", viewport={"width": 768, "height": 1024})
    tablet.fill("[name=pin]", PIN)
    tablet.press("[name=pin]", "Enter")
    tablet.click("text=Empezar a pasarla")
    for choice in ("agree", "disagree"):
        tablet.click("text=Soy la siguiente persona")
        shows(tablet, "Frase 1 de 1")
        tablet.wait_for_function("() => window.htmx")
        vote(tablet, choice)
        tablet.click("text=Terminé. Pasar la tableta")
        shows(tablet, "Pase la tableta")
        tablet.go_back()
        shows(tablet, "Pase la tableta")
    assert room.now.voters("vote", "frases") == 2


def test_a_tablet_that_is_put_down_half_way_goes_back_by_itself(come: Come, room: PeopleRoom) -> None:
    room.step("frases")
    tablet = come(f"/s/{room.code}/pasar")
    tablet.fill("[name=pin]", PIN)
    tablet.press("[name=pin]", "Enter")
    tablet.click("text=Empezar a pasarla")
    tablet.clock.install()
    tablet.click("text=Soy la siguiente persona")
    tablet.wait_for_function("() => window.htmx")
    tablet.clock.run_for(80_000)
    tablet.fill(TEXT, "Lo mío, a medias")  # whoever goes on writing is not sent away
    tablet.clock.run_for(80_000)
    assert tablet.input_value(TEXT) == "Lo mío, a medias"
    tablet.clock.run_for(15_000)
    shows(tablet, "Pase la tableta")
    assert not room.told("statement")


@pytest.mark.parametrize("width", [320, 768])
def test_no_step_scrolls_sideways_and_everything_to_tap_is_large(come: Come, node: Node, width: int) -> None:
    room = PeopleRoom(node, *EVERY_TYPE)
    room.open(*(step.name for step in EVERY_TYPE))
    room.statement("frases", "Una frase larga para que ocupe más de una línea en el teléfono más angosto.")
    room.say("iceberg", {"text": "Se va el agua", "level": "event"}, step="hielo")
    room.say("iceberg", {"text": "Nadie arregla", "level": "event"}, step="hielo")
    page = join(come, room, viewport={"width": width, "height": 740})
    for step in EVERY_TYPE:
        page.goto(f"http://nodo.lan:{node.port}/s/{room.code}/ahora?paso={step.name}")
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), step.name
        small = page.evaluate(
            """() => ['a', 'button', 'summary', 'select', 'input', 'label.opt']
              .flatMap((kind) => [...document.querySelectorAll(`main ${kind}`)])
              .filter((each) => each.type !== 'hidden' && each.getClientRects().length)
              .map((each) => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
              .filter(([, box]) => box.height < 47.5).map(([html, box]) => `${Math.round(box.height)} ${html}`)"""
        )
        assert not small, f"{step.name}: {small}"
