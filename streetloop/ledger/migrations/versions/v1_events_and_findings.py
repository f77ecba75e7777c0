"""Events and drift findings."""

import sqlalchemy as sa
from alembic import op

from streetloop.ledger.schema.column_types import Moment

revision = "v1"
down_revision = None


def upgrade() -> None:
    """From an empty database."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("camera_id", sa.String(64)),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("model_version", sa.String(200)),
        sa.Column("coverage", sa.Float),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("events_by_camera", "events", ["camera_id", "started_at"])
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("opened_at", Moment, nullable=False),
        sa.Column("closed_at", Moment),
        sa.Column("model_version", sa.String(200), nullable=False),
        sa.Column("causes", sa.JSON, nullable=False),
        sa.Column("asks_for_labels", sa.Boolean, nullable=False),
        sa.Column("features", sa.JSON, nullable=False),
    )
    op.create_index("findings_by_camera", "findings", ["camera_id", "opened_at"])
