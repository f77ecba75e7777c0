"""The gain of each rollout over time."""

import sqlalchemy as sa
from alembic import op

revision = "v20"
down_revision = "v19"


def upgrade() -> None:
    """From answers in the app."""
    op.create_table(
        "rollout_gains",
        sa.Column("rollout_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("second", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("mean", sa.Float, nullable=False),
        sa.Column("low", sa.Float),
        sa.Column("high", sa.Float),
        sa.Column("blocks", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
