"""Cameras that were added, changed or removed while the system ran."""

import sqlalchemy as sa
from alembic import op

from streetloop.ledger.schema.column_types import Moment

revision = "v5"
down_revision = "v4"


def upgrade() -> None:
    """From learning runs."""
    op.create_table(
        "camera_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("camera_id", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True)),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
