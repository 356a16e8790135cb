"""The pages of reviewing as tests use them: what a browser reads there and posts."""

import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import httpx
from sqlmodel import select

from collector.db import reading, writing
from collector.queries import audit
from collector.queries.people import put_user
from collector.queries.records import ingest, record_by_id
from collector.tables.log import Record
from sync.statements import made
from tests.conftest import Node
from tests.lab.conftest import MOMENT_MS, PASSWORD, Lab, hashed

QUEUE = "/lab/revisar/barrio"


WITH_NAME = """
| survey   |      |        |                    |
|          | type | name   | label              |
|          | text | nombre | ¿Cómo se llama?    |
|          | text | idea   | ¿Qué cambiaría?    |
| settings |         |         |                 |
|          | form_id | version | form_title      |
|          | gente   | 1       | Gente           |
"""


def picks(page: str) -> list[str]:
    """Return what the page posts for each record that it lists or carries."""
    return [html.unescape(each) for each in re.findall(r'name="pick" value="([^"]*)"', page)]


def listed(lab: Lab, query: str = "") -> list[str]:
    """Return the ids of the records in a queue, as its page lists them."""
    found = lab.browser.get(QUEUE + query).raise_for_status().text
    return [pick.split()[0] for pick in picks(found)]


def say(lab: Lab, action: str, *ids: str, comment: str = "", query: str = "", **more: str) -> httpx.Response:
    """Post what the buttons of the page post."""
    chosen = [f"{each} {stored(lab.node, each).sha256.hex()[:16]}" for each in ids]
    fields: dict[str, Any] = {"action": action, "comment": comment, "pick": chosen, **more}
    return lab.browser.post(QUEUE + query, data=fields)


def stored(node: Node, record_id: str) -> Record:
    with reading(node.app.state.engine) as session:
        found = record_by_id(session, record_id)
        assert found is not None
        session.expunge(found)
        return found


def put(lab: Lab, content: dict[str, Any]) -> None:
    """Put a record that speaks of another into the log."""
    with writing(lab.node.app.state.engine) as session:
        ingest(session, [made(content)], MOMENT_MS)


def words_on(node: Node, record_id: str) -> list[dict[str, Any]]:
    """Return what was said of a record, oldest first."""
    with reading(node.app.state.engine) as session:
        found = session.exec(select(Record).where(Record.kind == "annotation", Record.about == record_id)).all()
        return [json.loads(it.body or "{}") for it in sorted(found, key=lambda it: (it.device_ms, it.id))]


def acts(node: Node, action: str) -> list[tuple[str, str, int]]:
    """Return (who, subject, count) of the acts of a kind in the audit, oldest first."""
    with reading(node.app.state.engine) as session:
        return [(it.who, it.subject, it.count) for it in reversed(audit.list_entries(session, action=action))]


@contextmanager
def signed_in_as(lab: Lab, role: str) -> Iterator[httpx.Client]:
    """Give a browser of somebody with this role."""
    email = f"{role}@ejemplo.pa"
    with writing(lab.node.app.state.engine) as session:
        put_user(session, email, hashed(PASSWORD), MOMENT_MS, role)
    with httpx.Client(base_url=lab.node.url, headers={"Accept": "text/html"}, timeout=30) as browser:
        assert browser.post("/lab/login", data={"email": email, "password": PASSWORD}).status_code == 303
        yield browser


def of_records(told: list[str]) -> list[str]:
    """Return the statements about records; threads of the node ask for other things meanwhile."""
    return [statement for statement in told if " record" in statement or " audit" in statement]


def walk(browser: httpx.Client, address: str, **changed: str) -> httpx.Response:
    """Go through the pages of the form with these answers changed, up to the page that asks why."""
    page = browser.get(address)
    for _ in range(10):
        if 'name="_why"' in page.text or "No cambió nada" in page.text or page.status_code != 200:
            return page
        page = browser.post(address, data={**drawn(page.text), **changed, "_go": "next"})
    raise AssertionError("the form never ends")


class _Controls(HTMLParser):
    """Collects what a browser would post of a page: fields as they are drawn, ticked and chosen ones."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name, kind = said.get("name", ""), said.get("type", "text")
        if tag == "textarea":
            self.area = name
            self.fields[name] = ""
        elif tag == "input" and name and (kind not in ("radio", "checkbox") or "checked" in said):
            known = f"{self.fields[name]} " if kind == "checkbox" and name in self.fields else ""
            self.fields[name] = known + said.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""


def drawn(page: str) -> dict[str, str]:
    controls = _Controls()
    controls.feed(page)
    return controls.fields


def because(browser: httpx.Client, address: str, page: httpx.Response, why: str, **more: str) -> httpx.Response:
    """Say why on the last page, and send it."""
    fields = {name: value for name, value in drawn(page.text).items() if name != "_why"}
    return browser.post(address, data={**fields, "_why": why, "_go": "send", **more})


def edit_of(node: Node, record_id: str) -> Record:
    with reading(node.app.state.engine) as session:
        [edit] = session.exec(select(Record).where(Record.kind == "edit", Record.about == record_id)).all()
        session.expunge(edit)
        return edit
