"""What Datasette shows beside a pulled file: titles, the questions as people read them, and a search. One JSON file."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from collector.pull.names import quoted

NAME = "datasette-metadata.json"
TITLE = "Collector"
TEXTS_TITLE = "Lo que la gente respondió con sus palabras"
SEARCH_TITLE = "Buscar en los textos, con o sin tildes"
SEARCH_SQL = (
    'select texts.form, texts.question, texts.text, texts.record, texts."table" from search '
    "join texts on texts.n = search.rowid where search match :palabras order by rank limit 500"
)
# the language that is asked for, else Spanish, comes last and so wins
PREFERRED = "{0} = :language or (:language = '' and {0} like '%(es)')"
# what a reader of the tables needs to know of our own columns
OURS = {
    "id": "Número del registro, o de la fila",
    "_n": "Número de su último cambio en el registro de central",
    "_received": "Cuándo llegó",
    "_node": "El equipo donde nació",
    "_state": "usable: cuenta",
    "_review": "Lo que dijo el laboratorio: received, has_issues, approved o rejected",
}


def write_metadata(file: Path, language: str = "") -> Path:
    """Write the metadata of a pulled file beside it and return where.

    language: of the questions, as the form names it; "" for Spanish where there is any. What stood there
    under that name is replaced.
    """
    path = file.parent / NAME
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
        opened.row_factory = sqlite3.Row
        content = {"title": TITLE, "databases": {file.stem: _database(opened, language)}}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def _database(opened: sqlite3.Connection, language: str) -> dict[str, Any]:
    tables = dict(_tables(opened, language))
    tables["texts"] = {"title": TEXTS_TITLE, "sort_desc": "n"}
    tables["_pull"] = {"hidden": True}
    return {
        "tables": tables,
        "queries": {"buscar": {"title": SEARCH_TITLE, "sql": SEARCH_SQL, "params": ["palabras"]}},
    }


def _tables(opened: sqlite3.Connection, language: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each table of a form or repeat with its title and what its columns ask."""
    repeats = opened.execute(
        'select "table", form, max(label) as title from questions where type = \'repeat\' group by "table", form'
    )
    forms = opened.execute('select "table", form, max(title) as title from forms group by "table", form')
    present = {row["name"] for row in opened.execute("select name from sqlite_master where type = 'table'")}
    for row in [*forms, *repeats]:
        if row["table"] in present:
            columns = _columns(opened, row["table"], language)
            # not every column of ours is in a table of rows, and Datasette shows what is named
            held = {each[1] for each in opened.execute(f"pragma table_info({quoted(row['table'])})")}
            known = {name: text for name, text in (OURS | columns).items() if name in held}
            yield row["table"], {"title": row["title"] or row["form"], "columns": known, "size": 50}


def _columns(opened: sqlite3.Connection, table: str, language: str) -> dict[str, str]:
    """Return column -> what it asks, and for a column of one choice the choice too; the newest version last."""
    asked = opened.execute(
        'select "column", label from questions where "table" = :table and "column" <> \'\' '  # noqa: S608  ours
        f"order by {PREFERRED.format('language')}, version, language desc",
        {"table": table, "language": language},
    )
    labels = {row["column"]: row["label"] for row in asked if row["label"]}
    chosen = opened.execute(
        'select c."column", q."column" as question, c.label from choices c join questions q '  # noqa: S608  ours
        "on q.form = c.form and q.version = c.version and q.name = c.question and q.language = c.language "
        f'where q."table" = :table and c."column" <> \'\' '
        f"order by {PREFERRED.format('c.language')}, c.version, c.language desc",
        {"table": table, "language": language},
    )
    for row in chosen:
        labels[row["column"]] = f"{labels.get(row['question'], row['question'])} · {row['label']}"
    return labels
