"""Speeds of what drove along a line, by minute."""

import sqlalchemy as sa
from alembic import op

revision = "v22"
down_revision = "v21"


def upgrade() -> None:
    """From the version before."""
    op.create_table(
        "line_speeds",
        sa.Column("camera_id", sa.String(64), primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line", sa.String(100), primary_key=True),
        sa.Column("direction", sa.String(8), primary_key=True),
        sa.Column("class_name", sa.String(200), primary_key=True),
        sa.Column("kmh", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
