"""Cause, certainty, evidence and acknowledgement of events."""

import sqlalchemy as sa
from alembic import op

revision = "v8"
down_revision = "v7"


def upgrade() -> None:
    """From classes of reviews."""
    with op.batch_alter_table("events") as batch:
        batch.add_column(sa.Column("cause", sa.String(500)))
        batch.add_column(sa.Column("certainty", sa.Float))
        batch.add_column(sa.Column("evidence", sa.JSON, nullable=False, server_default="[]"))
        batch.add_column(sa.Column("rule_version", sa.String(64)))
        batch.add_column(sa.Column("acknowledged_at", sa.DateTime(timezone=True)))
        batch.add_column(sa.Column("acknowledged_by", sa.String(100)))
