"""The sender: what this node's log has and its upstream has not goes up; forms and receipts come down.

    cold or idle:  hello    greet.py   the receiver's cursor, its limits, what is new there
    with records:  batches  upload.py  from that cursor, one at a time, until the log is empty
    after a hello: forms and receipts  pull.py, when hello said that there are new ones
                   erasures, decisions feed.py, likewise
                   rooms that are open room_pull.py, likewise
    then:          files of answers    blobs.py, piece by piece; new records go between two pieces
    last of all:   a report            report.py, when it says something new

The receiver's cursor is the truth. This node believes nothing of its own: after any trouble it asks first.
"""

import logging
import time
from collections.abc import Callable

import httpx
from sqlalchemy import Engine

from collector.db import reading, writing
from collector.problems import PROBLEMS, ProblemError
from collector.queries import nodes, store
from sync import keys
from sync.blobs import send_blobs
from sync.client import Refusal, UpstreamClient
from sync.feed import pull_feed
from sync.greet import greet
from sync.plans import pull_plans
from sync.pull import pull_forms, pull_receipts
from sync.report import send_report
from sync.room_pull import pull_rooms
from sync.run import InstallForm, Run, SyncResult, SyncState, read_known
from sync.upload import has_entries, send_log

HELLO_SECONDS = 60.0  # so that forms come down even while records go up all the time
log = logging.getLogger("collector.sync")
__all__ = ["SyncResult", "SyncState", "enrol", "sync_once"]


def enrol(engine: Engine, http: httpx.Client, url: str, code: str, name: str = "") -> str:
    """Enrol this node at `url` with a one-time code, make that its upstream and return the upstream's id.

    Raises ProblemError: code_invalid, too_many_tries, loop, bad_request, upstream_unreachable, upstream_strange.
    """
    url = url.strip().rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ProblemError(PROBLEMS["bad_request"], reason=f"{url} is not an address like http://10.42.0.1:8000")
    with reading(engine) as session:
        me, own_name = store.fact(session, "node_id"), store.fact(session, "name")
    client = UpstreamClient(http, url)
    wish = {"code": code, "name": name or own_name or me[:8], "node_id": me}
    try:
        answer = client.post("/enroll", wish | {"public_key": keys.public_text(keys.signing_key(engine))})
    except Refusal as refusal:
        raise _said_at_the_door(refusal, code) from refusal
    found = answer.content if isinstance(answer.content, dict) else {}
    token, upstream_id = found.get("token"), found.get("upstream_id")
    if found.get("node_id") != me or not isinstance(token, str) or not isinstance(upstream_id, str):
        raise client.strange("the answer to the enrolment names no node")
    with writing(engine) as session:
        public_key = found.get("upstream_public_key")
        nodes.set_upstream(session, url, upstream_id, token, str(public_key) if keys.is_public_key(public_key) else "")
        keys.note_central_key(session, found.get("central_key"))
    return upstream_id


def _said_at_the_door(refusal: Refusal, code: str) -> ProblemError:
    """Return the upstream's own sentence where it helps: there a person is typing a code."""
    if refusal.remote == "code_invalid":
        return ProblemError(PROBLEMS["code_invalid"], enrol_code=code)
    if refusal.remote == "too_many_tries":
        return ProblemError(PROBLEMS["too_many_tries"], seconds=refusal.answer.get("seconds", 60))
    return ProblemError(PROBLEMS["loop"]) if refusal.remote == "loop" else refusal


def sync_once(
    engine: Engine,
    http: httpx.Client,
    now_ms: int,
    install_form: InstallForm,
    state: SyncState | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> SyncResult:
    """Send what is new, fetch what is new, note how it went and return it. Raises ProblemError no_upstream only.

    state: pass the same one again to spare the hello; stopped: asked between two batches.
    """
    known = read_known(engine)
    if known is None:
        raise ProblemError(PROBLEMS["no_upstream"])
    client = UpstreamClient(http, known.url, known.token)
    run = Run(engine, client, state or SyncState(), SyncResult(), install_form, now_ms, stopped)
    try:
        _exchange(run)
        run.state.is_warm = True
    except ProblemError as error:
        run.state.is_warm = False
        run.result.error = error.problem.code
        run.result.reason = str(error.values.get("reason", error))
        if isinstance(error, Refusal):
            run.result.is_final, run.result.retry_seconds = error.is_final, error.retry_seconds
    _note(run)
    return run.result


def _exchange(run: Run) -> None:
    state = run.state
    idle = not has_entries(run.engine, run.known().cursor)
    greeted = None
    if not state.is_warm or idle or time.monotonic() - state.hello_at > HELLO_SECONDS:
        greeted = greet(run)
    send_log(run)
    if greeted is not None and greeted.is_revoked:
        run.result.is_final = True
        raise ProblemError(PROBLEMS["upstream_revoked"], url=run.client.url)
    if greeted is not None:
        pull_forms(run, greeted)
        pull_plans(run, greeted)
        pull_feed(run, greeted)
        pull_rooms(run, greeted)
        pull_receipts(run, greeted)
    send_blobs(run)
    if greeted is not None:
        send_report(run, greeted, idle)


def _note(run: Run) -> None:
    result = run.result
    reached = {"last_contact_ms": run.now_ms} if run.client.was_heard else {}
    with writing(run.engine) as session:
        nodes.change_upstream(session, last_try_ms=run.now_ms, last_error=result.error, **reached)
        if result.error or store.fact(session, "sync_reason"):
            store.set_fact(session, "sync_reason", result.reason)
