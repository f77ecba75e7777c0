"""Incidents, and which events belong to each."""

import sqlalchemy as sa
from alembic import op

revision = "v12"
down_revision = "v11"


def upgrade() -> None:
    """From a ledger without incidents."""
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "incident_events",
        sa.Column("event_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("incident_id", sa.Integer, nullable=False),
    )
    op.create_index("events_by_incident", "incident_events", ["incident_id"])
    op.create_index("events_by_time", "events", ["started_at"])
