"""The sender's side of HTTP: ask the upstream, believe only answers that are ours.

no connection           -> upstream_unreachable
connection, no answer   -> UpstreamSlow (the batch may be too big for the line)
200 or 304 of ours      -> Answer
problem+json of ours    -> Refusal, with its code
5xx of something else   -> upstream_busy
anything else           -> upstream_strange: a captive portal answers 200, 302, 204 or 403 with a page of its own
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from collector.problems import PROBLEMS, ProblemError
from sync.batches import is_number

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
MAX_ANSWER_BYTES = 16 * 1024 * 1024
OUR_PROBLEM = "urn:collector:problem:"


@dataclass(frozen=True)
class Answer:
    """An answer of ours: its status, its JSON (None for 304 and for NDJSON), its ETag, and the lines of NDJSON."""

    status: int
    content: Any
    etag: str
    lines: bytes = b""


class UpstreamSlow(ProblemError):
    """The upstream was reached and did not answer in time."""


class Refusal(ProblemError):
    """The upstream answered with a problem of the protocol.

    remote: its code; answer: its whole JSON; is_final: asking again is useless until a person does something.
    """

    def __init__(self, url: str, status: int, answer: dict[str, Any], retry_seconds: float) -> None:
        self.status, self.answer, self.retry_seconds = status, answer, retry_seconds
        self.remote = str(answer.get("code", ""))
        self.is_final = status in (401, 403, 426)
        super().__init__(PROBLEMS[_code_of(status)], url=url, reason=f"{status} {self.remote}")


def _code_of(status: int) -> str:
    if status in (401, 403):
        return "upstream_unknown"
    if status == 429 or (status >= 500 and status != 508):
        return "upstream_busy"
    return "upstream_refused"


class UpstreamClient:
    """Requests to one upstream. Raises ProblemError (UpstreamSlow, Refusal among them) for all but an Answer.

    was_heard: the upstream itself has answered something.
    """

    def __init__(self, http: httpx.Client, url: str, token: str = "", timeout: httpx.Timeout = TIMEOUT) -> None:
        self._http, self.url = http, url.rstrip("/")
        self.was_heard = False
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = timeout

    def get(self, path: str, etag: str = "") -> Answer:
        """GET something small; with an ETag 304 is an answer too."""
        return self._ask("GET", path, {"If-None-Match": etag} if etag else {}, None)

    def get_zipped(self, path: str, etag: str = "") -> Answer:
        """GET something large: it may come as gzip."""
        return self._ask("GET", path, {"Accept-Encoding": "gzip"} | ({"If-None-Match": etag} if etag else {}), None)

    def post(self, path: str, content: dict[str, Any]) -> Answer:
        """POST a JSON object."""
        return self._ask("POST", path, {"Content-Type": "application/json"}, _compact(content))

    def put(self, path: str, content: dict[str, Any]) -> Answer:
        """PUT a JSON object."""
        return self._ask("PUT", path, {"Content-Type": "application/json"}, _compact(content))

    def post_batch(self, body: bytes, signature: str = "") -> Answer:
        """POST a batch as `pack_batch` made it."""
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        return self._ask("POST", "/batches", headers | ({"Collector-Signature": signature} if signature else {}), body)

    def ask_blobs(self, hashes: Sequence[str]) -> Answer:
        """Ask how much of these files the upstream has."""
        return self.post("/blobs/ask", {"sha256": list(hashes)})

    def patch_blob(self, sha256: str, at: int, whole_bytes: int, content: bytes) -> Answer:
        """PATCH the piece of a file that begins `at`."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        headers = {
            "Content-Type": "application/octet-stream",
            "Upload-Offset": str(at),
            "Upload-Length": str(whole_bytes),
            "Content-Digest": f"sha-256=:{digest}:",
        }
        return self._ask("PATCH", f"/blobs/{sha256}", headers, content)

    def strange(self, reason: str) -> ProblemError:
        """Return the problem of an answer that is not ours."""
        return ProblemError(PROBLEMS["upstream_strange"], url=self.url, reason=reason)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Answer:
        address = f"{self.url}/sync/v1{path}"
        try:
            request = self._http.build_request(
                method, address, headers={**self._headers, **headers}, content=body, timeout=self._timeout
            )
            _strip(request, headers)
            response = self._http.send(request, stream=True, follow_redirects=False)
            try:
                return self._read(response, _read_limited(response))
            finally:
                response.close()
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise UpstreamSlow(PROBLEMS["upstream_unreachable"], url=self.url, reason="no answer in time") from error
        except httpx.TransportError as error:
            reason = f"{type(error).__name__} {error}"
            raise ProblemError(PROBLEMS["upstream_unreachable"], url=self.url, reason=reason) from error
        except (httpx.RequestError, httpx.InvalidURL, ValueError) as error:
            raise self.strange(f"{type(error).__name__} {error}") from error

    def _read(self, response: httpx.Response, body: bytes) -> Answer:
        status, etag = response.status_code, response.headers.get("etag", "")
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if status == 304 and "x-collector" in response.headers:
            self.was_heard = True
            return Answer(status, None, etag)
        if media_type == "application/problem+json":
            problem = _json(body)
            if isinstance(problem, dict) and str(problem.get("type", "")).startswith(OUR_PROBLEM):
                self.was_heard = True
                raise Refusal(self.url, status, problem, _seconds(response, problem))
        if status in (200, 201) and media_type == "application/json" and "x-collector" in response.headers:
            self.was_heard = True
            return Answer(status, _json(body), etag)
        if status == 200 and media_type == "application/x-ndjson" and "x-collector" in response.headers:
            self.was_heard = True
            return Answer(status, None, etag, body)
        if status >= 500 and status != 511:  # 511: a portal that says so
            raise ProblemError(PROBLEMS["upstream_busy"], url=self.url, reason=f"HTTP {status}")
        raise self.strange(f"HTTP {status} {media_type or 'without type'}")


def _compact(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _strip(request: httpx.Request, wanted: dict[str, str]) -> None:
    """Leave out what the HTTP client says of itself: a hundred bytes with every request, on a line that has few."""
    for name in ("accept", "accept-encoding", "connection", "user-agent"):
        if name.title() not in wanted:
            request.headers.pop(name, None)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _read_limited(response: httpx.Response) -> bytes:
    """Read the body, at most 16 MiB as it stands in memory: a portal may answer with anything."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes(65536):
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise ValueError("the answer has no end")
        parts.append(part)
    return b"".join(parts)


def _seconds(response: httpx.Response, problem: dict[str, Any]) -> float:
    """Return how long we are asked to wait: the header, or what the problem itself says."""
    header, said = response.headers.get("retry-after", ""), problem.get("seconds")
    if header.isdigit():
        return float(header)
    return float(said) if is_number(said) else 0.0
