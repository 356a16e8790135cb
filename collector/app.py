"""Wiring: one FastAPI application a node, made by `create_app(settings)`; two can live in one process."""

import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import State
from starlette.exceptions import HTTPException

from collector import __version__
from collector.addresses import Addresses
from collector.assets import asset_dir, load_assets
from collector.backups.marker import begin_turn
from collector.clock import now_ms
from collector.db import open_engine, prepare_store, reading, writing
from collector.form_store import FormStore
from collector.kept_pages import KeptPages, page_forgetter
from collector.pages import load_english, make_environment, page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import store
from collector.queries.voices import watch_voices
from collector.settings import Settings
from collector.web import HEADERS, HeadOfPages, SafetyHeaders, wants_html
from sync.loop import SyncLoop
from sync.trouble import problem_of

if TYPE_CHECKING:
    from collector.arrivals import Arrivals
    from collector.quality_watch import QualityWatch
    from collector.room_store import RoomStore
    from sync.run import InstallForm, SyncResult

CHORES_AFTER_SECONDS = 60.0
log = logging.getLogger("collector")


class NodeState(State):
    """What a node's routes share."""

    @cached_property
    def rooms(self) -> "RoomStore":
        """The rooms of this node, read when somebody asks for one."""
        from collector.room_store import RoomStore

        return RoomStore(self.engine, lambda: self.kick())

    @cached_property
    def arrivals(self) -> "Arrivals":
        """What came here, counted when somebody asks."""
        from collector.arrivals import Arrivals

        return Arrivals(self.engine, self.forms, self.settings.data_dir)

    @cached_property
    def quality(self) -> "QualityWatch":
        """What looks odd in the records of this node, looked for when somebody asks."""
        from collector.quality_watch import QualityWatch

        return QualityWatch(self.engine, self.forms, self.arrivals)


def create_app(settings: Settings) -> FastAPI:
    """Open the store below `settings.data_dir` and return the node's application. Raises ProblemError."""
    engine = open_engine(settings.url)
    prepare_store(engine)
    with writing(engine) as session:
        store.first_facts(session, settings.name)
    turn = begin_turn(engine, settings.data_dir)
    app = FastAPI(title="Collector", version=__version__, lifespan=_lifespan, openapi_url=None)
    state = app.state = NodeState()
    state.settings, state.engine, state.turn = settings, engine, turn
    state.forms = FormStore(engine)
    state.kept_pages = {}
    watch_voices(engine, page_forgetter(state.kept_pages))
    state.assets = load_assets(asset_dir("static"))
    state.templates = make_environment(state.assets)
    state.english = load_english()
    with reading(engine) as session:
        state.node_name = store.fact(session, "name") or "Collector"
        state.node_id = store.fact(session, "node_id")
    state.check = _checker(state.forms, engine)
    state.install_form = _installer(state.forms, engine)
    chores = _chores(state.forms, engine, settings, lambda: state.quality.tick())
    state.sync_loop = SyncLoop(engine, settings.sync_seconds, state.install_form, chores=chores)
    state.kick = state.sync_loop.kick
    state.sync_now = lambda: sync_now(app)
    app.router.routes.append(Addresses())
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


# --- what is imported when it is first used: reading forms and sending take longer to import than the rest to start


def _checker(forms: FormStore, engine: Engine) -> Callable[[Mapping[str, Any]], str]:
    def check(content: Mapping[str, Any]) -> str:
        from collector.submissions import notices_of

        return notices_of(forms, engine, content)

    return check


def _installer(forms: FormStore, engine: Engine) -> "InstallForm":
    def install(*args: Any, **files: Any) -> bool:
        from collector.repair.rechecking import installer

        return installer(forms, engine)(*args, **files)

    return install


def _chores(
    forms: FormStore, engine: Engine, settings: Settings, tick_quality: Callable[[], None]
) -> Callable[[], None]:
    """Return what a node does beside its syncs: it looks for what is odd, and runs the terms of the forms."""
    held: list[Callable[[], None]] = []
    begun = time.monotonic()

    def run() -> None:
        if time.monotonic() - begun < CHORES_AFTER_SECONDS:  # this can wait; whoever opened a page cannot
            return
        if not held:
            from collector.retention import Retention

            held.append(Retention(engine, forms, settings.data_dir / "exports").tick)
        try:
            tick_quality()
        finally:
            held[0]()

    return run


def sync_now(app: FastAPI) -> "SyncResult":
    """Talk to the upstream once, now, whatever the background loop is doing. Raises ProblemError no_upstream."""
    from sync.line import open_line
    from sync.push import sync_once

    with open_line() as http:
        return sync_once(app.state.engine, http, now_ms(), app.state.install_form)


# --- errors


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
