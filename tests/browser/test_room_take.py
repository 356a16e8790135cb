"""A tablet that is only a browser runs a session with no node in the room; later the node has all of it."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from collector import people
from collector.db import reading, writing
from collector.queries.contributions import bodies_of
from collector.rooms.boards.dots import dot_board
from collector.rooms.boards.statements import statement_board
from collector.rooms.boards.timeline import timeline
from collector.rooms.guide import Guide, Step, steps_as_json
from collector.rooms.link_codes import make_link_code
from collector.rooms.room import Room
from sync.records import uuid7
from tests.browser.conftest import Phone, until
from tests.browser.sizes import small_targets, too_wide
from tests.conftest import Node, free_port
from tests.rooms.making import step_of
from tests.rooms.sample import STEPS
from tests.rooms_web.furnished_room import PIN, node_with_pin

LEAVE = "2580"
STEP = "li.step:has(b:text-is('{}'))"
VOTES, POINTS = "Diga si está de acuerdo", "¿Por dónde empezar?"
FIRST, SECOND = "El municipio responde cuando uno llama.", "Aquí <b>todos</b> cuidamos la cancha & el parque."
KEPT = """async () => {
  const { all } = await import(document.querySelector('[src*="app.js"]').src.replace('app.js', 'outbox.js'));
  return (await all()).map(({ id, state, body, secret, saved }) => ({ id, state, body, secret, saved }));
}"""


def give_pin(node: Node) -> Node:
    with writing(node.app.state.engine) as session:
        people.set_pin(session, PIN)
    return node


def open_page(page: Page, port: int, path: str = "/app/sala", host: str = "localhost") -> None:
    page.goto(f"http://{host}:{port}{path}")
    page.wait_for_selector("body[data-ready]", state="attached")


def prepare(page: Page, seats: int = 6) -> str:
    """Prepare a session of the focus group; return its id."""
    page.click("a:has-text('Llevar una sesión')")
    page.click("li:has-text('Grupo focal') a")
    page.fill("#title", "Jóvenes de Soná")
    page.select_option("#district", "0911")
    page.fill("#place", "Casa comunal")
    page.fill("#seats", str(seats))
    page.click("text=Preparar la sesión")
    page.wait_for_selector("ol.steps")
    return page.url.partition("#")[2]


def step(label: str) -> str:
    return STEP.format(label)


def add_statement(page: Page, text: str) -> None:
    form = page.locator(step(VOTES))
    if not form.locator("textarea").is_visible():
        form.locator("summary").click()
    form.locator("textarea").fill(text)
    form.locator("button:has-text('Añadir la frase')").click()
    page.wait_for_selector("text=Esperan su permiso")
    page.click("button:has-text('Mostrar'):left-of(button:has-text('Dejar oculta'))")
    expect(page.locator("text=Esperan su permiso")).to_have_count(0)


def pass_on(page: Page, label: str) -> None:
    """Open a step and hand the tablet over."""
    page.click(f"{step(label)} [data-state=open]")
    pass_on_again(page)


def pass_on_again(page: Page) -> None:
    """Hand the tablet over in the step that is open."""
    page.click("a:has-text('Pasar la tableta')")
    page.wait_for_selector("text=Empezar a pasarla")
    if page.is_visible("#new-pin"):
        page.fill("#new-pin", LEAVE)
    page.click("text=Empezar a pasarla")
    page.wait_for_selector("[data-begin]")


def begin_turn(page: Page, origin: str = "") -> None:
    page.click("[data-begin]")
    page.check(f"[name=origen][value='{origin}']")
    page.click("#go-on")


def vote(page: Page, *choices: str) -> None:
    """Vote on the statements one after the other, and finish."""
    for place, choice in enumerate(choices, start=1):
        page.wait_for_selector(f"text=Frase {place} de {len(choices)}")
        page.click(f"#vote-{choice}")
    page.wait_for_selector("text=Votó todas las frases")
    page.click("[data-done]")
    page.wait_for_selector("[data-begin]")


def take_back(page: Page) -> None:
    page.click("[data-leave]")
    page.fill("#pin", LEAVE)
    page.click(".keys .next")
    page.wait_for_selector("ol.steps")


def add_note(page: Page, seat: str, text: str) -> None:
    page.check(f"[name=seat][value='{seat}']")
    page.fill("#text", text)
    page.click("text=Guardar nota")
    expect(page.locator(".note-list .said").first).to_contain_text(text)


def entries(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(KEPT)
    return found


def room_on(node: Node, session: str) -> Room:
    room = node.app.state.rooms.get(session)
    assert room is not None
    return room  # type: ignore[no-any-return]


def test_a_session_prepared_with_a_signal_runs_with_no_node_survives_a_kill_and_is_sent_whole_once(
    make_node: Callable[..., Node], phone: Phone
) -> None:
    port = free_port()
    central = give_pin(make_node("central", port=port))
    page = phone.open()
    open_page(page, port)
    page.wait_for_selector("text=Esta tableta está lista sin señal")
    session = prepare(page)
    phone.close()
    central.stop()

    page = phone.open()  # in the field: nothing answers
    open_page(page, port, "/app/sala#nueva")
    expect(page.locator("li:has-text('Usar esta guía')")).to_have_count(3)
    open_page(page, port)
    page.click("text=Abrir la sesión")
    page.check("[data-consent] [name=participate]")
    page.check("[data-consent] [name=quote]")
    page.click("text=Guardar el permiso")
    page.fill("#count", "6")
    page.click("#keep-present")
    page.click("a:has-text('Tomar notas')")
    add_note(page, "P1", "Uno va a la junta y nadie responde.")
    add_note(page, "P4", "La cancha la arreglamos nosotros.")
    page.click("a:has-text('Volver a la sesión')")
    page.click(f"{step(VOTES)} [data-state=open]")
    add_statement(page, FIRST)
    add_statement(page, SECOND)
    pass_on_again(page)
    for choices in (("agree", "agree"), ("agree", "disagree"), ("agree", "agree")):
        begin_turn(page, "aqui")
        vote(page, *choices)
    page.click("[data-begin]")
    page.click("#go-on")
    page.click("#vote-disagree")
    page.wait_for_selector("text=Frase 2 de 2")
    phone.kill()

    page = phone.open()  # between two people, whatever was half
    open_page(page, port, "/app")
    page.wait_for_url("**/app/sala")
    expect(page.locator("[data-people]")).to_have_text("4")
    for choices in (("agree", "pass"), ("disagree", "agree")):
        begin_turn(page)
        vote(page, *choices)
    take_back(page)
    page.click(f"{step(VOTES)} [data-state=revealed]")
    page.click("text=Ver el resultado")
    expect(page.locator(".count-bar b").first).to_have_text("4 · 67 %")
    assert page.inner_text(".card >> nth=1 >> .said") == SECOND
    page.click("a:has-text('Volver a la sesión')")
    pass_on(page, POINTS)
    for first in (3, 10, 0, 5, 2):
        begin_turn(page)
        for _ in range(first):
            page.click("#more-1")
        for _ in range(10 - first):
            page.click("#more-2")
        page.click("#give-points")
        page.wait_for_selector("text=Guardado.")
        page.click("[data-done]")
    take_back(page)
    page.click(f"{step(POINTS)} [data-state=revealed]")
    page.click("a:has-text('Cerrar la sesión')")
    page.fill("#summary", "Se habló del municipio y de la cancha.")
    page.check("[name=read_back]")
    page.click("form button.next")
    page.wait_for_selector("text=El acta se leyó al grupo")
    said = entries(page)
    assert {entry["state"] for entry in said} == {"saved"}
    for kind in ("vote", "allocation"):  # nothing tells in which order people voted
        votes = [json.loads(entry["body"]) | entry for entry in said if f'"what":"{kind}"' in entry["body"]]
        assert len({(vote["finished"], vote["saved"], vote["id"][:13]) for vote in votes}) == 1
        assert votes[0]["saved"] % 60_000 == 0

    central = make_node("central", port=port)  # back in signal
    page.click("a:has-text('Volver a la sesión')")
    page.click("[data-go]")
    page.fill("#node-pin", "1111")
    page.click("form:has(#node-pin) button")
    page.wait_for_selector("text=Ese no es el PIN")
    page.fill("#node-pin", PIN)
    page.click("form:has(#node-pin) button")
    page.wait_for_selector("text=El nodo tiene toda la sesión")
    until(page, lambda: page.inner_text("[data-count=central]") == str(len(said)))
    page.click("text=Abrir la sala en el nodo")
    expect(page.locator("h1")).to_have_text("Jóvenes de Soná")
    page.go_back()
    page.click("a:has-text('Quitarla de esta tableta')")
    page.click("button:has-text('Quitarla de esta tableta')")
    page.wait_for_selector("text=En esta tableta todavía no hay sesiones")
    assert entries(page) == []

    room = room_on(central, session)
    with reading(central.app.state.engine) as store:
        ids = [body.partition('"id":"')[2][:36] for body in bodies_of(store, session)]
    assert Counter(ids) == Counter(entry["id"] for entry in said)
    assert (room.facts.place, room.facts.district, room.present, len(room.seats)) == ("Casa comunal", "0911", 6, 6)
    assert (room.misfits, room.unknown) == (0, 0)
    assert [row.item.text for row in timeline(room)] == [
        "Uno va a la junta y nadie responde.",
        "La cancha la arreglamos nosotros.",
    ]
    tallies = [row.tally for row in statement_board(room, "frases").rows]
    assert [(t.agrees, t.disagrees, t.passes) for t in tallies if t] == [(4, 2, 0), (3, 1, 1)]
    board = dot_board(room, "pasos")
    assert [(row.option.name, row.share.count) for row in board.rows[:2]] == [("informacion", 30), ("encuentro", 20)]
    assert room.closing is not None and room.closing.is_read_back


# --- with a node, which stays


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    found = node_with_pin(Path(tmp_path_factory.mktemp("salas")), "Central")
    yield found
    found.stop()


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    """A tablet of its own; what goes wrong in its page fails the test."""
    context = browser.new_context(viewport={"width": 800, "height": 1100}, locale="es-PA")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert problems == []


def test_nobody_meets_what_the_person_before_gave_and_only_the_pin_leads_back(node: Node, tablet: Page) -> None:
    open_page(tablet, node.port)
    session = prepare(tablet)
    tablet.click(f"{step(VOTES)} [data-state=open]")
    add_statement(tablet, FIRST)
    pass_on_again(tablet)
    begin_turn(tablet, "otro_pais")
    tablet.click("#vote-agree")
    tablet.wait_for_selector("text=Votó todas las frases")
    tablet.locator(".turn summary:has-text('Escribir una frase')").click()
    tablet.fill(".turn textarea", "Una frase a medias")
    tablet.go_back()
    tablet.wait_for_selector("[data-begin]")
    for address in (f"/app/sala#{session}", f"/app/sala#{session}/notas", "/app", "/mis-respuestas"):
        tablet.goto(f"http://localhost:{node.port}{address}")
        tablet.reload()
        tablet.wait_for_selector("[data-begin]")
        assert "a medias" not in tablet.content() and "ol.steps" not in tablet.content()
    begin_turn(tablet)
    expect(tablet.locator(".statement")).to_have_text(FIRST)
    expect(tablet.locator(".chosen")).to_have_count(0)
    tablet.click("[data-done]")
    tablet.click("[data-leave]")
    tablet.fill("#pin", "9999")
    tablet.click(".keys .next")
    tablet.wait_for_selector("text=Ese no es el PIN")
    tablet.click("[data-stay]")
    take_back(tablet)
    tablet.click("a:has-text('Pasar la tableta')")
    tablet.click("text=Poner otro PIN")
    tablet.fill("#new-pin", "12")
    tablet.click("text=Empezar a pasarla")
    tablet.wait_for_selector("text=Escriba de 4 a 12 números")
    tablet.fill("#new-pin", "7777")
    tablet.click("text=Empezar a pasarla")
    tablet.click("[data-leave]")
    tablet.fill("#pin", "7777")
    tablet.click(".keys .next")
    tablet.wait_for_selector("ol.steps")
    ballots = [entry for entry in entries(tablet) if entry["secret"]]
    assert len(ballots) == 1 and '"origen":"otro_pais"' in ballots[0]["body"] and '"seat"' not in ballots[0]["body"]


def test_a_tablet_put_down_goes_back_to_the_page_between_two_people(node: Node, tablet: Page) -> None:
    tablet.clock.install()
    open_page(tablet, node.port)
    prepare(tablet)
    pass_on(tablet, POINTS)
    begin_turn(tablet)
    tablet.click("#more-1")
    tablet.clock.run_for(75_000)
    tablet.wait_for_selector("text=¿Sigue ahí?")
    tablet.click("[data-here]")
    expect(tablet.locator(".count").first).to_be_visible()
    tablet.clock.run_for(200_000)
    tablet.wait_for_selector("[data-begin]")
    begin_turn(tablet)
    expect(tablet.locator("[data-left-over]")).to_have_text("10")


def test_few_votes_are_hidden_votes_change_before_passing_and_the_last_act_comes_back(node: Node, tablet: Page) -> None:
    open_page(tablet, node.port)
    session = prepare(tablet)
    pass_on(tablet, POINTS)
    begin_turn(tablet)
    tablet.click("#give-points")
    tablet.wait_for_selector("text=Todavía no puso ningún punto")
    tablet.click("#more-1")
    tablet.click("#give-points")
    tablet.wait_for_selector("text=Guardado.")
    tablet.click("#more-2")
    tablet.click("#give-points")
    until(tablet, lambda: sum(bool(entry["secret"]) for entry in entries(tablet)) == 2)
    tablet.click("[data-done]")
    take_back(tablet)
    expect(tablet.locator(step(POINTS))).to_contain_text("1 ya votaron")
    tablet.click(f"{step(POINTS)} [data-state=revealed]")
    tablet.click("text=Ver el resultado")
    tablet.wait_for_selector("text=El resultado no se muestra")
    tablet.goto(f"http://localhost:{node.port}/app/sala#{session}")
    tablet.click("#undo-done")
    expect(tablet.locator(f"{step(POINTS)} .state-open")).to_have_count(1)
    tablet.click("#undo-back")
    expect(tablet.locator(f"{step(POINTS)} .state-revealed")).to_have_count(1)


def test_plain_http_says_what_is_possible_and_still_runs_a_session(node: Node, tablet: Page) -> None:
    open_page(tablet, node.port, host="nodo.lan")
    tablet.wait_for_selector("text=En esta dirección (http) la página no se queda en la tableta")
    prepare(tablet)
    tablet.click("a:has-text('Tomar notas')")
    add_note(tablet, "P2", "Se anota igual.")
    tablet.reload()
    expect(tablet.locator(".note-list .said")).to_have_text("Se anota igual.")


# --- every type of step

OPEN = """async ([session, steps]) => {
  const script = document.querySelector('script[src*="app.js"]').src;
  const module = (name) => import(script.replace('app.js', name));
  const [log, records] = [await module('room-take-log.js'), await module('room-records.js')];
  const by = records.token();
  const payload = { title: 'De todo', guide: 'todo', guide_version: '1', steps, round: 1 };
  await log.keep(session, 'De todo', [{ id: session, what: 'session', by, count: 1, payload }]);
}"""


def test_every_type_of_step_is_answered_as_the_node_counts_it(node: Node, tablet: Page) -> None:
    session, code = uuid7(), make_link_code()
    more = {"q": "question", "c": "commitments", "a": "agreements", "e2": "selection", "z": "minutes", "p": "photo"}
    steps = (*STEPS, *(step_of(kind, name) for name, kind in more.items()))
    guide = Guide("todo", "1", {"es": "Todo"}, steps)
    open_page(tablet, node.port)
    tablet.evaluate(OPEN, [session, steps_as_json(guide)])
    tablet.goto(f"http://localhost:{node.port}/app/sala#{session}")
    for name in ("s", "f", "d", "e", "r", "t", "y", "m"):
        row = tablet.locator(f"li.step:has(#open-{1 + [each.name for each in steps].index(name)})")
        row.locator("[data-state=open]").click()
        if name == "s":
            tablet.click("summary:has-text('Escribir una frase')")
            give(tablet, "s-statement", text="Hay que cuidar el río.")
        if name == "f":
            tablet.click("summary:has-text('Poner ideas en grupos')")
            tablet.select_option("#f-placement-ref", index=1)
            give(tablet, "f-placement", group="Río")
            continue
        pass_on_again(tablet)
        tablet.click("[data-begin]")
        answer(tablet, name, code)
        tablet.click("[data-done]")
        take_back(tablet)
    in_the_open(tablet, steps)
    tablet.click("[data-go]")
    tablet.fill("#node-pin", PIN)
    tablet.click("form:has(#node-pin) button")
    tablet.wait_for_selector("text=El nodo tiene toda la sesión")
    room = room_on(node, session)
    assert (room.misfits, room.unknown) == (0, 0)
    given = {"vote": "s", "allocation": "d", "rank": "r", "triad": "t", "dyad": "y", "measure": "m"}
    assert {what: room.voters(what, name) for what, name in given.items()} == dict.fromkeys(given, 1)
    assert dict(room.secret.of("triad", "t")[0].payload) == {"a": 40, "b": 60, "c": 0}
    assert room.secret.of("measure", "m")[0].payload["code"] == code.replace("-", "")
    kinds = Counter(item.what for item in room.items)
    assert kinds == Counter(
        ("statement", "statement", "placement", "objection", "iceberg", "iceberg", "link", "score", "commitment",
         "resource", "expectation", "agreement", "selection", "minute")
    )  # fmt: skip


def give(page: Page, form: str, **fields: str) -> None:
    """Write into a form of the step that is open, and give it."""
    for name, value in fields.items():
        page.fill(f"#{form}-{name}", value)
    page.click(f"#{form}-give")


def answer(page: Page, name: str, code: str) -> None:
    """Answer a step in secret as one person does."""
    if name == "s":
        page.click("#vote-agree")
        page.wait_for_selector("text=Votó todas las frases")
        return
    if name in "de":
        page.click("#more-1")
        page.click("#give-points")
    elif name == "t":
        page.click("#give-points")
        page.wait_for_selector("text=Faltan piedras por repartir")
        for pole, count in ((1, 4), (2, 6)):
            for _ in range(count):
                page.click(f"#more-{pole}")
        page.click("#give-points")
    elif name == "y":
        page.check("[name=value][value='70']")
        page.click("#give-dyad")
    elif name == "r":
        page.select_option("#place-1", "agua")
        page.select_option("#place-2", "agua")
        page.click("#give-rank")
        page.wait_for_selector("text=La misma opción está en dos lugares")
        page.select_option("#place-2", "cultura")
        page.click("#give-rank")
    else:
        page.fill("#m-code", code[:-1] + "?")
        page.check("[name='item.confianza'][value='7']")
        page.click("#m-give")
        page.wait_for_selector("text=Ese código no está bien copiado")
        page.fill("#m-code", code.lower())
        page.click("#m-give")
    page.wait_for_selector("text=Guardado.")
    if name == "e":
        page.click("summary:has-text('Decir una objeción')")
        page.select_option("#e-objection-position", "agua")
        give(page, "e-objection", reason="Falta personal.")


def in_the_open(page: Page, steps: tuple[Step, ...]) -> None:
    """Write for the group what is said in the open, in each step that takes it."""
    names = [each.name for each in steps]

    def begin(name: str, more: str = "") -> None:
        page.wait_for_selector("ol.steps")
        if not page.is_visible(f"#lock-{1 + names.index(name)}"):
            page.click(f"#open-{1 + names.index(name)}")
        if more:
            page.click(f"summary:has-text('{more}')")

    for text, level in (("Se bota basura.", "event"), ("Nadie multa.", "structure")):
        begin("i", "Añadir una idea")
        page.fill("#i-iceberg-text", text)
        page.check(f"[name=level][value={level}]")
        give(page, "i-iceberg")
        expect(page.locator(step_named(names, "i"))).to_contain_text(f"hasta ahora: {1 + (level != 'event')}")
        page.reload()
    begin("i", "Unir dos ideas")
    page.select_option("#i-link-ref", index=1)
    page.check("[name=relation][value=causes]")
    page.select_option("#i-link-to", index=2)
    give(page, "i-link")
    begin("j", "Calificar una propuesta")
    page.click("#j-score-give")
    page.wait_for_selector("text=Falta algo por escribir o elegir")
    page.select_option("#j-score-target", index=1)
    for criterion in ("impacto", "alcance"):
        page.select_option(f"#j-score-{criterion}", "4")
    give(page, "j-score")
    begin("q", "Escribir una respuesta")
    give(page, "q-answer", text="El río subió.")
    begin("c", "Comprometerse a algo")
    give(page, "c-commitment", actor="Junta comunal", text="Limpiar", by_when="2027-01-31")
    expect(page.locator(step_named(names, "c"))).to_contain_text("hasta ahora: 1")
    page.reload()
    begin("c", "Ofrecer un recurso")
    page.fill("#c-resource-actor", "Escuela")
    page.check("[name=kind][value=human]")
    give(page, "c-resource", text="Manos")
    expect(page.locator(step_named(names, "c"))).to_contain_text("hasta ahora: 2")
    page.reload()
    begin("c", "Decir qué espera")
    give(page, "c-expectation", actor="Escuela", text="Apoyo")
    begin("a", "Añadir un acuerdo")
    give(page, "a-agreement", what="Reunirse cada mes", who="Junta comunal")
    begin("e2", "Anotar lo elegido")
    page.select_option("#e2-selection-ref", index=1)
    give(page, "e2-selection", level="Municipio", reason="Se puede hacer ya")
    begin("p")
    page.wait_for_selector("text=En esta tableta sola no se guardan fotos")
    begin("z", "Escribir en el acta")
    give(page, "z-minute", text="Se leyó.")
    expect(page.locator(step_named(names, "z"))).to_contain_text("hasta ahora: 1")


def step_named(names: list[str], name: str) -> str:
    """Return where a step stands in the list."""
    return f"li.step >> nth={names.index(name)}"


# --- how it looks, for everybody


def test_axe_finds_nothing_and_every_target_is_large_enough(node: Node, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA")
    page = context.new_page()
    found: list[str] = []
    for state in states(page, node):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found += violations(page, f"{state} {scheme}")
        found += [f"{state}: {each}" for each in (*too_wide(page), *small_targets(page, 48)) if "brand" not in each]
    context.close()
    assert not found


def violations(page: Page, state: str) -> list[str]:
    """Return what axe finds in the page as it is."""
    page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")[
        "violations"
    ]
    return [f"{state}: {each['id']}: {[node['target'] for node in each['nodes'][:4]]}" for each in found]


def states(page: Page, node: Node) -> Iterator[str]:
    """Bring a session through every page, and give the name of each."""
    open_page(page, node.port)
    page.wait_for_selector("text=Esta tableta está lista sin señal")
    yield "list"
    session = prepare(page, 3)
    page.goto(f"http://localhost:{node.port}/app/sala#nueva")
    page.wait_for_selector("text=Usar esta guía")
    yield "guides"
    page.click("li:has-text('municipal') a, li:has-text('municipio') a")
    page.wait_for_selector("#seats")
    yield "new"
    page.goto(f"http://localhost:{node.port}/app/sala#{session}")
    page.wait_for_selector("ol.steps")
    yield "run"
    page.click(f"{step(VOTES)} [data-state=open]")
    add_statement(page, FIRST)
    page.locator(step(VOTES)).locator("summary").click()
    yield "open step"
    page.click("a:has-text('P1')")
    page.wait_for_selector("text=¿A qué dijo que sí?")
    yield "seat"
    page.goto(f"http://localhost:{node.port}/app/sala#{session}/notas")
    add_note(page, "P1", "Falta alumbrado.")
    yield "notes"
    page.goto(f"http://localhost:{node.port}/app/sala#{session}/cerrar")
    page.wait_for_selector("#summary")
    yield "close"
    page.goto(f"http://localhost:{node.port}/app/sala#{session}/pasar")
    page.wait_for_selector("#new-pin")
    yield "pass"
    page.fill("#new-pin", LEAVE)
    page.click("text=Empezar a pasarla")
    page.wait_for_selector("[data-begin]")
    yield "between"
    page.click("[data-begin]")
    page.wait_for_selector("#go-on")
    yield "who"
    page.click("#go-on")
    page.wait_for_selector(".votes")
    yield "vote"
    page.click("#vote-pass")
    page.wait_for_selector("text=Votó todas las frases")
    yield "voted"
    page.click("[data-done]")
    page.click("[data-leave]")
    page.wait_for_selector("#pin")
    yield "pin"
    page.fill("#pin", LEAVE)
    page.click(".keys .next")
    page.click(f"{step('Pensando en lo que contó: ¿de quién vino el apoyo?')} [data-state=open]")
    pass_on_again(page)
    page.click("[data-begin]")
    page.click("#go-on")
    page.wait_for_selector(".purse")
    yield "triad"
    page.click("[data-na]")
    page.wait_for_selector("text=Guardado.")
    page.click("[data-done]")
    take_back(page)
    page.goto(f"http://localhost:{node.port}/app/sala#{session}/resultado/frases")
    page.wait_for_selector("text=Nadie ve los votos hasta el final")
    yield "result"


def test_a_session_is_run_by_the_keyboard_alone(node: Node, tablet: Page) -> None:
    open_page(tablet, node.port)
    prepare(tablet)
    tablet.focus(f"{step(POINTS)} [data-state=open]")
    tablet.keyboard.press("Enter")
    tablet.wait_for_selector("a:has-text('Pasar la tableta')")
    tablet.focus("a:has-text('Pasar la tableta')")
    for keys in (["Enter"], [*LEAVE, "Enter"]):
        for key in keys:
            tablet.keyboard.press(key)
        if keys == ["Enter"]:
            tablet.wait_for_selector("#new-pin")
            tablet.focus("#new-pin")
    tablet.wait_for_selector("[data-begin]")
    for selector in ("[data-begin]", "#go-on", "#more-1", "#more-1", "#give-points"):
        tablet.focus(selector)
        tablet.keyboard.press("Enter")
    tablet.wait_for_selector("text=Guardado.")
    (ballot,) = [entry["body"] for entry in entries(tablet) if entry["secret"]]
    assert '"points":{"encuentro":2}' in ballot
