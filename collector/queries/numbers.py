"""The log's numbers, and how every fast statement is asked: by the driver, as it stands."""

from collections.abc import Sequence
from functools import lru_cache
from sqlite3 import Error as SqliteError
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

TAKE = "UPDATE log SET next_n = next_n + ? WHERE slot = 1 RETURNING next_n"


def asked(connection: Connection, statement: str, *values: object) -> Sequence[Sequence[Any]]:
    """Return the rows of one of our own statements, with "?" for each value: an eighth of what Core costs.

    For statements that are asked for every batch. They see what is written, not what a session still holds back.
    """
    if connection.dialect.name == "sqlite":
        rows: list[Any] = _by_driver(connection, "execute", statement, values).fetchall()
        return rows
    return connection.exec_driver_sql(for_psycopg(statement), values).all()


def told(connection: Connection, statement: str, *values: object) -> None:
    """Carry out one of our own statements that gives no rows."""
    if connection.dialect.name == "sqlite":
        _by_driver(connection, "execute", statement, values)
    else:
        connection.exec_driver_sql(for_psycopg(statement), values)


def told_of_each(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    """Carry out one of our own statements once for each row of values."""
    if connection.dialect.name == "sqlite":
        _by_driver(connection, "executemany", statement, rows)
    else:
        connection.exec_driver_sql(for_psycopg(statement), rows)


def marks(count: int) -> str:
    """Return "?, ?, …", for so many values."""
    return ", ".join("?" * count)


@lru_cache(maxsize=64)
def for_psycopg(statement: str) -> str:
    """Return the statement as that driver writes values."""
    return statement.replace("?", "%s")


def _by_driver(connection: Connection, how: str, statement: str, values: Sequence[Any]) -> Any:
    """Ask SQLite itself, and tell its errors as every other statement does."""
    try:
        return getattr(connection.connection.driver_connection, how)(statement, values)
    except SqliteError as error:
        raise DBAPIError.instance(statement, None, error, SqliteError) from error


def take_numbers(session: Session, count: int) -> int:
    """Return the first of `count` log numbers; the row's lock keeps numbers in commit order on PostgreSQL too."""
    return int(asked(session.connection(), TAKE, count)[0][0]) - count
