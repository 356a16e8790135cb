"""The log's numbers, and what the driver calls a value: the two things that every fast statement needs."""

from sqlalchemy import Connection
from sqlmodel import Session


def mark(connection: Connection) -> str:
    """Return how this driver writes a value in a statement."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


def take_numbers(session: Session, count: int) -> int:
    """Return the first of `count` log numbers; the row's lock keeps numbers in commit order on PostgreSQL too."""
    connection = session.connection()
    statement = f"UPDATE log SET next_n = next_n + {mark(connection)} WHERE slot = 1 RETURNING next_n"  # noqa: S608
    return int(connection.exec_driver_sql(statement, (count,)).scalar_one()) - count
