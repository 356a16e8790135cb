"""Every table of a node, the same on SQLite and PostgreSQL. Only `queries/` and `db.py` import them.

Rules that keep the doors open (docs/architecture.md): no UNIQUE without the id it belongs to beyond the log's own,
upserts only ON CONFLICT DO NOTHING, times as epoch milliseconds (`_ms`), text bytes kept verbatim.

A module is imported by those who ask its tables: what SQLAlchemy makes of a class costs a start 4 ms.
"""

from importlib import import_module

from sqlalchemy import MetaData
from sqlmodel import SQLModel

SCHEMA_VERSION = 3


class Stored(SQLModel, defer_build=True):
    """What all tables share: nothing is checked on the way in, so what would check it is not made on every start."""


MODULES = ("log", "nodes", "forms", "files", "lab")


def every_table() -> MetaData:
    """Import every table of a node; return them all."""
    for name in MODULES:
        import_module(f"collector.tables.{name}")
    return SQLModel.metadata
