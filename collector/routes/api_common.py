"""What every address of the interface for programs shares: who asks, how often, tags, and problems as problem+json.

token -> Person -> rate -> the route -> body -> ETag, or 304 for who has it already
"""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from collector.problems import PROBLEMS, ProblemError
from collector.routes.access import Person, api_client

PREFIX = "/api/v1"
PROBLEM = "application/problem+json"
# of an answer that no browser shows as a page: short, since a pull with nothing new is little more than its headers
API_HEADERS = {"Content-Security-Policy": "default-src 'none'", "Referrer-Policy": "no-referrer"}
BURST_REQUESTS = 600
REQUESTS_A_SECOND = 30.0  # a pull in pages of 500 moves 15,000 records a second by it
MOST_KEYS = 1000


class ApiRoute(APIRoute):
    """A route that answers every problem as problem+json, whatever the program accepts, and refuses what it ignores.

    A name in the query that no route reads is refused: whoever writes `fom=barrio` must not get every form.
    """

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return what answers a request: the route's own handler between the check of the query and the problems."""
        answer = super().get_route_handler()
        known = _query_names(self.dependant)

        async def handler(request: Request) -> Response:
            try:
                _check_names(request, known)
                return await answer(request)
            except ProblemError as error:
                return problem_response(error)
            except RequestValidationError as error:
                first = error.errors()[0]
                reason = f"«{first['loc'][-1]}» no se puede leer ({first['msg']})"
                return problem_response(ProblemError(PROBLEMS["bad_request"], reason=reason))

        return handler

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; another method than GET is told which one there is (RFC 9110 asks for `Allow`)."""
        if scope["method"] in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        refused = problem_response(ProblemError(PROBLEMS["method_not_allowed"], method=scope["method"]))
        refused.headers["Allow"] = ", ".join(sorted(self.methods or ()))
        await refused(scope, receive, send)


def _query_names(dependant: Dependant) -> set[str]:
    """Return every name that a route and what it depends on read in the query."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_query_names(each) for each in dependant.dependencies))


def _check_names(request: Request, known: set[str]) -> None:
    """Raise ProblemError bad_request for a name of the query that is not read here, or stands there twice."""
    names = [name for name, _ in request.query_params.multi_items()]
    odd = next((name for name in names if name not in known or names.count(name) > 1), None)
    if odd is not None:
        fault = "está dos veces" if odd in known else "no es un parámetro de esta dirección"
        raise ProblemError(PROBLEMS["bad_request"], reason=f"«{odd[:60]}» {fault}")


def problem_response(error: ProblemError) -> Response:
    """Return the problem as RFC 9457 has it, with the headers that belong to its status."""
    headers = dict(API_HEADERS)
    if error.problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="collector"'
    if "seconds" in error.values:
        headers["Retry-After"] = str(error.values["seconds"])
    return JSONResponse(error.as_json(), error.problem.status, headers, media_type=PROBLEM)


# --- who asks, and how often


@dataclass
class _Bucket:
    left: float
    at: float


class Rate:
    """How many requests a token may make: `burst` at once, then `a_second`. Kept in memory; `clock` gives seconds."""

    def __init__(
        self, clock: Callable[[], float], burst: float = BURST_REQUESTS, a_second: float = REQUESTS_A_SECOND
    ) -> None:
        self._clock, self._burst, self._a_second = clock, burst, a_second
        self._buckets: dict[str, _Bucket] = {}
        self._lock = Lock()

    def wait(self, key: str) -> int:
        """Count a request and return 0, or return the whole seconds to wait, counting nothing."""
        with self._lock:
            moment = self._clock()
            bucket = self._buckets.get(key) or self._new(key, moment)
            bucket.left = min(self._burst, bucket.left + (moment - bucket.at) * self._a_second)
            bucket.at = moment
            if bucket.left < 1:
                return max(1, int((1 - bucket.left) / self._a_second + 0.999))
            bucket.left -= 1
            return 0

    def _new(self, key: str, moment: float) -> _Bucket:
        if len(self._buckets) >= MOST_KEYS:
            for old in sorted(self._buckets, key=lambda each: self._buckets[each].at)[: MOST_KEYS // 10]:
                del self._buckets[old]
        return self._buckets.setdefault(key, _Bucket(self._burst, moment))


_RATE_LOCK = Lock()


def rate_of(request: Request) -> Rate:
    """Return what counts the requests of this node: one an application, made when first needed."""
    state = request.app.state
    with _RATE_LOCK:
        if not hasattr(state, "api_rate"):
            state.api_rate = Rate(time.monotonic)
        rate: Rate = state.api_rate
    return rate


def program(request: Request) -> Person:
    """Return the program that asks. Raises ProblemError token_invalid, too_many_requests."""
    person = api_client(request)
    seconds = rate_of(request).wait(hashlib.sha256(request.headers["authorization"].encode()).hexdigest())
    if seconds:
        raise ProblemError(PROBLEMS["too_many_requests"], seconds=seconds)
    return person


Program = Annotated[Person, Depends(program)]


def reader(person: Program) -> Person:
    """Return a program whose token opens single records. Raises ProblemError scope_missing."""
    if not person.may("records"):
        raise ProblemError(PROBLEMS["scope_missing"], scope="records")
    return person


Reader = Annotated[Person, Depends(reader)]


def check_form(person: Person, form_id: str) -> None:
    """Raise ProblemError form_not_found for a form that the token was not made for: it learns nothing of it.

    U+0000 names no form, and PostgreSQL takes no question with it.
    """
    if "\0" in form_id or not person.may_read(form_id):
        raise ProblemError(PROBLEMS["form_not_found"], form=form_id)


# --- answers


def tagged(request: Request, content: object) -> Response:
    """Return JSON with the tag of its bytes, or 304 when the program says that it has them."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return with_tag(request, tag_of(body), lambda: Response(body, media_type="application/json"))


def tag_of(*parts: object) -> str:
    """Return a tag for what these parts say: the same parts, the same tag."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode())
        digest.update(b"\0")
    return f'"{digest.hexdigest()[:24]}"'


def is_known(request: Request, tag: str) -> bool:
    """Tell whether If-None-Match names the tag. Weak ones too (RFC 9110 13.1.2); "*" names whatever there is."""
    said = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return tag in said or said == ["*"]


def with_tag(request: Request, tag: str, make: Callable[[], Response]) -> Response:
    """Return what `make` makes, with its tag; 304 without making it when the program has it already."""
    answer = Response(status_code=304) if is_known(request, tag) else make()
    for name, value in {**API_HEADERS, "ETag": tag}.items():
        answer.headers[name] = value
    return answer
