"""Runs the revisions. Loaded only when there is one to run: alembic costs a fifth of a second."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from collector.db import changing_tables
from collector.migrations import HEAD, REVISION_OF_SCHEMA
from collector.problems import PROBLEMS, ProblemError

SCHEMA_OF_REVISION = {revision: schema for schema, revision in REVISION_OF_SCHEMA.items()}
SET_SCHEMA = text(
    "INSERT INTO meta (key, value) VALUES ('schema', :schema) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
log = logging.getLogger("collector.migrations")


def config(connection: Connection | None = None) -> Config:
    """Return alembic's settings: the scripts of this package, on a connection that is already in its transaction."""
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    return made


def revisions() -> list[str]:
    """Return the revisions from the first to the last."""
    walked = ScriptDirectory.from_config(config()).walk_revisions()
    return [script.revision for script in walked][::-1]


def upgrade(engine: Engine, upto: str = HEAD) -> None:
    """Bring the store to the revision `upto`. Killed in the middle, it goes on where it stood.

    A store of release 1 knows nothing of revisions: 0001 leaves the tables that are there as they are.
    Raises ProblemError `newer_database` for a revision that this release does not know.
    """
    for revision in revisions():
        if revision <= upto:
            _step(engine, revision)


def _step(engine: Engine, revision: str) -> None:
    with changing_tables(engine) as session:
        connection = session.connection()
        held = MigrationContext.configure(connection).get_current_revision()
        if held is not None and held not in REVISION_OF_SCHEMA.values():
            raise ProblemError(PROBLEMS["newer_database"], found=held, known=HEAD)
        if held is not None and held >= revision:
            return
        log.info("store: from %s to %s", held or "release 1", revision)
        command.upgrade(config(connection), revision)
        session.execute(SET_SCHEMA, {"schema": str(SCHEMA_OF_REVISION[revision])})
