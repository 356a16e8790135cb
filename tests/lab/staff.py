"""People of every role for tests: put straight into the store, and signed in without a log-in."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from collector import people
from collector.db import reading, writing
from collector.queries.audit import list_entries
from collector.queries.people import get_user, put_user
from collector.tables.lab import AuditEntry
from tests.conftest import Node
from tests.lab.conftest import MOMENT_MS, PASSWORD, hashed

PLACE = "0810"


def address_of(role: str) -> str:
    """Return the e-mail of the one who has the role."""
    return f"{role}@ejemplo.pa"


def hire(node: Node, *roles: str) -> None:
    """Give each role an account, all with the same password; the municipality's sees San Miguelito."""
    with writing(node.app.state.engine) as session:
        for role in roles:
            put_user(session, address_of(role), hashed(PASSWORD), MOMENT_MS, role)
        session.flush()
        user = get_user(session, address_of("municipality"))
        if user is not None:
            user.municipality = PLACE


def session_of(node: Node, subject: str) -> str:
    """Return the cookie of a browser that is signed in as somebody."""
    with writing(node.app.state.engine) as session:
        return people.start_session(session, subject)


@contextmanager
def browser_of(node: Node, role: str) -> Iterator[httpx.Client]:
    """Give the browser of the one who has the role."""
    with httpx.Client(base_url=node.url, headers={"Accept": "text/html"}, timeout=30) as client:
        client.cookies.set("collector_session", session_of(node, address_of(role)))
        yield client


def audited(node: Node, **asked: str) -> list[AuditEntry]:
    """Return what stands in the audit, the latest first."""
    with reading(node.app.state.engine) as session:
        return list(list_entries(session, "", 1000, **asked))
