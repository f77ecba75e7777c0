"""Evaluations that were asked for over HTTP."""

import sqlalchemy as sa
from alembic import op

revision = "v15"
down_revision = "v14"


def upgrade() -> None:
    """From the outbox and mutes."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("model", sa.String(300), nullable=False),
        sa.Column("dataset", sa.String(64), nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True)),
        sa.Column("error", sa.String(1000)),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("started_at", moment),
        sa.Column("ended_at", moment),
    )
    op.create_index("evaluations_by_state", "evaluations", ["state", "id"])
