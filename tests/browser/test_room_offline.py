"""A phone in a room whose node goes away: what is given is kept in the browser, leaves by itself, and counts once."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from collector.settings import Settings
from tests.browser.conftest import Phone, until
from tests.browser.origins import HOSTS
from tests.conftest import Node, serve
from tests.rooms.making import step_of
from tests.rooms_web.furnished_room import node_with_pin
from tests.rooms_web.people_room import OPTIONS, PeopleRoom

PATIENCE_MS = 60_000
STEPS = (step_of("statements", "frases"), step_of("dots", "puntos", *OPTIONS), step_of("question", "pregunta"))
OUTBOX = """async () => {
  const { src } = document.querySelector('[src*="room-outbox.js"]');
  return (await import(src.replace('room-outbox.js', 'outbox.js'))).all();
}"""
KEPT = "Guardado en este teléfono."


class Team:
    """A node that can go away and come back on the same port, and a room on it."""

    def __init__(self, folder: Path) -> None:
        self.node: Node = node_with_pin(folder)
        self.room = PeopleRoom(self.node, *STEPS)

    def go(self) -> None:
        """Switch the node off."""
        self.node.stop()

    def come_back(self) -> None:
        """Switch it on again, with the store that it had."""
        settings = Settings(data_dir=self.node.data_dir, name="otra vez", sync_seconds=0)
        self.node = self.room.node = serve(settings, self.node.port)

    def url(self, path: str = "", host: str = "nodo.lan") -> str:
        return f"http://{host}:{self.node.port}/s/{self.room.code}{path}"

    def choices(self) -> list[tuple[str, str]]:
        """Return (statement, choice) of the votes that count."""
        texts = {item.id: item.text for item in self.room.now.items}
        found = self.room.now.secret.of("vote", "frases")
        return sorted((texts[vote.ref], str(vote.payload["choice"])) for vote in found)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    one = Team(tmp_path / "nodo")
    yield one
    one.node.stop()


@pytest.fixture
def come(team: Team, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Give a function that lets a phone join the room."""
    contexts: list[BrowserContext] = []

    def join(host: str = "nodo.lan") -> Page:
        contexts.append(browser.new_context(viewport={"width": 360, "height": 740}, locale="es-PA"))
        return joined(contexts[-1].new_page(), team, host)

    yield join
    for context in contexts:
        context.close()


def joined(page: Page, team: Team, host: str = "nodo.lan") -> Page:
    """Join, and wait until the page has what it needs for an outage."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(team.url(host=host))
    page.check("#participate", force=True)
    page.click("main .btn.next")
    page.wait_for_url("**/ahora")
    ready(page)
    return page


def ready(page: Page) -> None:
    page.wait_for_function("() => window.htmx")
    page.wait_for_load_state("networkidle")


def vote(page: Page, choice: str) -> None:
    page.click(f"button[name=choice][value={choice}]")


def write(page: Page, words: str) -> None:
    if not page.is_visible("textarea[name=text]"):
        page.click("summary:has-text('Escribir una frase')")
    page.fill("textarea[name=text]", words)
    page.click(".give[id$=-statement] .btn")


def kept(page: Page, count: int) -> list[dict[str, Any]]:
    """Wait until the outbox holds so many, and return them."""
    found: list[dict[str, Any]] = []

    def is_so() -> bool:
        found[:] = page.evaluate(OUTBOX)
        return len(found) == count

    until(page, is_so)
    return found


def sent_to_room(page: Page) -> list[list[dict[str, Any]]]:
    """Return a list that grows with the records of each request to the room's outbox."""
    requests: list[list[dict[str, Any]]] = []

    def look(request: Request) -> None:
        if request.url.endswith("/envios"):
            requests.append([json.loads(line) for line in (request.post_data or "").splitlines()])

    # gzip would hide from the test what is sent
    page.add_init_script("delete window.CompressionStream")
    page.on("request", look)
    return requests


@pytest.mark.parametrize("host", HOSTS)
def test_a_phone_votes_while_the_node_is_away_and_each_vote_counts_once(
    team: Team, come: Callable[..., Page], host: str
) -> None:
    team.room.step("frases")
    for words in ("Falta agua.", "Falta luz.", "Falta todo."):
        team.room.statement("frases", words)
    page = come(host)
    vote(page, "agree")
    expect(page.locator(".over")).to_have_text("Frase 2 de 3")
    team.go()
    vote(page, "disagree")
    expect(page.locator("#kept")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#statement")).to_have_text("Falta todo.")
    expect(page.locator(".over")).to_have_text("Frase 3 de 3")
    assert page.evaluate("document.activeElement.id") == "statement", "Enter again votes on nothing unread"
    vote(page, "pass")
    expect(page.locator(".card-now")).to_be_hidden()
    assert [entry["state"] for entry in kept(page, 2)] == ["saved", "saved"]
    team.come_back()
    expect(page.locator("#thanks")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#kept")).to_be_hidden()
    expect(page.get_by_text("Votó todas las frases.")).to_be_visible()
    kept(page, 0)
    assert team.choices() == [("Falta agua.", "agree"), ("Falta luz.", "disagree"), ("Falta todo.", "pass")]
    assert len(team.room.told("vote")) == 3 and team.room.now.voters("vote", "frases") == 1


def test_a_battery_that_dies_meanwhile_loses_no_vote(team: Team, phone: Phone) -> None:
    team.room.step("frases")
    team.room.statement("frases", "Falta agua.")
    page = joined(phone.open(), team)
    team.go()
    vote(page, "agree")
    expect(page.locator("#kept")).to_be_visible(timeout=PATIENCE_MS)
    phone.kill()
    team.come_back()
    again = phone.open()
    again.goto(team.url("/ahora"))  # its cookies may be lost: a browser writes them only now and then
    until(again, lambda: bool(team.room.told("vote")))
    assert team.choices() == [("Falta agua.", "agree")]
    again.reload()
    again.wait_for_load_state("networkidle")
    assert len(team.room.told("vote")) == 1


def test_an_answer_that_is_lost_makes_nothing_count_twice(team: Team, come: Callable[..., Page]) -> None:
    team.room.step("frases")
    page = come("localhost")  # a name that the test itself can ask too

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            route.fetch(max_redirects=0)
        route.abort()

    page.route("**/ahora*", lose)
    write(page, "Falta agua.")
    until(page, lambda: len(team.room.told("statement")) == 1)
    expect(page.locator("#kept")).to_be_hidden(timeout=PATIENCE_MS)
    kept(page, 0)
    page.unroute("**/ahora*")
    page.reload()
    ready(page)
    page.route("**/ahora*", lose)
    vote(page, "agree")
    until(page, lambda: len(team.room.told("vote")) == 2)
    kept(page, 0)
    assert [item.text for item in team.room.now.of("statement")] == ["Falta agua."]
    assert team.choices() == [("Falta agua.", "agree")]


@pytest.mark.parametrize("trouble", ["silence", "a portal", "a node that cannot write"])
def test_whatever_stands_in_the_way_the_words_are_kept(team: Team, come: Callable[..., Page], trouble: str) -> None:
    team.room.step("pregunta")
    page = come()

    def answer(route: Route) -> None:
        if route.request.method != "POST" or trouble == "silence":
            return  # nobody answers
        headers = {"Content-Type": "text/html"} | ({"X-Collector": "1"} if trouble != "a portal" else {})
        route.fulfill(status=200 if trouble == "a portal" else 503, headers=headers, body="<p>Bienvenido</p>")

    page.route("**/ahora", answer)
    page.route("**/envios", lambda route: route.abort())
    page.fill("textarea[name=text]", "Falta agua.")
    page.click(".give .btn.next")
    expect(page.locator("#kept")).to_be_visible(timeout=PATIENCE_MS)
    assert page.input_value("textarea[name=text]") == "" and not page.get_by_text("Bienvenido").count()
    (entry,) = kept(page, 1)
    assert json.loads(entry["body"])["payload"] == {"text": "Falta agua."}
    page.unroute("**/ahora")
    page.unroute("**/envios")
    expect(page.locator("#kept")).to_be_hidden(timeout=PATIENCE_MS)
    until(page, lambda: [each["payload"]["text"] for each in team.room.told("statement")] == ["Falta agua."])


def test_where_the_browser_keeps_nothing_the_words_stay_as_they_were_typed(
    team: Team, come: Callable[..., Page]
) -> None:
    team.room.step("pregunta")
    page = come()
    page.add_init_script("IDBFactory.prototype.open = () => { throw new Error('blocked'); };")
    page.reload()
    ready(page)
    page.context.set_offline(True)
    page.fill("textarea[name=text]", "Falta agua.")
    page.click(".give .btn.next")
    expect(page.locator("#silent")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#kept")).to_be_hidden()
    assert page.input_value("textarea[name=text]") == "Falta agua."
    page.context.set_offline(False)
    expect(page.locator("#silent")).to_be_hidden(timeout=PATIENCE_MS)
    page.click(".give .btn.next")
    expect(page.locator("#thanks")).to_be_visible(timeout=PATIENCE_MS)
    assert [each["payload"]["text"] for each in team.room.told("statement")] == ["Falta agua."]


def test_what_cannot_be_taken_is_said_while_the_node_is_away(team: Team, come: Callable[..., Page]) -> None:
    team.room.step("pregunta")
    page = come()
    page.context.set_offline(True)
    page.fill("textarea[name=text]", "   ")
    page.click(".give .btn.next")
    expect(page.locator("#lacks")).to_contain_text("Falta algo, o está mal escrito.", timeout=PATIENCE_MS)
    kept(page, 0)
    page.fill("textarea[name=text]", "Falta agua.")
    page.click(".give .btn.next")
    expect(page.locator("#kept")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#lacks")).to_be_hidden()


def test_what_is_given_meanwhile_waits_its_turn_and_nothing_ties_a_vote_to_a_seat(
    team: Team, come: Callable[..., Page]
) -> None:
    team.room.open("frases")
    team.room.statement("frases", "Falta agua.")
    page = come()
    requests = sent_to_room(page)
    page.reload()
    ready(page)
    page.route("**/envios", lambda route: route.abort())
    team.go()
    vote(page, "agree")
    expect(page.locator("#kept")).to_be_visible(timeout=PATIENCE_MS)
    write(page, "Falta luz.")
    kept(page, 2)
    team.come_back()
    expect(page.locator("#silent")).to_be_hidden(timeout=PATIENCE_MS)
    write(page, "Falta todo.")  # the node is back, yet what was given first is first
    kept(page, 3)
    requests.clear()
    page.unroute("**/envios")
    kept(page, 0)
    seat = [record for records in requests for record in records if "seat" in record]
    ballot = [record for records in requests for record in records if "ballot" in record]
    assert [record["payload"]["text"] for record in seat] == ["Falta luz.", "Falta todo."] and len(ballot) == 1
    assert all(len({"ballot" in record for record in records}) == 1 for records in requests), "never in one request"
    assert requests[-1] == ballot, "the vote leaves last, a while later"
    texts = [each["payload"]["text"] for each in team.room.told("statement")]
    assert texts == ["Falta agua.", "Falta luz.", "Falta todo."] and len(team.room.told("vote")) == 1


@pytest.mark.parametrize("where", ["in the room", "in the list of answers"])
def test_what_comes_too_late_is_kept_apart_and_the_person_is_told(
    team: Team, come: Callable[..., Page], where: str
) -> None:
    team.room.step("frases")
    team.room.statement("frases", "Falta agua.")
    page = come()
    page.context.set_offline(True)
    team.room.step("frases", "locked")
    # the phone has not heard of it, and goes on an hour later
    page.evaluate("() => { const now = Date.now; Date.now = () => now() + 3600e3; }")
    page.route("**/envios", ahead_an_hour)
    write(page, "Tarde.")
    expect(page.locator("#kept")).to_be_visible(timeout=PATIENCE_MS)
    page.context.set_offline(False)
    expect(page.locator("#held")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#held")).to_contain_text("Llegó cuando el paso ya estaba cerrado.")
    expect(page.locator("#held [data-why=room_refused]")).to_be_hidden()
    assert not any(each["payload"]["text"] == "Tarde." for each in team.room.told("statement"))
    (entry,) = kept(page, 1)
    assert (entry["state"], entry["body"]) == ("held", "")
    if where == "in the room":
        page.click("#held button")
    else:
        answers = page.context.new_page()
        answers.goto(f"http://nodo.lan:{team.node.port}/mis-respuestas")
        expect(answers.locator("[data-why=held]")).to_be_visible(timeout=PATIENCE_MS)
        answers.click("[data-outbox] summary")
        answers.click("[data-remove]")
    expect(page.locator("#held")).to_be_hidden(timeout=PATIENCE_MS)
    kept(page, 0)


def ahead_an_hour(route: Route) -> None:
    """Pass a request on as if its sender's clock were right."""
    headers = {name: value for name, value in route.request.headers.items() if name != "collector-sent-at"}
    route.continue_(headers=headers)


def test_points_that_were_kept_can_be_changed_and_the_last_ones_count(team: Team, come: Callable[..., Page]) -> None:
    team.room.step("puntos")
    page = come()
    team.go()
    for option, times in (("#more-1", 3), ("#more-2", 2)):
        for _ in range(times):
            page.click(option)
        page.click(".give-now .next")
        expect(page.locator("#kept")).to_be_visible(timeout=PATIENCE_MS)
    kept(page, 2)
    team.come_back()
    kept(page, 0)
    expect(page.locator("#thanks")).to_be_visible(timeout=PATIENCE_MS)
    (given,) = team.room.now.secret.of("allocation", "puntos")
    assert given.payload == {"points": {"agua": 3, "basura": 2}}
    expect(page.locator("output")).to_have_text(["3", "2", "0"], timeout=PATIENCE_MS)


def test_the_list_of_answers_names_the_room_and_no_code(team: Team, come: Callable[..., Page]) -> None:
    team.room.step("frases")
    team.room.statement("frases", "Falta agua.")
    page = come()
    page.route("**/envios", lambda route: route.abort())
    page.route("**/ahora", lambda route: route.abort())
    vote(page, "agree")
    kept(page, 1)
    other = page.context.new_page()
    other.route("**/envios", lambda route: route.abort())
    other.goto(f"http://nodo.lan:{team.node.port}/mis-respuestas")
    line = other.locator("[data-outbox] li")
    expect(line.locator("[data-title]")).to_have_text("Jóvenes de Soná")
    expect(line.locator("[data-code]")).to_be_hidden()
    expect(line.locator("[data-word=saved]")).to_be_visible()
    line.locator("summary").click()
    expect(line.locator("[data-save]")).to_be_hidden()
    expect(line.locator("[data-where]")).to_be_hidden()
