"""The classes that were asked about, by frame: those that a camera counts."""

import sqlalchemy as sa
from alembic import op

revision = "v23"
down_revision = "v22"


def upgrade() -> None:
    """From the version before, which asked about all classes."""
    op.add_column("reviews", sa.Column("asked", sa.Text))
