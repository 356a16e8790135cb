"""`collector pull`: keeps a local SQLite file current with what a node holds, page by page, ready for Datasette.

    anything new? -> definitions not seen yet -> records after the cursor -> rows and cursor in one transaction -> again

Cut anywhere, the file stands at the last whole page and the next run goes on from there. Run twice, nothing changes:
one small request says so. The next page is on its way while the last one is written.
The file is the reader's own: other tables in it are left alone, and a row is only removed when it counts no longer.
"""

import errno
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlite_utils import Database

from collector.problems import PROBLEMS, ProblemError
from collector.pull.explained import ReadUpTo
from collector.pull.file import LabFile
from collector.pull.line import TIMEOUT_SECONDS, NodeLine, Page, Unchanged
from sync.line import open_line

PAGE_RECORDS = 1000
RETRIES = 4
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
    purpose: str = "",
    retries: int = RETRIES,
) -> PullResult:
    """Bring the file `to` up to date with the node at `url`.

    purpose: what the data is for, where the token does not say it. Raises ProblemError: token_invalid, scope_missing,
    pull_unreachable, pull_cut, upstream_strange, bad_request (the address), pull_file_unusable, pull_file_busy,
    pull_disk_full. What was written before stays. `http` is for callers with a client of their own (tests).
    """
    client = http or _plain_line()
    try:
        node = NodeLine(client, url, token, purpose, retries)
        with _open_file(to) as file:
            return _Pull(node, file, page_records).run(progress or (lambda _at, _last: None))
    finally:
        if http is None:
            client.close()


def _plain_line() -> httpx.Client:
    """Return a client that says no more than it must: a pull with nothing new is little else than its headers."""
    client = open_line(TIMEOUT_SECONDS)
    for name in ("accept", "accept-encoding", "connection"):
        del client.headers[name]
    client.headers["user-agent"] = "collector"
    return client


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
        raise _file_problem(path, error) from error
    finally:
        if database is not None:
            database.close()
        if is_new and (file is None or not file.has_pages):
            path.unlink(missing_ok=True)


def _file_problem(path: Path, error: Exception) -> ProblemError:
    """Return what is wrong with the file, in words that say what to do about it."""
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return ProblemError(PROBLEMS["pull_file_busy"], path=str(path))
    if "disk is full" in str(error) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return ProblemError(PROBLEMS["pull_disk_full"], path=str(path))
    return ProblemError(PROBLEMS["pull_file_unusable"], path=str(path), reason=str(error))


class _Pull:
    """One run: what the node says, written to the file."""

    def __init__(self, node: NodeLine, file: LabFile, page_records: int) -> None:
        self._node, self._file, self._page_records = node, file, page_records
        self._new = self._read = 0
        self._restarted = False

    def run(self, progress: Progress) -> PullResult:
        at = self._file.read_up_to(self._node.url)
        page = self._ask(at)
        if page is None:  # the log began anew: rows are keyed by id, so reading all of it again harms nothing
            at, self._restarted = ReadUpTo(), True
            page = self._ask(at)
        with ThreadPoolExecutor(1) as ahead:
            while isinstance(page, Page):
                forms, at = at.forms, _behind(page)
                more = page.content["more"]
                coming = ahead.submit(self._ask, at) if more else None
                self._write(page, at, forms)
                progress(at.next, max(page.content["last"], at.next))
                page = coming.result() if coming else None
                if more and page is None:
                    raise ProblemError(PROBLEMS["feed_changed"], epoch="")
        return PullResult(self._new, self._read, self._file.written, self._restarted)

    def _ask(self, at: ReadUpTo) -> Page | Unchanged | None:
        query = {"after": at.next, "limit": self._page_records, "epoch": at.epoch}
        return self._node.page(query, at.next, at.tag)

    def _write(self, page: Page, at: ReadUpTo, forms: str) -> None:
        """Write a page. forms: mark of the forms that the file knows."""
        records = page.records
        is_new = not at.forms or at.forms != forms
        if is_new or any(not self._file.knows(entry["form"], entry["version"]) for entry in records if entry["form"]):
            self._fetch_forms()
        self._new += self._file.write_page(records, self._node.url, at)
        self._read += len(records)

    def _fetch_forms(self) -> None:
        """Fetch the definitions not in the file yet, oldest first, so that columns stand in the order they came."""
        for listed in self._node.forms():
            for version in reversed(listed["versions"]):
                if not self._file.knows(listed["form_id"], version["version"]):
                    self._file.add_form(self._node.definition(listed["form_id"], version["version"]))


def _behind(page: Page) -> ReadUpTo:
    """Return where the page ends; with its tag when it is the last one, to ask by it whether anything is new."""
    said = page.content
    return ReadUpTo(said["epoch"], said["next"], "" if said["more"] else page.tag, said.get("forms", ""))
