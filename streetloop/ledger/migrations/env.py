"""Run by Alembic: migrate on the connection that `database.open_ledger` hands over."""

from alembic import context

from streetloop.ledger.schema.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
