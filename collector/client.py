"""A node's records in Python: rows as `collector pull` writes them, from a cursor on. Needs httpx; pandas for frames.

    from collector.client import Client

    with Client("https://central.ejemplo.pa", "col_…") as client:
        rows = client.table("barrio")
        for row in rows:
            print(row["id"], row["edad"])
        later = client.table("barrio", since=rows.cursor)      # only what is new or changed
        people = client.table("hogar", "persona").frame()      # rows of a repeat, as a pandas DataFrame

Nothing is left out in silence: a page that is not whole is refused, a cut line is tried again from the last whole page,
and the rows end only when the node says that its log does.
"""

import re
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from collector.forms.model import Form
from collector.lab.cursors import place_of
from collector.lab.listed import with_place_columns
from collector.lab.pulled import FormTable, place_version
from collector.lab.tables import Column, as_text, language_of, shown, tables_of
from collector.problems import PROBLEMS, ProblemError
from collector.pull.line import TIMEOUT_SECONDS, NodeLine, Page, whole_token, whole_url
from collector.territory import place_labels
from sync.line import open_line

if TYPE_CHECKING:
    import pandas

PAGE_RECORDS = 1000
RETRIES = 5
COLLECTED = ("submission", "edit")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Client:
    """A node as a program reads it. url: of the node; token: col_… as the lab made it.

    purpose: what the data is for, where the token does not say it: it stands in the node's audit. retries: how often a
    cut request is made again. http: a client of your own. Raises ProblemError: `error.problem.code` says which,
    `str(error)` says it in English.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        purpose: str = "",
        retries: int = RETRIES,
        page_records: int = PAGE_RECORDS,
        http: httpx.Client | None = None,
    ) -> None:
        url, token = whole_url(url), whole_token(token)  # before a line is opened
        self._own = None if http else open_line(TIMEOUT_SECONDS)
        self._page_records = page_records
        client = http or self._own
        assert client is not None  # one of the two
        self._line = NodeLine(client, url, token, purpose or "collector.client", retries)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the line, unless it is your own."""
        if self._own is not None:
            self._own.close()

    def forms(self) -> list[dict[str, Any]]:
        """Return the forms that the token reads: form_id, and its versions, newest first."""
        return self._line.forms()

    def counts(self, form: str) -> dict[str, Any]:
        """Return a form in numbers, as GET /api/v1/forms/FORM/counts has it."""
        return self._line.json(f"/api/v1/forms/{quote(form, safe='')}/counts")

    def table(self, form: str, repeat: str = "", *, since: str = "", labels: str = "") -> "Rows":
        """Return the records of a form, or the rows of one of its repeats ("persona", "persona/visita").

        since: a cursor (`rows.cursor`), or a day ("2026-11-20") from which on records arrived or changed. labels: a
        language of the form ("es", or its whole name): choices by their labels instead of their names.
        """
        return Rows(self._line, form, repeat, since, labels, self._page_records)


class Rows:
    """Rows of one table, each a dict by column; read once, from the first to the last.

    columns: names as in the file of `collector pull`. cursor: behind the last page that was given out whole; after the
    last row, behind everything. removed: ids of records that no longer count (erased, replaced by an edit, under
    repair), as far as read.

    A record that changed since `since` comes again under its id, with its rows. A record that changes while it is read
    comes twice, the second time as it is then: `frame()` keeps that one.
    """

    def __init__(self, line: NodeLine, form: str, repeat: str, since: str, labels: str, page_records: int) -> None:
        self._line, self._form, self._repeat, self._labels = line, form, repeat, labels
        self._since, self.cursor = (since, "") if _DAY.match(since) else ("", since)
        self._page_records = page_records
        self._root = FormTable(form, set())
        self._forms: list[Form] = []
        self._shown: dict[str, Column] = {}
        self.removed: set[str] = set()
        self._rows = self._read()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._rows

    def __next__(self) -> dict[str, Any]:
        return next(self._rows)

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns, as far as the definitions and the records read say."""
        table = self._table()
        return list(table.types) if table else []

    def frame(self) -> "pandas.DataFrame":
        """Return the rows as a pandas DataFrame: whole numbers as Int64, decimals as float64, the rest as given.

        Each record once, as it was read last; those in `removed` are not in it.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError(
                "frame() needs pandas: pip install pandas. Without it, read the rows one by one."
            ) from error
        by_record: dict[str, list[dict[str, Any]]] = {}
        for record_id, rows in self._records():
            by_record[record_id] = rows
        rows = [row for record_id, rows in by_record.items() if record_id not in self.removed for row in rows]
        frame = pandas.DataFrame(rows, columns=self.columns)
        for name, kind in (self._table() or self._root).types.items():
            if kind == "INTEGER" and _is_whole(frame[name]):
                frame[name] = frame[name].astype("Int64")
            elif kind == "REAL" and _is_whole(frame[name]):
                frame[name] = frame[name].astype("float64")
        return frame

    # --- reading

    def _read(self) -> Iterator[dict[str, Any]]:
        for _, rows in self._records():
            yield from rows

    def _records(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Give (record, its rows in this table); the cursor moves when a page has been given out."""
        self._learn()
        more = True
        while more:
            page = self._page()
            for entry in page.records:
                if entry["form"] == self._form and entry["kind"] in COLLECTED:
                    yield from self._rows_of(entry)
            self.cursor, more = page.content["cursor"], page.content["more"]

    def _page(self) -> Page:
        where = {"cursor": self.cursor} if self.cursor else {"since": self._since} if self._since else {}
        place = place_of(self.cursor)
        query = {"form": self._form, "limit": self._page_records, **where}
        page = self._line.page(query, place.after if place else 0)
        if not isinstance(page, Page):
            raise ProblemError(PROBLEMS["upstream_strange"], url=self._line.url, reason="no page")
        return page

    def _rows_of(self, entry: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        if entry["record"] is None or entry["state"] != "usable":
            self.removed.add(entry["id"])
            return
        self.removed.discard(entry["id"])
        if all(form.version != entry["version"] for form in self._forms):
            self._learn()  # published since
        is_explained = any(form.version == entry["version"] for form in self._forms)
        whole = {**entry, "record": with_place_columns(entry["record"], place_labels())}
        rows = list(self._root.rows(whole, is_explained))
        wanted = self._table()
        yield entry["id"], [self._told(table, row) for table, row in rows if table is wanted]

    def _told(self, table: FormTable, row: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: row.get(name) for name in table.types}
        for name, column in self._shown.items():
            if told.get(name) is not None:
                told[name] = shown(column, as_text(told[name]), self._language(column.form))
        return told

    def _table(self) -> FormTable | None:
        """Return the table that is asked for: by its whole name, else the first whose last part is called so."""
        tables = {"/".join(table.steps): table for table in reversed(list(self._root.walk()))}
        short = {name.rpartition("/")[2]: table for name, table in tables.items()}
        return tables.get(self._repeat) or short.get(self._repeat)

    # --- definitions

    def _learn(self) -> None:
        """Fetch the definitions not known yet, oldest first. Raises ProblemError repeat_unknown."""
        known = {form.version for form in self._forms}
        for version in self._versions():
            if version not in known:
                form = self._line.definition(self._form, version)
                self._forms.append(form)
                place_version(tables_of([form]), self._root)
        table = self._table()
        if self._repeat and table is None and self._forms:
            named = ", ".join("/".join(each.steps) for each in self._root.walk() if each.steps) or "–"
            raise ProblemError(PROBLEMS["repeat_unknown"], repeat=self._repeat, form=self._form, named=named)
        if self._labels and table is not None:
            self._shown = {table.keys[column.key]: column for column in self._choice_columns(table)}

    def _versions(self) -> list[str]:
        try:
            found = self._line.json(f"/api/v1/forms/{quote(self._form, safe='')}")
        except ProblemError as error:
            if error.problem.code != "form_not_found":
                raise
            return []  # records may name a form that is not published there: the feed says whether there are any
        return [version["version"] for version in reversed(found["versions"])]

    def _choice_columns(self, table: FormTable) -> Iterator[Column]:
        for each in tables_of(self._forms).walk():
            if each.steps == table.steps:
                yield from (column for column in each.columns if column.has_choices and column.key in table.keys)

    def _language(self, form: Form) -> str:
        return self._labels if self._labels in form.languages else language_of(form, self._labels)


def _is_whole(values: Any) -> bool:
    """Tell whether a column holds numbers alone: an answer that is none stays as the text it was."""
    return all(value is None or isinstance(value, int | float) for value in values)
