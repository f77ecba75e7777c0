"""Answers that people give in the app."""

import sqlalchemy as sa
from alembic import op

revision = "v19"
down_revision = "v18"


def upgrade() -> None:
    """From minutes of cameras."""
    op.create_table(
        "app_answers",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("asks", sa.Integer, nullable=False),
        sa.Column("classes", sa.Text, nullable=False),
        sa.Column("boxes", sa.JSON(none_as_null=True)),
        sa.Column("labeler", sa.String(100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
