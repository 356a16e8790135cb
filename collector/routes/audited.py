"""How a route notes in the audit what somebody did, and asks what for: before anything of it leaves."""

from typing import Annotated, Any

from fastapi import Depends, Request
from sqlmodel import Session

from collector.clock import now_ms
from collector.db import writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries.audit import Done, add_entry
from collector.routes.access import Person, one_line
from sync.records import uuid7

LEAST_PURPOSE = 4  # letters: "x" says nothing
MOST_PURPOSE = 200


def note(
    request: Request, person: Person, action: str, subject: str, *, purpose: str = "", count: int = 0, **detail: Any
) -> None:
    """Note what a person did, in a transaction of its own. Raises what a store that cannot write raises: no trace,
    no access.
    """
    with writing(request.app.state.engine) as session:
        note_in(session, person, action, subject, purpose=purpose, count=count, **detail)


def note_in(
    session: Session, person: Person, action: str, subject: str, *, purpose: str = "", count: int = 0, **detail: Any
) -> None:
    """Note it in the transaction of the change itself: both hold, or neither."""
    done = Done(person.who, person.role, action, subject, purpose or person.purpose, count)
    add_entry(session, done, uuid7(), now_ms(), **detail)


def purpose_of(request: Request) -> str:
    """Return what the data is for, as the query (`purpose`) or a program's header (`X-Purpose`) says it.

    Raises ProblemError purpose_missing. A token carries the purpose that its maker gave: `said_purpose`.
    """
    return tidy_purpose(request.query_params.get("purpose", "") or _header(request, "x-purpose"))


def _header(request: Request, name: str) -> str:
    """Return a header's text: programs send UTF-8, which HTTP reads as Latin-1."""
    text = request.headers.get(name, "")
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def tidy_purpose(text: str) -> str:
    """Return what somebody typed as a purpose, in one line. Raises ProblemError purpose_missing."""
    said = one_line(text, MOST_PURPOSE)
    if len(said) < LEAST_PURPOSE:
        raise ProblemError(PROBLEMS["purpose_missing"])
    return said


def tidy_reason(text: str) -> str:
    """Return what somebody typed as the reason of a change, in one line. Raises ProblemError reason_missing."""
    said = one_line(text, MOST_PURPOSE)
    if len(said) < LEAST_PURPOSE:
        raise ProblemError(PROBLEMS["reason_missing"])
    return said


def said_purpose(request: Request, person: Person) -> str:
    """Return the purpose of a token, or else what the request says. Raises ProblemError purpose_missing."""
    return person.purpose or purpose_of(request)


# who acts with a receipt code, and who with the PIN of a node: nobody knows who they are, and nobody asks
CITIZEN = Person("person", "person")
PIN_HOLDER = Person("pin", "facilitator")


Purpose = Annotated[str, Depends(purpose_of)]
