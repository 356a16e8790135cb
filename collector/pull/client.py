"""`collector pull`: keeps a local SQLite file current with what a node holds, page by page, ready for Datasette.

    forms list -> definitions not seen yet -> records after the cursor -> rows and cursor in one transaction -> again

Cut anywhere, the file stands at the last whole page and the next run goes on from there. Run twice, nothing changes.
The file is the reader's own: other tables in it are left alone, and a row is only removed when it was erased upstream.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from sqlite_utils import Database

from collector.forms.model import Form, form_from_json
from collector.problems import PROBLEMS, ProblemError
from collector.pull.file import LabFile
from sync.line import open_line

PAGE_RECORDS = 500
TIMEOUT_SECONDS = 60.0
# told (position, last): log numbers, for a progress bar
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PullResult:
    """records: rows added; read: records read; tables: written to; restarted: the node was restored, all read anew."""

    records: int
    read: int
    tables: tuple[str, ...]
    restarted: bool


def pull(
    url: str,
    token: str,
    to: Path,
    progress: Progress | None = None,
    http: httpx.Client | None = None,
    page_records: int = PAGE_RECORDS,
) -> PullResult:
    """Bring the file `to` up to date with the node at `url`.

    Raises ProblemError: token_invalid, upstream_unreachable, upstream_strange, bad_request (the address),
    pull_file_unusable. What was written before stays. `http` is for callers with a client of their own (tests).
    """
    address = url.rstrip("/")
    if urlsplit(address).scheme not in ("http", "https"):
        raise ProblemError(PROBLEMS["bad_request"], reason=f"la dirección {url} no empieza con http:// o https://")
    key = token.strip()  # pasted with its line end
    if not (key.isascii() and key.isprintable() and key) or " " in key:
        raise ProblemError(PROBLEMS["token_invalid"])
    client = http or open_line(TIMEOUT_SECONDS)
    try:
        with _open_file(to) as file:
            return _Pull(_Node(client, address, key), file, page_records).run(progress or (lambda _at, _last: None))
    finally:
        if http is None:
            client.close()


@contextmanager
def _open_file(path: Path) -> Iterator[LabFile]:
    """Open the file; one that is new and got no page is taken away again, so that a failed start leaves nothing."""
    database: Database | None = None
    file: LabFile | None = None
    is_new = not path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = Database(path)
        database.execute("PRAGMA secure_delete=ON")  # what was erased upstream leaves this file's bytes too
        file = LabFile(database)
        file.prepare()
        yield file
    except (sqlite3.DatabaseError, OSError, ValueError) as error:
        raise ProblemError(PROBLEMS["pull_file_unusable"], path=str(path), reason=str(error)) from error
    finally:
        if database is not None:
            database.close()
        if is_new and (file is None or not file.has_pages):
            path.unlink(missing_ok=True)


class _Pull:
    """One run: what the node says, written to the file."""

    def __init__(self, node: "_Node", file: LabFile, page_records: int) -> None:
        self._node, self._file, self._page_records = node, file, page_records
        self._new = self._read = 0
        self._restarted = False

    def run(self, progress: Progress) -> PullResult:
        self._fetch_forms()
        epoch, after = self._file.cursor(self._node.url)
        while True:
            page = self._node.records(after, epoch, self._page_records)
            if page is None:  # the log began anew: rows are keyed by id, so reading all of it again harms nothing
                epoch, after, self._restarted = "", 0, True
                continue
            self._write(page)
            epoch, after = page["epoch"], page["next"]
            progress(after, max(page["last"], after))
            if not page["more"]:
                return PullResult(self._new, self._read, self._file.written, self._restarted)

    def _write(self, page: Mapping[str, Any]) -> None:
        records = page["records"]
        if any(not self._file.knows(entry["form"], entry["version"]) for entry in records if entry["form"]):
            self._fetch_forms()  # published since the run began
        self._new += self._file.write_page(records, self._node.url, page["epoch"], page["next"])
        self._read += len(records)

    def _fetch_forms(self) -> None:
        """Fetch the definitions not in the file yet, oldest first, so that columns stand in the order they came."""
        for listed in self._node.forms():
            for version in reversed(listed["versions"]):
                if not self._file.knows(listed["form_id"], version["version"]):
                    self._file.add_form(self._node.definition(listed["form_id"], version["version"]))


class _Node:
    """The pull API of one node. Every answer is checked: a captive portal also says 200."""

    def __init__(self, http: httpx.Client, url: str, token: str) -> None:
        self.url = url
        self._http, self._token = http, token

    def forms(self) -> list[dict[str, Any]]:
        """Return the published forms with their versions."""
        with self._well_formed():
            listed = self._get("/api/v1/forms")["forms"]
            return [{"form_id": form["form_id"], "versions": list(form["versions"])} for form in listed]

    def definition(self, form_id: str, version: str) -> Form:
        """Return one compiled form."""
        with self._well_formed():
            path = f"/api/v1/forms/{quote(form_id, safe='')}/{quote(version, safe='')}/definition"
            return form_from_json(self._get(path))

    def records(self, after: int, epoch: str, limit: int) -> dict[str, Any] | None:
        """Return a page of the log, or None when the log is not the one of `epoch`."""
        with self._well_formed():
            page = self._get("/api/v1/records", {"after": after, "limit": limit, "epoch": epoch}, none_on=410)
            return None if page is None else _checked_page(page, after)

    def _get(self, path: str, query: Mapping[str, Any] | None = None, none_on: int = 0) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        try:
            answer = self._http.get(f"{self.url}{path}", params=query, headers=headers, follow_redirects=False)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ProblemError(PROBLEMS["upstream_unreachable"], url=self.url, reason=reason) from error
        if answer.status_code == none_on and "json" in answer.headers.get("content-type", ""):
            return None
        self._check(answer)
        return answer.json()

    def _check(self, answer: httpx.Response) -> None:
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        is_ours = "json" in media_type and answer.headers.get("x-collector") == "1"
        if answer.status_code == 200 and is_ours:
            return
        if answer.status_code == 401 and is_ours:
            raise ProblemError(PROBLEMS["token_invalid"])
        reason = f"{answer.status_code} {media_type or 'sin tipo'}"
        if answer.status_code in (429, 502, 503, 504) or (is_ours and answer.status_code >= 500):
            raise ProblemError(PROBLEMS["upstream_unreachable"], url=self.url, reason=reason)
        raise ProblemError(PROBLEMS["upstream_strange"], url=self.url, reason=reason)

    @contextmanager
    def _well_formed(self) -> Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise ProblemError(PROBLEMS["upstream_strange"], url=self.url, reason=reason) from error


def _checked_page(page: dict[str, Any], after: int) -> dict[str, Any]:
    """Return the page if it can be trusted to move forward. Raises ValueError, KeyError or TypeError."""
    numbers = [int(entry["n"]) for entry in page["records"]]
    if numbers != sorted(set(numbers)) or (numbers and (numbers[0] <= after or numbers[-1] > page["next"])):
        raise ValueError("records out of order")
    if page["next"] < after or (page["more"] and not numbers):
        raise ValueError("the cursor does not move")
    if not isinstance(page["epoch"], str) or not page["epoch"]:
        raise ValueError("no epoch")
    page["last"] = int(page["last"])
    for entry in page["records"]:
        if not all(isinstance(entry[name], str) for name in ("id", "kind", "form", "version", "received", "state")):
            raise TypeError("a record without its head")
        if not isinstance(entry["record"], dict | None):
            raise TypeError("a record that is no object")
    return page
