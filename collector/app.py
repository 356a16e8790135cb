"""Wiring: one FastAPI application a node, made by `create_app(settings)`; two can live in one process."""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from collector import __version__
from collector.assets import asset_dir, load_assets
from collector.backups.marker import begin_turn
from collector.clock import now_ms
from collector.db import open_engine, prepare_store, reading, writing
from collector.form_store import FormStore
from collector.kept_pages import KeptPages
from collector.pages import load_english, make_environment, page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import store
from collector.queries.voices import watch_voices
from collector.repair.rechecking import installer
from collector.room_store import RoomStore
from collector.routes import (
    blobs,
    bundles,
    citizen,
    correcting,
    enrol,
    facilitator,
    fleet,
    handover,
    kiosk,
    lab,
    lab_erasure,
    lab_files,
    links,
    media,
    own_answers,
    paper,
    paper_entry,
    publish,
    pull,
    quarantine,
    room_paper,
    room_pass,
    room_people,
    rooms,
    rooms_board,
    rooms_codes,
    rooms_notes,
    rooms_outputs,
    rooms_run,
    static,
    voices,
    webapp,
    wiping,
    withdrawal,
)
from collector.routes import sync as sync_routes
from collector.settings import Settings
from collector.submissions import notices_of
from collector.web import HEADERS, HeadOfPages, SafetyHeaders, wants_html
from sync.line import open_line
from sync.push import SyncLoop, SyncResult, sync_once
from sync.trouble import problem_of

log = logging.getLogger("collector")
# in the order in which a request meets them; those of the protocol first: a batch passes no other route's pattern
ROUTERS = (
    sync_routes.router,
    blobs.router,
    handover.router,
    static.router,
    webapp.router,
    bundles.router,
    withdrawal.router,
    own_answers.router,
    correcting.router,
    quarantine.router,
    lab_erasure.router,
    fleet.router,
    enrol.router,
    wiping.router,
    kiosk.router,
    links.router,
    paper.router,
    paper_entry.router,
    voices.router,
    room_pass.router,
    room_people.router,
    room_paper.router,
    rooms.router,
    rooms_run.router,
    rooms_notes.router,
    rooms_codes.router,  # before the files of a room: "temas" is none of them
    rooms_outputs.router,
    rooms_board.router,
    citizen.router,
    media.router,
    facilitator.router,
    lab.router,
    lab_files.router,
    publish.router,
    pull.router,
)


def create_app(settings: Settings) -> FastAPI:
    """Open the store below `settings.data_dir` and return the node's application. Raises ProblemError."""
    engine = open_engine(settings.url)
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, settings.name)
    turn = begin_turn(engine, settings.data_dir)
    app = FastAPI(title="Collector", version=__version__, lifespan=_lifespan, openapi_url=None)
    state = app.state
    state.settings, state.engine, state.turn = settings, engine, turn
    state.forms = FormStore(engine)
    state.rooms = RoomStore(engine)
    state.kept_pages = {}
    watch_voices(engine, voices.page_forgetter(state.kept_pages))
    state.assets = load_assets(asset_dir("static"))
    state.templates = make_environment(state.assets)
    state.english = load_english()
    with reading(engine) as session:
        state.node_name = store.fact(session, "name") or "Collector"
        state.node_id = store.fact(session, "node_id")
    forms = state.forms
    state.check = lambda content: notices_of(forms, engine, content)
    state.install_form = installer(state.forms, engine)
    state.sync_loop = SyncLoop(engine, settings.sync_seconds, state.install_form)
    state.kick = state.sync_loop.kick
    state.sync_now = lambda: sync_now(app)
    for router in ROUTERS:
        app.include_router(router)
    app.add_middleware(SafetyHeaders, answer=answer_problem)
    app.add_middleware(KeptPages, pages=state.kept_pages)
    app.add_middleware(HeadOfPages)  # outermost: the last one added
    _add_handlers(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.sync_loop.start()
    yield
    app.state.sync_loop.stop()
    app.state.turn.end()
    app.state.engine.dispose()


def sync_now(app: FastAPI) -> SyncResult:
    """Talk to the upstream once, now, whatever the background loop is doing. Raises ProblemError no_upstream."""
    with open_line() as http:
        return sync_once(app.state.engine, http, now_ms(), app.state.install_form)


def _add_handlers(app: FastAPI) -> None:
    @app.exception_handler(ProblemError)
    def known(request: Request, error: ProblemError) -> Response:
        return answer_problem(request, error)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return answer_problem(request, ProblemError(PROBLEMS["not_found"], path=request.url.path))
        if error.status_code == 405:
            return answer_problem(request, ProblemError(PROBLEMS["method_not_allowed"], method=request.method))
        return answer_problem(request, ProblemError(PROBLEMS["bad_request"], reason=str(error.detail)))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        return answer_problem(request, ProblemError(PROBLEMS["bad_request"], reason=reason))

    @app.exception_handler(OperationalError)
    @app.exception_handler(PoolTimeout)
    def store_trouble(request: Request, error: OperationalError | PoolTimeout) -> Response:
        log.error("store: %s", getattr(error, "orig", error))
        return answer_problem(request, problem_of(error))

    @app.exception_handler(Exception)
    def unknown(request: Request, error: Exception) -> Response:
        number = f"E-{secrets.randbelow(9000) + 1000}"
        log.error("%s %s %s", number, request.method, request.url.path, exc_info=error)
        response = answer_problem(request, ProblemError(PROBLEMS["server_error"], number=number))
        response.headers.update(HEADERS)  # this handler stands outside SafetyHeaders
        return response


def answer_problem(request: Request, error: ProblemError) -> Response:
    """Answer with a page for people and with problem+json (RFC 9457) for programs."""
    if not wants_html(request):
        wait = {"Retry-After": str(error.values["seconds"])} if "seconds" in error.values else {}
        return JSONResponse(error.as_json(), error.problem.status, wait, media_type="application/problem+json")
    if error.problem.code == "login_needed":
        return RedirectResponse(str(error.values["login"]), 303)
    sentence = error.sentence(page_language(request))
    return page(request, "problem.html", {"problem": error, "sentence": sentence}, status=error.problem.status)
