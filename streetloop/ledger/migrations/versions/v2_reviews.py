"""The queue of frames that people are asked about."""

import sqlalchemy as sa
from alembic import op

from streetloop.ledger.schema.column_types import Moment

revision = "v2"
down_revision = "v1"


def upgrade() -> None:
    """From events and findings."""
    op.create_table(
        "reviews",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("image_key", sa.String(200), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("captured_at", Moment, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("rank", sa.Integer),
        sa.Column("model_version", sa.String(200), nullable=False),
        sa.Column("boxes", sa.JSON, nullable=False),
        sa.Column("drift", sa.String(64), nullable=False),
        sa.Column("origin", sa.JSON, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("chosen_at", Moment),
        sa.Column("pushed_at", Moment),
        sa.Column("answered_at", Moment),
        sa.Column("labeler", sa.String(200)),
        sa.Column("label", sa.JSON),
        sa.Column("note", sa.String(1000)),
        sa.Column("dataset", sa.String(64)),
    )
    op.create_index("reviews_by_state", "reviews", ["state", "captured_at"])
