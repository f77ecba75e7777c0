"""Line crossings by minute, and how much of each minute the camera was looked at."""

import sqlalchemy as sa
from alembic import op

revision = "v6"
down_revision = "v5"


def upgrade() -> None:
    """From camera changes."""
    op.create_table(
        "line_counts",
        sa.Column("camera_id", sa.String(64), primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line", sa.String(100), primary_key=True),
        sa.Column("direction", sa.String(8), primary_key=True),
        sa.Column("class_name", sa.String(200), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("inferred", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "line_coverage",
        sa.Column("camera_id", sa.String(64), primary_key=True),
        sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line", sa.String(100), primary_key=True),
        sa.Column("covered_ms", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
