"""The pull API: forms, their definitions, and the record log in order. Needs a token. Described in docs/lab.md."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from collector.clock import iso
from collector.db import reading
from collector.forms.model import form_to_json
from collector.problems import PROBLEMS, ProblemError
from collector.queries import lab as lab_queries
from collector.queries import records as record_queries
from collector.queries import store
from collector.queries.lab import Fed
from collector.routes.access import api_client

router = APIRouter(prefix="/api/v1", dependencies=[Depends(api_client)])
NDJSON = "application/x-ndjson"


@router.get("/forms")
def list_forms(request: Request) -> dict[str, Any]:
    """List every form with its versions, newest first."""
    forms: dict[str, dict[str, Any]] = {}
    for row in request.app.state.forms.versions():
        form = forms.setdefault(row.form_id, {"form_id": row.form_id, "title": row.title, "versions": []})
        form["versions"].append({"version": row.version, "sha256": row.sha256, "published": iso(row.published_ms)})
    with reading(request.app.state.engine) as session:
        return {"epoch": store.fact(session, "epoch"), "forms": list(forms.values())}


@router.get("/forms/{form_id}/{version}/definition")
def form_definition(request: Request, form_id: str, version: str) -> dict[str, Any]:
    """Return the compiled form: questions, groups, lists, texts in every language."""
    form = request.app.state.forms.get(form_id, version)
    if form is None:
        raise ProblemError(PROBLEMS["form_not_found"], form=f"{form_id} {version}")
    return form_to_json(form)


@router.get("/records")
def list_records(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
    epoch: str = "",
) -> Response:
    """Return the records numbered above `after`, in log order, as JSON or (by Accept) NDJSON.

    `record` is the body verbatim, null once erased. `more` says whether to ask again with `after` = `next`; `last` is
    the highest number of the log, for a progress bar. Raises feed_changed when `epoch` is not this log's.
    """
    with reading(request.app.state.engine) as session:
        here = store.fact(session, "epoch")
        if epoch and epoch != here:
            raise ProblemError(PROBLEMS["feed_changed"], epoch=here)
        page, more = lab_queries.feed(session, after, limit)
        last = record_queries.last_number(session)
    head = {"epoch": here, "next": page[-1].n if page else after, "last": last, "more": more}
    if NDJSON in request.headers.get("accept", ""):
        return Response("\n".join([json.dumps(head), *_lines(request, page)]) + "\n", media_type=NDJSON)
    # spliced, not parsed and written again: the record's bytes stay what their hash says
    text = json.dumps(head)[:-1] + ', "records": [' + ",\n".join(_lines(request, page)) + "]}"
    return Response(text, media_type="application/json")


def _lines(request: Request, page: list[Fed]) -> Iterator[str]:
    own_id = request.app.state.node_id
    for entry in page:
        # without consent nobody reads it outside the lab's quarantine
        body = None if entry.state == "no_consent" else entry.body
        about = {
            "n": entry.n,
            "id": entry.id,
            "kind": entry.kind,
            "form": entry.form,
            "version": entry.version,
            "received": iso(entry.received_ms),
            "state": entry.state,
            "via_origin": entry.origin or own_id,
        }
        yield f'{json.dumps(about, ensure_ascii=False)[:-1]}, "record": {body or "null"}}}'
