"""What keeps the audit as it was written: the database itself refuses to change or take away a row of it.

Whoever can open the file with other tools can drop the triggers too: they stop our own mistakes, and leave a trace of
anybody else's. SQLite and PostgreSQL say it each in its own words.
"""

from sqlalchemy import DDL, Connection, Table, event

REFUSAL = "audit rows are only added"
ON_SQLITE = tuple(
    f"CREATE TRIGGER audit_keeps_{what.lower()} BEFORE {what} ON audit BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for what in ("UPDATE", "DELETE")
)
ON_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$",
    "CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keeps()",
    "CREATE TRIGGER audit_keeps_all BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps()",
)
BY_DIALECT = {"sqlite": ON_SQLITE, "postgresql": ON_POSTGRESQL}


def keep(connection: Connection) -> None:
    """Guard the table `audit`; once, when a migration makes it."""
    for statement in BY_DIALECT[connection.dialect.name]:
        connection.exec_driver_sql(statement)


def keep_when_made(table: Table) -> None:
    """Have the table guarded as soon as a new store makes it."""
    for dialect, statements in BY_DIALECT.items():
        for statement in statements:
            made = DDL(statement).execute_if(dialect=dialect)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", made)
