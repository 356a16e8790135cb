"""The lab repairs: what waits and why, one entry with its contents side by side, and the decisions of people."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from collector.db import reading
from collector.lab.repair_words import KINDS, WHYS
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import fleet, quarantine, store
from collector.queries import forms as form_queries
from collector.queries.quarantine import REASONS, Content, Entry
from collector.repair import deciding as repairing
from collector.repair.deciding import Verdict
from collector.routes.access import Person, one_line, person_who_may, posted_pairs
from collector.routes.audited import note
from collector.routes.lab_scope import lab_scope

router = APIRouter(prefix="/lab/cuarentena", include_in_schema=False)
User = Annotated[Person, Depends(person_who_may("repair"))]
Before = Annotated[int | None, Query(ge=0, le=2**53)]
PAGE = 50
POST_BYTES, MOST_FIELDS = 64 * 1024, 300
MOST_REASON = 200
MOST_SHOWN = 20_000  # letters of a content that no form can read


# --- what waits


@dataclass(frozen=True)
class Line:
    """A line of the list: the content, the form it names (title or name), and its way here in words."""

    content: Content
    form: str
    way: list[str]


@router.get("")
def show_open(request: Request, user: User, why: str = "", before: Before = None, done: int = 0) -> Response:
    """List what waits for a person, newest first; HTMX asks for the list alone."""
    return _open_page(request, user.who, why if why in REASONS else "", before, done)


def _open_page(
    request: Request,
    user: str,
    why: str,
    before: int | None = None,
    done: int = 0,
    trouble: ProblemError | None = None,
) -> Response:
    with reading(request.app.state.engine) as session:
        counts = quarantine.open_counts(session)
        found = quarantine.list_open(session, why, before, PAGE + 1)
        lines = _lines(session, found[:PAGE])
        forms = form_queries.list_manifest(session)
        resolved = quarantine.count_decisions(session)
    scope = lab_scope(request, user, "/lab/cuarentena")
    scope.update(
        lines=lines,
        counts=counts,
        why=why,
        whys=WHYS,
        reasons=REASONS,
        total=sum(counts.values()),
        resolved=resolved,
        older=found[PAGE - 1].n if len(found) > PAGE else None,
        before=before,
        forms=_options(forms),
        done=done,
        most=repairing.MOST_AT_ONCE,
        trouble=trouble.sentence(page_language(request)) if trouble else "",
    )
    return page(request, "lab/quarantine.html", scope, "waiting", trouble.problem.status if trouble else 200)


def _lines(session: Session, contents: Sequence[Content]) -> list[Line]:
    titles = {(form_id, version): title for form_id, version, _, title in form_queries.list_manifest(session)}
    names = node_names(session)
    return [_line(content, titles, names) for content in contents]


def _line(content: Content, titles: dict[tuple[str, str], str], names: dict[str, str]) -> Line:
    form, version = repairing.form_named(content)
    return Line(content, titles.get((form, version)) or f"{form} {version}".strip(), way_of(content.via, names))


def node_names(session: Session) -> dict[str, str]:
    """Return node id -> name of every node below this one that is known, and "" for this one."""
    return {row.id: row.name for row in fleet.list_fleet(session)} | {store.fact(session, "node_id"): ""}


def way_of(via: str, names: dict[str, str]) -> list[str]:
    """Return the nodes that a record came through, by name where it is known."""
    hops = json.loads(via or "[]")
    return [names.get(hop["node"]) or hop["node"][:8] for hop in hops]


def _options(manifest: Sequence[tuple[str, str, str, str]]) -> list[tuple[str, str]]:
    """Return (value, words) of every published version, for a list to choose from."""
    return [(form_key(form, version), f"{title} · {version}") for form, version, _, title in manifest]


def form_key(form_id: str, version: str) -> str:
    """Return how a form's version stands in an address or a field."""
    return f"{quote(form_id, safe='')}/{quote(version, safe='')}"


def _form_of(key: str) -> tuple[str, str]:
    form, _, version = key.partition("/")
    return unquote(form), unquote(version)


# --- what was decided


@router.get("/resueltos")
def show_resolved(request: Request, user: User, before: Before = None) -> Response:
    """List the decisions, newest first: who, what and why."""
    with reading(request.app.state.engine) as session:
        found = quarantine.list_decisions(session, before, PAGE + 1)
        total = sum(quarantine.open_counts(session).values())
        resolved = quarantine.count_decisions(session)
    scope = lab_scope(request, user.who, "/lab/cuarentena")
    older = found[PAGE - 1].n if len(found) > PAGE else None
    scope.update(decisions=found[:PAGE], older=older, before=before, total=total, resolved=resolved)
    return page(request, "lab/quarantine_resolved.html", scope, "resolved")


# --- one entry


@router.get("/{record_id}")
def show_entry(request: Request, user: User, record_id: str, form: str = "", pick: str = "") -> Response:
    """Show every content under one id; `form` previews how the one picked would stand under that form."""
    note(request, user, "read_record", record_id, count=1, where="quarantine")
    return _entry_page(request, user.who, record_id, form, pick)


def _entry_page(
    request: Request, user: str, record_id: str, form: str = "", pick: str = "", trouble: ProblemError | None = None
) -> Response:
    state, lang = request.app.state, page_language(request)
    with reading(state.engine) as session:
        entry = quarantine.entry_of(session, record_id)
        if entry is None:
            raise ProblemError(PROBLEMS["record_not_found"], id=record_id)
        lines = _lines(session, entry.contents)
        manifest = form_queries.list_manifest(session)
    readable = [content for content in entry.contents if content.body is not None]
    picked = next((content for content in readable if f"{content.id} {content.sha256.hex()}" == pick), None)
    picked = picked or next(iter(readable), None)
    scope = lab_scope(request, user, "/lab/cuarentena")
    scope.update(
        entry=entry,
        lines=lines,
        why=_why(entry),
        whys=WHYS,
        compared=repairing.compare(state.forms, readable, lang) if readable else [],
        kinds=KINDS,
        readable=readable,
        picked=picked,
        contents={content.sha256.hex(): repairing.said_of(content) for content in entry.contents},
        shown_body=repairing.shown_body,
        forms=_options(manifest),
        form=form,
        previewed=repairing.preview(state.forms, picked, *_form_of(form), lang) if form and picked else None,
        most_shown=MOST_SHOWN,
        trouble=trouble.sentence(lang) if trouble else "",
    )
    return page(request, "lab/quarantine_entry.html", scope, "attach", trouble.problem.status if trouble else 200)


def _why(entry: Entry) -> str:
    """Return what is wrong with an entry: the reason of what is open in quarantine, else of the record's notice."""
    open_ones = [content.why for content in entry.contents if not content.is_record and not content.resolved_by]
    return next((why for why in REASONS if why in open_ones), "") or entry.contents[0].why


# --- deciding


@dataclass(frozen=True)
class Decided:
    """What a person posted. picks: (id, sha256) of contents; all_of: every open one of this reason instead."""

    picks: list[tuple[str, str]]
    action: str
    form: str
    reason: str
    all_of: str


async def read_decided(request: Request) -> Decided:
    """Read the post of a decision. Raises ProblemError too_large, bad_request."""
    pairs = await posted_pairs(request, POST_BYTES, MOST_FIELDS)
    fields = dict(pairs)
    if fields.get("action") not in ("use", "set_aside"):
        raise ProblemError(PROBLEMS["bad_request"], reason="no dice qué hacer")
    picks = [(left, right) for key, text in pairs if key == "pick" for left, _, right in [text.partition(" ")]]
    reason = one_line(fields.get("reason", ""), MOST_REASON)
    return Decided(picks, fields["action"], fields.get("form", ""), reason, fields.get("all", ""))


Posted = Annotated[Decided, Depends(read_decided)]


@router.post("")
def decide_many(request: Request, user: User, posted: Posted, why: str = "") -> Response:
    """Use or set aside several at once. A form is given only to those whose own is not here."""
    why = why if why in REASONS else ""
    engine = request.app.state.engine
    is_all = posted.all_of in REASONS
    contents = repairing.all_open(engine, posted.all_of) if is_all else repairing.chosen(engine, posted.picks)
    try:
        done = _decide_by_form(request, contents, posted, user)
    except ProblemError as error:
        return _open_page(request, user.who, why, trouble=error)
    return RedirectResponse(f"/lab/cuarentena?why={why}&done={done}", 303)


def _decide_by_form(request: Request, contents: Sequence[Content], posted: Decided, user: Person) -> int:
    forms = request.app.state.forms
    homeless = [content for content in contents if posted.form and forms.get(*repairing.form_named(content)) is None]
    others = [content for content in contents if content not in homeless]
    groups = [(homeless, posted.form), (others, "")]
    return sum(_decide(request, some, posted, form, user) for some, form in groups if some or not contents)


def _decide(request: Request, contents: Sequence[Content], posted: Decided, form: str, user: Person) -> int:
    state = request.app.state
    form_id, version = _form_of(form)
    if form and state.forms.get(form_id, version) is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=f"{form_id} {version}")
    verdict = Verdict(posted.action, user.who, posted.reason, form_id, version)
    done = repairing.decide(state.engine, state.forms, contents, verdict)
    about = {"action": posted.action} | ({"form": form_id, "version": version} if form else {})
    subject = contents[0].id if len({each.id for each in contents}) == 1 else "quarantine"
    note(request, user, "repair", subject, purpose=posted.reason, count=done, decision=about)
    state.kick()
    return done


@router.post("/{record_id}")
async def decide_one(request: Request, user: User, record_id: str, posted: Posted) -> Response:
    """Decide on one entry, and show how it stands now."""
    return await run_in_threadpool(_decide_one, request, user, record_id, posted)


def _decide_one(request: Request, user: Person, record_id: str, posted: Decided) -> Response:
    picks = [pick for pick in posted.picks if pick[0] == record_id]
    try:
        _decide(request, repairing.chosen(request.app.state.engine, picks), posted, posted.form, user)
    except ProblemError as error:
        return _entry_page(request, user.who, record_id, posted.form, trouble=error)
    return RedirectResponse(f"/lab/cuarentena/{quote(record_id, safe='')}", 303)
