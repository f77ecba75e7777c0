"""Comments on events, and events that did not happen."""

import sqlalchemy as sa
from alembic import op

revision = "v11"
down_revision = "v10"


def upgrade() -> None:
    """From checks of a teacher."""
    with op.batch_alter_table("events") as batch:
        batch.add_column(sa.Column("comment", sa.String(1000)))
        batch.add_column(sa.Column("commented_by", sa.String(100)))
        batch.add_column(sa.Column("false_at", sa.DateTime(timezone=True)))
        batch.add_column(sa.Column("false_by", sa.String(100)))
