"""From the tables of an earlier release to today's: one revision a schema number, each in a transaction of its own.

    0001  the tables of release 1                    schema 1
    0002  what trust in syncing needs                schema 2
    0003  what the lab needs                         schema 3

Additions only, so that what read the tables of one release reads those of the next. `collector/db.py: prepare_store`
runs them (`run.py`); this module is all that a store which is up to date ever loads.
"""

from sqlalchemy import Connection, text

HEAD = "0003"
REVISION_OF_SCHEMA = {1: "0001", 2: "0002", 3: "0003"}


def stamp(connection: Connection, revision: str) -> None:
    """Note, where alembic looks for it, that a new store has the tables of `revision`."""
    connection.execute(
        text(
            "CREATE TABLE alembic_version "
            "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:revision)"), {"revision": revision})
