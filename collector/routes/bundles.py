"""Bundles in the browser: make one and take it away, bring one, and see which of those that left have a receipt."""

import errno
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from collector.clock import now_ms
from collector.db import reading
from collector.pages import page, page_language
from collector.problems import PROBLEMS, ProblemError
from collector.queries import bundles, nodes, store
from collector.routes import access
from collector.routes.facilitator import ago
from sync.bundle_import import Imported
from sync.bundle_receipts import MAX_RECEIPT_BYTES, Cleared, is_receipt, write_receipt
from sync.bundles import LEAST_PASSPHRASE, export_bundle, lock_for
from sync.carried import Taken, take_file

PAGE = "/equipo/paquetes"
MAX_UPLOAD_BYTES = 300 * 1024 * 1024
FORM_PARTS_BYTES = 64 * 1024  # what a multipart body adds to the file

router = APIRouter(prefix=PAGE, include_in_schema=False)


def _carrier(request: Request) -> str:
    """Let in who gave the PIN, and people of the lab. Raises login_needed."""
    try:
        return access.facilitator(request)
    except ProblemError:
        try:
            return access.who_may("fleet")(request)
        except ProblemError:
            pass
        raise


Carrier = Annotated[str, Depends(_carrier)]


@router.get("")
def show(request: Request, _who: Carrier) -> HTMLResponse:
    """Show what can be carried, and what has left."""
    return _page(request)


@router.post("/hacer")
async def make(request: Request, _who: Carrier) -> Response:
    """Make a bundle and hand it out."""
    fields = await access.posted_fields(request)
    try:
        return await run_in_threadpool(_make, request, fields)
    except ProblemError as error:
        return _page(request, trouble=error, lock=fields.get("lock", ""))


def _make(request: Request, fields: dict[str, str]) -> Response:
    engine = request.app.state.engine
    passphrase = fields.get("passphrase", "")
    if fields.get("lock") == "passphrase" and not passphrase:
        raise ProblemError(PROBLEMS["bundle_short_passphrase"], length=0, least=LEAST_PASSPHRASE)
    lock = lock_for(engine, passphrase=passphrase if fields.get("lock") == "passphrase" else "")
    folder = tempfile.TemporaryDirectory(prefix="collector-")
    try:
        path = Path(folder.name) / "paquete"
        export_bundle(engine, path, lock, now_ms(), fields.get("all") == "1")
    except BaseException:
        folder.cleanup()
        raise
    name = f"{_plain(request.app.state.node_name)}-{datetime.now(UTC).astimezone():%Y%m%d-%H%M}.cbundle"
    # closed already: what lies there for a moment nobody else can read
    return FileResponse(path, filename=name, background=BackgroundTask(folder.cleanup))


def _plain(name: str) -> str:
    """Return a node's name as it may stand in the name of a file on any system."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return plain[:40] or "paquete"


@router.post("/traer")
async def bring(request: Request, _who: Carrier) -> Response:
    """Take in a bundle, a phone's file or a receipt, and say what became of it."""
    try:
        async with _upload(request).form(max_files=1, max_fields=5) as posted:
            taken = await run_in_threadpool(_take, request, posted)
    except ProblemError as error:
        return _page(request, trouble=error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return _page(request, trouble=ProblemError(PROBLEMS["bundle_no_space"], path="ese archivo"))
    return _page(request, taken=taken)


def _upload(request: Request) -> Request:
    """Return the request with a body that ends at the limit; it is written to a temporary file as it comes."""
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > MAX_UPLOAD_BYTES + FORM_PARTS_BYTES:
            raise ProblemError(PROBLEMS["too_large"], size=size, limit=MAX_UPLOAD_BYTES)
        return message

    return Request(request.scope, receive)


def _take(request: Request, posted: FormData) -> Taken:
    state = request.app.state
    file, passphrase = posted.get("file"), posted.get("passphrase")
    if not isinstance(file, UploadFile) or not file.filename:
        raise ProblemError(PROBLEMS["bundle_unknown"])
    taken = take_file(state.engine, file.file, now_ms(), state.check, passphrase if isinstance(passphrase, str) else "")
    if not isinstance(taken, Cleared):
        state.kick()
    return taken


@router.post("/recibo")
async def receipt(request: Request, _who: Carrier) -> Response:
    """Give a receipt back as a file: it stands in the page that told of the bundle, and nowhere else."""
    pairs = await access.posted_pairs(request, 4 * MAX_RECEIPT_BYTES, 5)
    text = dict(pairs).get("receipt", "")
    if not is_receipt(text.encode()):
        raise ProblemError(PROBLEMS["bundle_unknown"])
    headers = {"Content-Disposition": 'attachment; filename="paquete.recibo.json"'}
    return Response(text, media_type="application/json", headers=headers)


def _page(
    request: Request, trouble: ProblemError | None = None, taken: Taken | None = None, lock: str = ""
) -> HTMLResponse:
    with reading(request.app.state.engine) as session:
        status = nodes.node_status(session)
        sent = bundles.list_sent(session)
        key = store.fact(session, "central_key")
    made = taken.receipt if isinstance(taken, Imported) else None
    scope: dict[str, Any] = {
        "status": status,
        "sent": sent,
        "for_central": bool(key) and not status.is_central,
        "trouble": trouble.sentence(page_language(request)) if trouble else "",
        "lock": lock,
        "kind_taken": type(taken).__name__ if taken else "",
        "taken": taken,
        "receipt": write_receipt(made).decode() if made else "",
        "least": LEAST_PASSPHRASE,
        "ago": lambda ms: ago(ms, now_ms()),
    }
    return page(request, "facilitator/bundles.html", scope, status=trouble.problem.status if trouble else 200)
