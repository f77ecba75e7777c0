"""How the stream of each camera fared, by minute."""

import sqlalchemy as sa
from alembic import op

revision = "v18"
down_revision = "v17"


def upgrade() -> None:
    """From leases."""
    op.create_table(
        "camera_minutes",
        sa.Column("camera_id", sa.String(64), primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("watched_ms", sa.Integer, nullable=False),
        sa.Column("decoded", sa.Integer, nullable=False),
        sa.Column("detected", sa.Integer, nullable=False),
        sa.Column("objects", sa.Integer, nullable=False),
        sa.Column("lag_ms", sa.Integer, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("classes", sa.JSON, nullable=False),
        sqlite_with_rowid=False,
    )
