"""The log's numbers, and how every fast statement is asked: by the driver, as it stands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

TAKE = "UPDATE log SET next_n = next_n + ? WHERE slot = 1 RETURNING next_n"


def asked(connection: Connection, statement: str, *values: object) -> Sequence[Sequence[Any]]:
    """Return the rows of one of our own statements, with "?" for each value: an eighth of what Core costs.

    For statements that are asked for every batch. They see what is written, not what a session still holds back.
    """
    with _by_driver(connection, "execute", statement, values) as answer:
        rows: list[Any] = answer.fetchall()
    return rows


def told(connection: Connection, statement: str, *values: object) -> None:
    """Carry out one of our own statements that gives no rows."""
    with _by_driver(connection, "execute", statement, values):
        pass


def told_of_each(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    """Carry out one of our own statements once for each row of values."""
    with _by_driver(connection, "executemany", statement, rows):
        pass


def among(connection: Connection, values: Sequence[object]) -> tuple[str, Sequence[object]]:
    """Return how a statement asks for a column that is one of `values`, and what to bind there.

    PostgreSQL takes them as one array: a statement that is always the same is read once, by the driver and by it.
    """
    if connection.dialect.name == "sqlite":
        return f"IN ({marks(len(values))})", values
    return "= ANY(?)", [list(values)]


def marks(count: int) -> str:
    """Return "?, ?, …", for so many values."""
    return ", ".join("?" * count)


@lru_cache(maxsize=64)
def for_psycopg(statement: str) -> str:
    """Return the statement as that driver writes values."""
    return statement.replace("?", "%s")


@contextmanager
def _by_driver(connection: Connection, how: str, statement: str, values: Sequence[Any]) -> Iterator[Any]:
    """Give the driver's own cursor of a statement, and tell its errors as every other statement does."""
    trouble: Any = connection.dialect.loaded_dbapi.Error
    written = statement if connection.dialect.name == "sqlite" else for_psycopg(statement)
    cursor: Any = connection.connection.cursor()
    try:
        getattr(cursor, how)(written, values)
        yield cursor
    except trouble as error:
        raise DBAPIError.instance(written, None, error, trouble) from error
    finally:
        cursor.close()


def take_numbers(session: Session, count: int) -> int:
    """Return the first of `count` log numbers; the row's lock keeps numbers in commit order on PostgreSQL too."""
    return int(asked(session.connection(), TAKE, count)[0][0]) - count
