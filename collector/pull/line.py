"""The line to a node's interface for programs: one request at a time, every answer checked. Needs httpx alone.

A captive portal also says 200, so only what says that it is Collector's counts. A cut line is tried again from the same
place: nothing moves on before a whole page is here.
"""

import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from collector.forms.model import Form, form_from_json
from collector.problems import PROBLEMS, ProblemError

TIMEOUT_SECONDS = 60.0
MOST_WAIT_SECONDS = 60
MOST_WAITS = 30  # in a row, when the node says that it is asked too often
PURPOSE = "collector pull"
BUSY = (429, 502, 503, 504)
HEAD = ("id", "kind", "form", "version", "received", "state")


@dataclass(frozen=True)
class Page:
    """A page of the feed that can be trusted to move on. content: as the node said it; tag: its ETag."""

    content: Mapping[str, Any]
    tag: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Return the records of the page, in order of change."""
        records: list[dict[str, Any]] = self.content["records"]
        return records


class Unchanged:
    """There is nothing new: the tag is the same."""


UNCHANGED = Unchanged()


class NodeLine:
    """The interface of one node. retries: how often a cut request is made again; sleep: waits so many seconds.

    A node that has not answered yet is not tried twice: whoever starts a pull without a signal learns it at once.
    """

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        token: str,
        purpose: str = "",
        retries: int = 0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url, self._http, self._retries, self._sleep = whole_url(url), http, retries, sleep
        self._has_answered = False
        self._headers = {"Authorization": f"Bearer {whole_token(token)}", "X-Purpose": _plain(purpose) or PURPOSE}

    def forms(self) -> list[dict[str, Any]]:
        """Return the published forms with their versions, newest first."""
        with self._well_formed():
            listed = self._get("/api/v1/forms").json()["forms"]
            return [{"form_id": form["form_id"], "versions": list(form["versions"])} for form in listed]

    def definition(self, form_id: str, version: str) -> Form:
        """Return one compiled form."""
        with self._well_formed():
            path = f"/api/v1/forms/{quote(form_id, safe='')}/{quote(version, safe='')}/definition"
            return form_from_json(self._get(path).json())

    def page(self, query: Mapping[str, Any], after: int = 0, tag: str = "") -> Page | Unchanged | None:
        """Return a page of the feed; UNCHANGED when it has this tag still, None when the log is not that of `epoch`.

        after: the number that the page has to begin behind.
        """
        with self._well_formed():
            answer = self._get("/api/v1/records", query, tag)
            if answer.status_code == 304:
                return UNCHANGED
            if answer.status_code == 410:
                return None
            return Page(_checked(answer.json(), after), answer.headers.get("etag", ""))

    def json(self, path: str) -> dict[str, Any]:
        """Return what the node says at an address, an object."""
        with self._well_formed():
            return dict(self._get(path).json())

    def _get(self, path: str, query: Mapping[str, Any] | None = None, tag: str = "") -> httpx.Response:
        headers = self._headers | ({"If-None-Match": tag} if tag else {})
        tries = waits = 0
        while True:
            try:
                answer = self._http.get(f"{self.url}{path}", params=query, headers=headers, follow_redirects=False)
            except httpx.HTTPError as error:
                tries += 1
                if tries > self._retries or not self._has_answered:
                    raise self._unreachable(error, tries) from error
                self._sleep(min(2.0**tries / 2, MOST_WAIT_SECONDS))
                continue
            self._has_answered = True
            seconds = answer.headers.get("retry-after", "")
            if answer.status_code != 429 or not seconds.isdigit() or waits == MOST_WAITS:
                self._check(answer)
                return answer
            waits += 1
            self._sleep(min(int(seconds), MOST_WAIT_SECONDS))

    def _unreachable(self, error: httpx.HTTPError, tries: int) -> ProblemError:
        reason = str(error) or type(error).__name__
        if tries > 1:
            return ProblemError(PROBLEMS["pull_cut"], url=self.url, reason=reason, times=tries)
        return ProblemError(PROBLEMS["pull_unreachable"], url=self.url, reason=reason)

    def _check(self, answer: httpx.Response) -> None:
        """Let pass what a node of ours says that can be gone on with."""
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        is_ours = answer.headers.get("x-collector") == "1"
        if is_ours and (answer.status_code == 304 or ("json" in media_type and answer.status_code in (200, 410))):
            return
        reason = f"{answer.status_code} {media_type or 'sin tipo'}"
        if answer.status_code in BUSY or (is_ours and answer.status_code >= 500):
            raise ProblemError(PROBLEMS["pull_unreachable"], url=self.url, reason=reason)
        if is_ours and media_type == "application/problem+json":
            raise _told(answer, reason, self.url)
        raise ProblemError(PROBLEMS["upstream_strange"], url=self.url, reason=reason)

    @contextmanager
    def _well_formed(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise ProblemError(PROBLEMS["upstream_strange"], url=self.url, reason=reason) from error


def _told(answer: httpx.Response, reason: str, url: str) -> ProblemError:
    """Return the node's own problem where this release knows it."""
    said = answer.json()
    problem = PROBLEMS.get(said.get("code", ""))
    try:
        return ProblemError(problem, **said) if problem else _strange(url, reason)
    except KeyError:  # a newer release says it with other values
        return _strange(url, reason)


def _strange(url: str, reason: str) -> ProblemError:
    return ProblemError(PROBLEMS["upstream_strange"], url=url, reason=reason)


def whole_url(url: str) -> str:
    """Return the address without a slash at its end. Raises ProblemError bad_request for what is none."""
    address = url.strip().rstrip("/")
    if urlsplit(address).scheme not in ("http", "https"):
        raise ProblemError(PROBLEMS["bad_request"], reason=f"la dirección {url} no empieza con http:// o https://")
    return address


def whole_token(token: str) -> str:
    """Return the token, which may be pasted with its line end. Raises ProblemError token_invalid for what is none."""
    key = token.strip()
    if not (key.isascii() and key.isprintable() and key) or " " in key:
        raise ProblemError(PROBLEMS["token_invalid"])
    return key


def _plain(purpose: str) -> str:
    """Return the purpose as a header can carry it: letters beyond ASCII lose their accents."""
    return unicodedata.normalize("NFKD", purpose).encode("ascii", "ignore").decode().strip()[:200]


def _checked(page: dict[str, Any], after: int) -> dict[str, Any]:
    """Return the page if it is whole and moves forward. Raises ValueError, KeyError or TypeError."""
    numbers = [int(entry["n"]) for entry in page["records"]]
    if numbers != sorted(set(numbers)) or (numbers and (numbers[0] <= after or numbers[-1] > page["next"])):
        raise ValueError("records out of order")
    if page.get("count", len(numbers)) != len(numbers):
        raise ValueError(f"{page['count']} records are said to be here, {len(numbers)} are")
    if "cursor" in page and not page["more"] and page["next"] < page["last"]:
        raise ValueError("the feed ends before the log does")
    if page["next"] < after or (page["more"] and not numbers):
        raise ValueError("the cursor does not move")
    if not isinstance(page["epoch"], str) or not page["epoch"]:
        raise ValueError("no epoch")
    page["last"] = int(page["last"])
    for entry in page["records"]:
        if not all(isinstance(entry[name], str) for name in HEAD):
            raise TypeError("a record without its head")
        if not isinstance(entry["record"], dict | None):
            raise TypeError("a record that is no object")
    return page
