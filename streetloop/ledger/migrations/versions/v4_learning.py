"""Learning runs: from what asked for a new model to its end."""

import sqlalchemy as sa
from alembic import op

from streetloop.ledger.schema.column_types import Moment

revision = "v4"
down_revision = "v3"


def upgrade() -> None:
    """From rollouts."""
    op.create_table(
        "learning_runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("is_open", sa.Boolean, unique=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("trigger", sa.JSON, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(1000)),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("step_at", Moment, nullable=False),
        sa.Column("next_at", Moment),
        sa.Column("ended_at", Moment),
    )
