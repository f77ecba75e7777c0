"""Requests by minute and route."""

import sqlalchemy as sa
from alembic import op

revision = "v16"
down_revision = "v15"


def upgrade() -> None:
    """From evaluations."""
    op.create_table(
        "request_counts",
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("route", sa.String(100), primary_key=True),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
