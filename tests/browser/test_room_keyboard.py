"""Every kind of step by keys alone, on a phone and by the facilitator: reached, filled and sent, the focus in sight.

Nothing here clicks. A field is reached with Tab, filled with letters, arrows and Space, and sent with Enter; axe
looks at every page on the way.
"""

import itertools
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from collector.demo_room import demo_guide
from collector.rooms.guide import STEP_TYPES, Step
from collector.rooms.room import Room
from tests.browser.axe import violations
from tests.browser.conftest import until
from tests.conftest import Node
from tests.rooms_web.furnished_room import PIN, node_with_pin
from tests.rooms_web.people_room import CARD, EVERY_TYPE, PeopleRoom

MOST_TABS = 400
NUMBERS = itertools.count(1)
PATIENCE_MS = 30_000
# type of a step -> the kinds that a phone gives to it, each by the form of its name
GIVEN: dict[str, tuple[str, ...]] = {
    "prompt": (),
    "question": ("statement",),
    "statements": ("vote", "statement"),
    "affinity": ("statement", "placement"),
    "dots": ("allocation",),
    "energy": ("allocation", "objection", "commitment"),
    "rank": ("rank",),
    "triad": ("triad",),
    "dyad": ("dyad",),
    "iceberg": ("iceberg", "placement", "link"),
    "score": ("score",),
    "measure": ("measure",),
    "commitments": ("commitment",),
    "agreements": ("agreement",),
    "selection": ("selection",),
    "photo": (),
}
# type -> what the facilitator does on the desk: the button to end at, and the kind that is stored then
DESK: dict[str, tuple[tuple[str, str], ...]] = {
    "affinity": (("[id^=move-]", "placement"),),
    "iceberg": (("[id^=move-]", "placement"), ("#add-iceberg-now", "iceberg")),
    "agreements": (("[id^=confirm-]", "reaction"), ("#add-agreement-now", "agreement")),
    "commitments": (("#add-commitment-now", "commitment"),),
    "question": (("[id^=tap-also-]", "reaction"), ("#add-statement-now", "statement")),
    "energy": (("#add-objection-now", "objection"),),
    "selection": (("#add-selection-now", "selection"),),
}
# asked at once: what is polled may be drawn anew between two questions
STOP = """(selector) => {
  const shown = (each) => {
    const style = getComputedStyle(each);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  };
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const is_seen = shown(one) || (one.nextElementSibling instanceof Element && shown(one.nextElementSibling));
  return { here: one.outerHTML.slice(0, 120), is_seen, is_wanted: one.matches(selector) };
}"""


class Meeting:
    """A room with every kind of step, the page on which it is run, and a phone."""

    def __init__(self, node: Node, browser: Browser) -> None:
        self.room = PeopleRoom(node, *EVERY_TYPE, place="Soná", round=1)
        for text in ("El agua llega todos los días.", "La basura se recoge a tiempo."):
            self.room.open("frases")
            self.room.statement("frases", text)
            self.room.say("iceberg", {"text": text, "level": "event"}, step="hielo")
        self.room.step("frases", "hidden")
        self.url = f"http://nodo.lan:{node.port}"
        self.contexts = [
            browser.new_context(viewport={"width": width, "height": 800}, locale="es-PA") for width in (1280, 360)
        ]
        self.host, self.phone = (context.new_page() for context in self.contexts)
        for page in (self.host, self.phone):
            page.set_default_timeout(PATIENCE_MS)

    def come_in(self) -> None:
        """Sign in and join, by keys too."""
        self.host.goto(f"{self.url}/sala/{self.room.id}")
        reach(self.host, "[name=pin]")
        self.host.keyboard.type(PIN)
        self.host.keyboard.press("Enter")
        self.host.wait_for_url(f"**/sala/{self.room.id}")
        self.phone.goto(f"{self.url}/s/{self.room.code}")
        reach(self.phone, "#participate")
        self.phone.keyboard.press("Space")
        reach(self.phone, "main .btn.next")
        self.phone.keyboard.press("Enter")
        self.phone.wait_for_url("**/ahora")

    def see_run(self) -> None:
        """Stand on the page of the room, ready for keys."""
        self.host.goto(f"{self.url}/sala/{self.room.id}")
        self.host.wait_for_function("() => window.htmx")

    def press(self, selector: str) -> None:
        """Reach a button of the page of the room and press it."""
        reach(self.host, selector)
        self.host.keyboard.press("Enter")

    @property
    def now(self) -> Room:
        return self.room.now

    def told(self, what: str) -> int:
        return len(self.room.told(what))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    found = node_with_pin(tmp_path_factory.mktemp("teclado"))
    yield found
    found.stop()


@pytest.fixture
def meeting(browser: Browser, node: Node) -> Iterator[Meeting]:
    """A room of its own for each test: a step that one leaves open would stand before the next one's."""
    found = Meeting(node, browser)
    found.come_in()
    yield found
    for context in found.contexts:
        context.close()


def reach(page: Page, selector: str) -> None:
    """Go to an element with Tab alone. Every stop on the way shows where the focus is."""
    seen: list[str] = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP, selector)
        if stop is None:
            continue
        assert stop["is_seen"], f"no sign of the focus on {stop['here']}"
        if stop["is_wanted"]:
            return
        seen.append(stop["here"])
    raise AssertionError(f"{selector} is not reached with Tab; reached: {seen[-12:]}")


def unfold(page: Page, form: str) -> None:
    """Open the part that holds a form, where it is folded: reach its line and press Enter."""
    closed = f"details:not([open]):has({form}) > summary"
    if page.locator(closed).count():
        reach(page, closed)
        page.keyboard.press("Enter")
        expect(page.locator(form)).to_be_visible()


def fill(page: Page, form: str) -> None:
    """Fill a form field by field with keys, each as a person would."""
    fields = f"{form} :is(input:not([type=hidden]), select, textarea)"
    done: set[str] = set()
    count = page.locator(fields).evaluate_all("(all) => new Set(all.map((each) => each.name)).size")
    while len(done) < count:
        reach(page, fields)
        kind, name = page.evaluate("[document.activeElement.type, document.activeElement.name]")
        if name not in done:
            KEYS.get(kind, _write)(page, name)
        done.add(name)


def _write(page: Page, name: str) -> None:
    # other words each time: what a phone has said already is not stored again
    page.keyboard.type(CARD if name == "code" else f"Por teclado {name} {next(NUMBERS)}")


def _choose(page: Page, name: str) -> None:
    # the other idea of two, the second of an order: further down the list
    for _ in range({"to": 2, "place.2": 2, "place.3": 3}.get(name, 1)):
        page.keyboard.press("ArrowDown")


KEYS: dict[str, Callable[[Page, str], None]] = {
    "select-one": _choose,
    "radio": lambda page, _name: page.keyboard.press("Space"),
    "date": lambda page, _name: page.keyboard.type("12012026"),
}


def give_points(page: Page, form: str, points: int) -> None:
    """Press + as often as there are points, all for the first option."""
    reach(page, f"{form} #more-1")
    for _ in range(points):
        page.keyboard.press("Space")


def give(meeting: Meeting, step: Step, what: str) -> None:
    """Give a kind from the phone by keys, and wait until the node has it."""
    page, form = meeting.phone, f"#give-{step.name}-{what}"
    before = meeting.told(what)
    unfold(page, form)
    if what in ("allocation", "triad"):
        give_points(page, form, 10)
    elif what != "vote":
        fill(page, form)
    reach(page, f"{form} button[value=agree]" if what == "vote" else f"{form} .btn:is(:not([name]), [name=_go])")
    page.keyboard.press("Enter")
    until(page, lambda: meeting.told(what) > before)


@pytest.mark.parametrize("step", EVERY_TYPE, ids=lambda step: step.type)
def test_a_step_is_opened_filled_sent_and_shown_by_keys_alone(meeting: Meeting, step: Step) -> None:
    number = [each.name for each in EVERY_TYPE].index(step.name) + 1
    found: list[str] = []
    meeting.room.step(step.name, "hidden")
    meeting.see_run()
    meeting.press(f"#open-{number}")
    until(meeting.host, lambda: meeting.now.run(step.name).state == "open")
    meeting.phone.goto(f"{meeting.url}/s/{meeting.room.code}/ahora?paso={step.name}")
    meeting.phone.wait_for_function("() => window.htmx")
    expect(meeting.phone.locator("#now h1")).to_have_text(step.name)
    for what in GIVEN[step.type]:
        give(meeting, step, what)
    found += violations(meeting.phone, f"phone, {step.type} open")
    if GIVEN[step.type]:
        meeting.press(f"#reveal-{number}")
        until(meeting.host, lambda: meeting.now.run(step.name).state == "revealed")
        meeting.phone.goto(f"{meeting.url}/s/{meeting.room.code}/ahora")
        expect(meeting.phone.locator("#now h1")).to_have_text(step.name)
        found += violations(meeting.phone, f"phone, {step.type} revealed")
    else:
        meeting.press(f"#lock-{number}")
        until(meeting.host, lambda: meeting.now.run(step.name).state == "locked")
    meeting.press(f"#board-{number}")
    meeting.host.wait_for_url(f"**/tablero/{step.name}")
    for _ in range(meeting.host.locator("main summary").count()):
        reach(meeting.host, "main summary")
        meeting.host.keyboard.press("Enter")
    found += violations(meeting.host, f"wall, {step.type}")
    reach(meeting.host, ".wall-foot a:last-child")
    meeting.see_run()
    meeting.press(f"#hide-{number}")
    until(meeting.host, lambda: meeting.now.run(step.name).state == "hidden")
    assert not found


@pytest.mark.parametrize("kind", DESK)
def test_the_desk_of_a_step_is_worked_by_keys_alone(meeting: Meeting, kind: str) -> None:
    step = next(each for each in EVERY_TYPE if each.type == kind)
    prepare(meeting, step)
    page = meeting.host
    page.goto(f"{meeting.url}/sala/{meeting.room.id}/mesa/{step.name}")
    page.wait_for_function("() => window.htmx")
    found = violations(page, f"desk, {kind}")
    for button, what in DESK[kind]:
        one = f"[id='{page.locator(button).first.get_attribute('id')}']"
        before = meeting.told(what)
        unfold(page, one)
        if what != "reaction" or "confirm" in button:
            fill(page, f"form:has({one})")
        reach(page, one)
        page.keyboard.press("Enter")
        grows(meeting, what, before)
    if kind in ("affinity", "iceberg"):
        reach(page, "#undo-last")
        before = meeting.told("undo")
        page.keyboard.press("Enter")
        grows(meeting, "undo", before)
    assert not found + violations(page, f"desk, {kind}, after")


def grows(meeting: Meeting, what: str, before: int) -> None:
    """Wait until the node has one more of a kind."""
    until(meeting.host, lambda: meeting.told(what) > before)


def prepare(meeting: Meeting, step: Step) -> None:
    """Open the step and put something there to be moved, tapped or confirmed."""
    room = meeting.room
    room.step(step.name)
    if step.type in ("affinity", "question"):
        room.statement(step.name, "Una idea dicha en voz alta")
    if step.type == "affinity":
        room.say("placement", {"group": "Servicios"}, step=step.name, ref=room.statement(step.name, "Con grupo"))
    if step.type == "agreements":
        room.say("agreement", {"what": "Arreglar la bomba", "who": "Junta comunal"}, step=step.name)


def test_every_kind_of_step_of_the_demonstration_and_of_guides_is_run_here() -> None:
    assert {step.type for step in demo_guide().steps} - {"minutes"} <= set(GIVEN)
    assert set(STEP_TYPES) - {"minutes"} == set(GIVEN) == {step.type for step in EVERY_TYPE}
