"""The lab takes a form away as a file: what for, in what format, how far it is, the file itself; and the codebook."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from threading import Lock
from time import time
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from collector.clock import iso, now_ms
from collector.db import reading, writing
from collector.exports.codebook import TYPE_WORDS, Entry, codebook
from collector.exports.formats import FORMATS
from collector.exports.jobs import ExportJobs, Job, Made
from collector.exports.profile import Shared
from collector.exports.records import Source, source_of
from collector.exports.sheets import Options, sheets_of
from collector.exports.writing import Take, Tick, codebook_csv
from collector.lab.identifiers import direct_keys
from collector.lab.results import keys_to_count, territory_columns
from collector.lab.small_groups import small_groups_of
from collector.lab.tables import Table
from collector.pages import page
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries.audit import Done, add_entry
from collector.queries.exports import RECIPIENT
from collector.routes.access import Person, one_line, person_who_may, posted_fields
from collector.routes.audited import LEAST_PURPOSE, MOST_PURPOSE
from collector.routes.lab_export import placed_questions
from collector.routes.lab_opened import Opened, OpenForm, municipalities
from collector.routes.lab_scope import lab_scope
from sync.records import uuid7

router = APIRouter(prefix="/lab", include_in_schema=False)
Taker = Annotated[Person, Depends(person_who_may("export"))]
Posted = Annotated[dict[str, str], Depends(posted_fields)]
LEAST_RECIPIENT = 3
_JOBS_LOCK = Lock()
REVIEWS = ("", "received", "approved", "has_issues", "rejected")
NAMES = {
    "csv": "CSV y diccionario, en un ZIP",
    "files": "CSV y diccionario con fotos, sonidos y archivos, en un ZIP",
    "xlsx": "Excel (.xlsx)", "sqlite": "SQLite (.db)",
    "jsonl": "JSON Lines: los registros tal como son", "geojson": "GeoJSON: un punto por respuesta",
    "parquet": "Parquet", "sav": "SPSS (.sav)", "dta": "Stata (.dta)",
}  # fmt: skip
# what is asked for: two requests with the same of all these are one
ASKED = ("purpose", "recipient", "format", "review", "labels", "language", "split", "profile", "bom")
NO_RECIPIENT = "Diga a quién se lo dará: un archivo para compartir se anota con quien lo recibe."
NOT_LINES = "JSON Lines es el registro tal como nació y no se comparte. Elija otro formato."
NOT_FILES = "Las fotos y los sonidos muestran a personas y no se comparten. Elija otro formato."
NOT_WHOLE = "Hacia afuera su cuenta solo puede dar el archivo «Para compartir». Elíjalo o quite a quién se lo dará."


@router.get("/forms/{form_id}/llevar")
def show_choice(request: Request, person: Taker, opened: Opened) -> HTMLResponse:
    """Ask what for, and in what format."""
    return _choice_page(request, person, opened, {}, "", 200)


@router.post("/forms/{form_id}/llevar")
def begin(request: Request, person: Taker, opened: Opened, posted: Posted) -> Response:
    """Begin to make a file. What is not said as it must be shows the page again, and nothing is read."""
    posted = {**posted, **{name: one_line(posted.get(name, ""), MOST_PURPOSE) for name in ("purpose", RECIPIENT)}}
    purpose, trouble = posted["purpose"], _trouble(person, posted)
    if trouble:
        return _choice_page(request, person, opened, posted, trouble, 422)
    chosen = posted.get("format", "csv")
    if chosen not in FORMATS or posted.get("review", "") not in REVIEWS:
        raise ProblemError(PROBLEMS["bad_request"], reason=f"format: {chosen}")
    job = _start(request, person, opened, posted, purpose)
    return RedirectResponse(f"/lab/llevar/{job.id}", 303)


def _trouble(person: Person, posted: dict[str, str]) -> str:
    """Return what is missing or not allowed, in Spanish; "" where nothing is.

    Whole answers leave the lab by the hand of those alone who may see whose they are (P21), and whoever gets a file to
    share is named (P28).
    """
    is_shared, recipient = posted.get("profile") == "1", posted[RECIPIENT]
    if len(posted["purpose"]) < LEAST_PURPOSE:
        return ProblemError(PROBLEMS["purpose_missing"]).sentence("es")
    if is_shared and len(recipient) < LEAST_RECIPIENT:
        return NO_RECIPIENT
    if is_shared and posted.get("format") == "jsonl":  # the very bytes, and nothing left out: both cannot be
        return NOT_LINES
    if is_shared and posted.get("format") == "files":
        return NOT_FILES
    if recipient and not is_shared and not person.may("identifiers"):
        return NOT_WHOLE
    return ""


def _choice_page(
    request: Request, person: Person, opened: OpenForm, posted: dict[str, str], trouble: str, status: int
) -> HTMLResponse:
    scope = lab_scope(request, person.who, "")
    scope.update(opened=opened, formats=NAMES, posted=posted, trouble=trouble, hidden=_hidden(person, opened))
    scope["k"] = small_groups_of(opened.forms).shared
    scope["may_see_transfers"] = person.may("audit")
    return page(request, "lab/take.html", scope, status=status)


def _hidden(person: Person, opened: OpenForm) -> frozenset[str]:
    return frozenset() if person.may("identifiers") else direct_keys(opened.forms)


# --- making it


def _start(request: Request, person: Person, opened: OpenForm, posted: dict[str, str], purpose: str) -> Job:
    state, hidden = request.app.state, _hidden(person, opened)
    asked = hashlib.sha256(json.dumps([opened.form_id, *(posted.get(name, "") for name in ASKED)]).encode()).hexdigest()
    running = _jobs(request).same(person.who, asked)
    if running is not None:
        return running
    review = posted.get("review", "")
    wanted = None if not review else "" if review == "received" else review
    veiled = None if person.may("identifiers") else opened.forms
    source = source_of(state.engine, state.node_id, opened.form_id, wanted, hidden, veiled)
    chosen = FORMATS[posted.get("format", "csv")]
    table, shared = opened.table, None
    if posted.get("profile") == "1":
        places = territory_columns(opened.table.columns, municipalities())
        shared = Shared(opened.table, places, direct_keys(opened.forms), small_groups_of(opened.forms).shared)
        source, table = replace(source, hidden=source.hidden | shared.hidden), shared.table
    take = _take(request, opened, table, posted, source, purpose)
    job = Job(
        id=uuid7(), who=person.who, form_id=opened.form_id, format=posted.get("format", "csv"),
        name=f"{opened.form_id}{chosen.suffix_of(take)}", media_type=chosen.media_type_of(take), begun=time(),
        total=source.count(), asked=asked,
    )  # fmt: skip
    about = {key: posted.get(key, "") for key in ("review", "labels", "language", RECIPIENT)} | {"format": job.format}

    def write(path: Path, tick: Tick) -> Made:
        if shared is None:
            return Made(chosen.write(path, take, tick), {"cuts": len(take.cuts)})
        profile = shared.profile(source.records())
        report = profile.report.as_json()
        kept = replace(
            take, records=lambda: shared.records(profile, source.records()), facts={**take.facts, "profile": report}
        )
        return Made(chosen.write(path, kept, tick), {"cuts": len(take.cuts), "profile": report})

    def ended(made: Job) -> None:
        done = Done(person.who, person.role, "export", opened.form_id, purpose, made.total)
        notes = made.notes or {}
        detail: dict[str, Any] = {key: value for key, value in about.items() if value} | {
            "sha256": made.sha256, "bytes": made.size_bytes, "upto": source.before - 1, "hidden": sorted(source.hidden),
            **{key: notes[key] for key in ("cuts", "profile") if notes.get(key)},
        }  # fmt: skip
        if about[RECIPIENT]:
            detail["fields"] = {sheet.name: [field.name for field in sheet.fields] for sheet in take.sheets}
        with writing(state.engine) as session:
            add_entry(session, done, uuid7(), now_ms(), **detail)

    _jobs(request).start(job, write, ended)
    return job


def _take(
    request: Request, opened: OpenForm, table: Table, posted: dict[str, str], source: Source, purpose: str
) -> Take:
    language = opened.language
    wanted = posted.get("language", "")
    if opened.forms and wanted in opened.forms[-1].languages:
        language = wanted
    is_shared = posted.get("profile") == "1"
    places = frozenset() if is_shared else frozenset(placed_questions(request, opened) - source.hidden)
    options = Options(
        language, posted.get("labels") == "1", posted.get("split", "1") == "1", source.hidden, places, not is_shared
    )
    facts = {
        "created": iso(now_ms()),
        "purpose": purpose,
        "versions": [form.version for form in opened.forms],
        "upto": source.before - 1,
    }
    return Take(
        opened.form_id,
        opened.title,
        sheets_of(opened.form_id, table, options),
        source.records,
        source.lines,
        _book(request, opened, source.hidden, language, is_counted=not is_shared),
        facts,
        bom=posted.get("bom", "1") == "1",
        files=source.files,
    )


def _jobs(request: Request) -> ExportJobs:
    state = request.app.state
    with _JOBS_LOCK:
        if not hasattr(state, "export_jobs"):
            state.export_jobs = ExportJobs(state.settings.data_dir / "exports")
        jobs: ExportJobs = state.export_jobs
    return jobs


@router.get("/llevar/{job_id}")
def show_job(request: Request, person: Taker, job_id: str) -> HTMLResponse:
    """Show how far a file is, and the way to it once it is made. The page looks again by itself."""
    job = _job(request, person, job_id)
    scope: dict[str, Any] = lab_scope(request, person.who, "")
    scope.update(job=job, notes=job.notes or {}, formats=NAMES, refresh=job.state in ("waiting", "working"))
    return page(request, "lab/taking.html", scope)


@router.get("/llevar/{job_id}/archivo")
def get_file(request: Request, person: Taker, job_id: str) -> Response:
    """Send the file to who asked for it. Raises export_not_found while it is being made, and after an hour."""
    job = _job(request, person, job_id)
    path = _jobs(request).path(job)
    if job.state != "done" or not path.is_file():
        raise ProblemError(PROBLEMS["export_not_found"])
    quoted = quote(job.name, safe="")
    headers = {
        "Content-Disposition": f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{quoted}",
        "X-Total-Records": str(job.total),
    }
    return FileResponse(path, media_type=job.media_type, headers=headers)


def _job(request: Request, person: Person, job_id: str) -> Job:
    """Return the file of this person. Raises export_not_found, for those of others too."""
    job = _jobs(request).get(job_id)
    if job is None or job.who != person.who:
        raise ProblemError(PROBLEMS["export_not_found"])
    return job


# --- the codebook


@router.get("/forms/{form_id}/diccionario")
def show_codebook(request: Request, person: Taker, opened: Opened) -> HTMLResponse:
    """Show every question with its label, type, choices and history."""
    scope = lab_scope(request, person.who, "")
    scope.update(types=TYPE_WORDS, opened=opened, book=_book(request, opened, _hidden(person, opened), opened.language))
    return page(request, "lab/codebook.html", scope)


@router.get("/forms/{form_id}/diccionario.csv")
def get_codebook(request: Request, person: Taker, opened: Opened) -> Response:
    """Send the same as CSV. It holds no answers: nobody is asked what for."""
    quoted = quote(f"{opened.form_id}-diccionario.csv", safe="")
    headers = {"Content-Disposition": f"attachment; filename=\"{quoted}\"; filename*=UTF-8''{quoted}"}
    content = codebook_csv(_book(request, opened, _hidden(person, opened), opened.language))
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _book(
    request: Request, opened: OpenForm, hidden: frozenset[str], language: str, is_counted: bool = True
) -> list[Entry]:
    """Return the codebook. is_counted: with how many answered; not in a file to share, where few may have."""
    if not opened.forms:
        return []
    answers: dict[str, int] = {}
    with reading(request.app.state.engine) as session:
        for table in opened.table.walk() if is_counted else ():
            keys = dict.fromkeys(keys_to_count(table), 0)
            counts = lab_queries.answer_counts(session, opened.form_id, keys, table.steps)
            answers |= {"/".join((*table.steps, key)): values.total() for key, values in counts.items()}
    return codebook(opened.forms, answers, hidden, language)
