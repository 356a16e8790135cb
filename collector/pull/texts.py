"""What people answered in their own words, in one table of the lab's file, and a search that knows no accents.

    texts    a row an answer: form, table, record, row, question, text
    search   FTS5 over them: `select * from search where search match 'rio'` finds "río" and "Río"

Whatever changes `texts` here changes `search` with it, many rows at once: by triggers, row by row, that took five times
as long. What is erased leaves the index too: a deleted word stays in FTS5 until its parts are merged, so that is done
when something was taken away.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import cache

from collector.pull.names import marks, quoted

TEXTS = """
create table if not exists texts (
    n integer primary key, form text, "table" text, record text, "row" text, question text, text text
)
"""
INDEX = "create index if not exists idx_texts_record on texts (record)"
SEARCH = """
create virtual table if not exists search using fts5 (
    text, form unindexed, record unindexed, question unindexed,
    content="texts", content_rowid="n", tokenize="unicode61 remove_diacritics 2"
)
"""
PUT_IN = "insert into search (rowid, text) select n, text from texts where {}"
TAKE_OUT = "insert into search (search, rowid, text) select 'delete', n, text from texts where {}"
COLUMNS = ("form", "table", "record", "row", "question", "text")

# (form, table, record, row, question, text)
Text = tuple[str, str, str, str, str, str]


def prepare_texts(opened: sqlite3.Connection) -> bool:
    """Make the table and its search where they are missing; tell whether the table is new.

    An SQLite built without FTS5 gets the table alone. Raises ValueError when a table of other use has the name.
    """
    present = [name for _, name, *_ in opened.execute("pragma table_info(texts)")]
    if present and not set(COLUMNS) <= set(present):
        raise ValueError("la tabla texts es de otro uso")
    opened.execute(TEXTS)
    opened.execute(INDEX)
    if has_search():
        opened.execute(SEARCH)
    return not present


@cache
def has_search() -> bool:
    """Tell whether this SQLite can search texts."""
    with closing(sqlite3.connect(":memory:")) as opened:
        return ("ENABLE_FTS5",) in opened.execute("pragma compile_options").fetchall()


def add_texts(opened: sqlite3.Connection, texts: Iterable[Text]) -> None:
    """Add answers, to the search too."""
    last = _last(opened)
    statement = 'insert into texts (form, "table", record, "row", question, text) values (?, ?, ?, ?, ?, ?)'
    opened.executemany(statement, texts)
    _tell_search(opened, PUT_IN, "n > ?", [last])


def drop_texts(opened: sqlite3.Connection, records: Sequence[str]) -> None:
    """Take away the answers of these records, from the search too."""
    _drop(opened, f"record in ({marks(records)})", records)


def _drop(opened: sqlite3.Connection, which: str, values: Sequence[str]) -> None:
    _tell_search(opened, TAKE_OUT, which, values)
    opened.execute(f"delete from texts where {which}", values)  # noqa: S608  ours


def _tell_search(opened: sqlite3.Connection, statement: str, which: str, values: Sequence[object]) -> None:
    if has_search():
        opened.execute(statement.format(which), values)


def _last(opened: sqlite3.Connection) -> int:
    (last,) = opened.execute("select coalesce(max(n), 0) from texts").fetchone()
    return int(last)


def forget_words(opened: sqlite3.Connection) -> None:
    """Merge the search so that nothing is left in it of what was taken away. Cost: as writing all of it anew."""
    if has_search():
        opened.execute("insert into search (search) values ('optimize')")


def fill_texts(opened: sqlite3.Connection, form: str, table: str, question: str, column: str, record: str) -> None:
    """Put in what a table holds in one column already. record: the column that names the record."""
    _drop(opened, '"table" = ? and question = ?', [table, question])
    last = _last(opened)
    opened.execute(
        'insert into texts (form, "table", record, "row", question, text) '  # noqa: S608  quoted
        f"select ?, ?, {quoted(record)}, id, ?, {quoted(column)} from {quoted(table)} "
        f"where typeof({quoted(column)}) = 'text' and {quoted(column)} <> ''",
        [form, table, question],
    )
    _tell_search(opened, PUT_IN, "n > ?", [last])
