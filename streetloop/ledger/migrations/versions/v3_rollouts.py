"""Rollouts of new models, and every decision on them."""

import sqlalchemy as sa
from alembic import op

from streetloop.ledger.schema.column_types import Moment

revision = "v3"
down_revision = "v2"


def upgrade() -> None:
    """From reviews."""
    op.create_table(
        "rollouts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("is_open", sa.Boolean, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("model", sa.String(500), nullable=False),
        sa.Column("champion", sa.String(500), nullable=False),
        sa.Column("city", sa.String(100)),
        sa.Column("policy", sa.JSON, nullable=False),
        sa.Column("phase", sa.JSON, nullable=False),
        sa.Column("evidence", sa.JSON),
        sa.Column("reading", sa.JSON, nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("phase_at", Moment, nullable=False),
        sa.Column("phase_frames", sa.Integer, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("wanted", sa.String(16)),
        sa.Column("wanted_by", sa.String(100)),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("rollout_id", sa.Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("reading", sa.JSON, nullable=False),
    )
    op.create_index("decisions_by_rollout", "decisions", ["rollout_id", "id"])
