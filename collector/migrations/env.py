"""Alembic's entry: runs revisions on the connection that `run.py` gives, in the transaction that it has begun."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
context.run_migrations()
