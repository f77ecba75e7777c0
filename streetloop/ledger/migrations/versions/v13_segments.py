"""The index of recorded video."""

import sqlalchemy as sa
from alembic import op

revision = "v13"
down_revision = "v12"


def upgrade() -> None:
    """From a ledger without recordings."""
    op.create_table(
        "segments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(300), nullable=False, unique=True),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("codec", sa.String(32), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("gaps", sa.JSON, nullable=False),
        sa.Column("motion", sa.Float),
        sa.Column("events", sa.Float),
        sa.Column("run", sa.String(64)),
        sa.Column("frame_id", sa.BigInteger),
        sa.Column("pts_offset", sa.Float),
    )
    op.create_index("segments_by_camera", "segments", ["camera_id", "started_at"])
    op.create_index("segments_by_time", "segments", ["started_at"])
