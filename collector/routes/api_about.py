"""The interface for programs: who asks, and the description of the whole in OpenAPI. docs/api.md has it for people."""

import json
from functools import cache
from importlib import import_module
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.openapi.utils import get_openapi

from collector.rights import SCOPES
from collector.routes import api_shapes as shapes
from collector.routes.api_common import PREFIX, PROBLEM, ApiRoute, Program, tag_of, tagged, with_tag

router = APIRouter(prefix=PREFIX, route_class=ApiRoute)
PARTS = ("api_about", "api_forms", "api_counts", "api_records")
ABOUT = (
    "Forms, records and counts of a Collector node. Every address takes a token: `Authorization: Bearer col_…`.\n\n"
    "Every answer has an `ETag`: send it back as `If-None-Match` and get 304 when nothing is new. Problems are "
    "`application/problem+json` (RFC 9457) with a stable `code`."
)
# what may go wrong at any address that takes a token
PROBLEMS_OF_ALL = {
    "400": "A parameter that cannot be read, or that this address does not have.",
    "401": "No token, or one that is withdrawn or over.",
    "403": "The token does not reach that far.",
    "404": "Nothing here of that name, or nothing that the token may know of.",
    "429": "Too many requests; `Retry-After` says how many seconds to wait.",
    "500": "A fault of ours, with a number to tell.",
    "503": "The store is busy.",
}
PROBLEMS_OF_RECORDS = {
    "409": "The cursor is not of this log: start again without one.",
    "410": "The log is another than `epoch`.",
    "422": "Neither the token nor `X-Purpose` says what the data is for.",
}


@router.get("/openapi.json", response_model=dict[str, Any])
def show_openapi(request: Request) -> Response:
    """Return this description. It takes no token."""
    body = _description()
    return with_tag(request, tag_of(body), lambda: Response(body, media_type="application/json"))


@router.get("/whoami", response_model=shapes.WhoAmI)
def who_am_i(request: Request, person: Program) -> Response:
    """Return what the token of the request may do."""
    scopes = {role: scope for scope, role in SCOPES.items()}
    state = request.app.state
    return tagged(
        request,
        {
            "name": person.who,
            "scope": scopes[person.role],
            "forms": None if person.forms is None else sorted(person.forms),
            "purpose": person.purpose,
            "node": state.node_name,
            "node_id": state.node_id,
        },
    )


@cache
def _description() -> bytes:
    """Return the description as JSON; the same for every node of this release."""
    routes = [route for part in PARTS for route in import_module(f"collector.routes.{part}").router.routes]
    found = get_openapi(title="Collector", version="1", description=ABOUT, routes=routes)
    shapes_of_all = found.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        shapes_of_all.pop(name, None)
    shapes_of_all["Problem"] = shapes.Problem.model_json_schema()
    found["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "col_ and 43 characters, made by the lab."}
    }
    for path, item in found["paths"].items():
        _complete(path, item["get"])
    return json.dumps(found, ensure_ascii=False).encode()


def _complete(path: str, operation: dict[str, Any]) -> None:
    """Add what the generator does not know: the token, tags, and every problem that there may be."""
    is_open = path.endswith("/openapi.json")
    operation["security"] = [] if is_open else [{"token": []}]
    answers = {"200": operation["responses"]["200"], "304": {"description": "You have it: the tag is the same."}}
    answers["200"]["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
    problems = {"400": PROBLEMS_OF_ALL["400"], "500": PROBLEMS_OF_ALL["500"]} if is_open else dict(PROBLEMS_OF_ALL)
    if "/records" in path:
        problems |= PROBLEMS_OF_RECORDS
    if path.endswith("/records"):
        # a line each: a description in JSON Schema would speak of one document
        answers["200"]["content"]["application/x-ndjson"] = {"schema": {"type": "string"}}
    problem = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, sentence in sorted(problems.items()):
        answers[status] = {"description": sentence, "content": problem}
    operation["responses"] = answers
