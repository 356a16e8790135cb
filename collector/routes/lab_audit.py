"""The audit as people read it: who did what, to what and what for; filtered, a page at a time, or all of it as CSV."""

import json
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine
from sqlmodel import Session

from collector.clock import iso
from collector.db import reading
from collector.lab.audit_details import detail_lines
from collector.lab.audit_words import ACTION_WORDS, ACTOR_WORDS, ROLE_WORDS, SUBJECT_WORDS, audit_lines
from collector.pages import page, page_language, translator
from collector.queries import audit
from collector.queries import people as people_queries
from collector.queries.audit import ACTIONS
from collector.routes.access import Person, one_line, person_who_may
from collector.routes.audited import CITIZEN, PIN_HOLDER, Purpose, note
from collector.routes.lab_scope import lab_scope
from collector.tables.lab import AuditEntry
from collector.territory import place_labels

router = APIRouter(prefix="/lab/auditoria", include_in_schema=False)
Reader = Annotated[Person, Depends(person_who_may("audit"))]
Words = Annotated[str, Query(max_length=200)]
HERE = "/lab/auditoria"
PAGE = 50
AT_ONCE = 1000


@router.get("")
def show_audit(
    request: Request, person: Reader, quien: Words = "", que: Words = "", sobre: Words = "", antes: Words = ""
) -> Response:
    """Show what was done, the latest first; of one person (quien), one kind (que), one record or form (sobre)."""
    asked = _asked(quien, que, sobre)
    with reading(request.app.state.engine) as session:
        found = audit.list_entries(session, antes, PAGE + 1, **asked)
        people = known_people(session)
    filters = {name: text for name, text in (("quien", quien), ("que", que), ("sobre", sobre)) if text}
    older = urlencode(filters | {"antes": found[PAGE - 1].id}) if len(found) > PAGE else ""
    translate = translator(request.app.state.english, page_language(request))
    scope = lab_scope(request, person.who, HERE)
    scope.update(
        entries=[(entry, list(detail_lines(_detail(entry), translate, place_labels()))) for entry in found[:PAGE]],
        people=people,
        actions=ACTIONS,
        words=ACTION_WORDS,
        role_words=ROLE_WORDS | ACTOR_WORDS,
        actors=ACTOR_WORDS,
        subjects=SUBJECT_WORDS,
        asked={"quien": quien, "que": que, "sobre": sobre},
        older=older,
        newest=urlencode(filters) if antes else None,
    )
    return page(request, "lab/audit.html", scope)


def known_people(session: Session) -> list[str]:
    """Return who may stand in the audit: accounts, tokens, whoever acts by PIN or by receipt code."""
    tokens = sorted({f"token {each.name}" for each in people_queries.list_tokens(session)})
    return [*people_queries.list_users(session), *tokens, PIN_HOLDER.who, CITIZEN.who]


def _asked(who: str, action: str, subject: str) -> dict[str, str]:
    return {"who": one_line(who, 200), "action": action if action in ACTIONS else "", "subject": one_line(subject, 200)}


def _detail(entry: AuditEntry) -> dict[str, object]:
    found = json.loads(entry.detail) if entry.detail else {}
    return found if isinstance(found, dict) else {}


@router.get(".csv")
def export_audit(
    request: Request, person: Reader, purpose: Purpose, quien: Words = "", que: Words = "", sobre: Words = ""
) -> Response:
    """Send what was done as CSV, the latest first. That it was taken is the first line of it."""
    asked = _asked(quien, que, sobre)
    note(
        request, person, "export", "audit", purpose=purpose, asked={name: text for name, text in asked.items() if text}
    )
    lines = audit_lines(_entries(request.app.state.engine, asked))
    headers = {"Content-Disposition": "attachment; filename=auditoria.csv", "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _entries(engine: Engine, asked: dict[str, str]) -> Iterator[tuple[str, ...]]:
    """Give (when, who, role, action, subject, purpose, count, detail), a page at a time."""
    before = ""
    while True:
        with reading(engine) as session:
            found = audit.list_entries(session, before, AT_ONCE, **asked)
        for each in found:
            count = str(each.count)
            yield iso(each.at_ms), each.who, each.role, each.action, each.subject, each.purpose, count, each.detail
        if len(found) < AT_ONCE:
            return
        before = found[-1].id
