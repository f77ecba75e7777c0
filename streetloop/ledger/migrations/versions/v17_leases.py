"""Who runs the application of this ledger."""

import sqlalchemy as sa
from alembic import op

revision = "v17"
down_revision = "v16"


def upgrade() -> None:
    """From requests by minute and route."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("host", sa.String(255)),
        sa.Column("process", sa.BigInteger, nullable=False),
        sa.Column("process_began", sa.Float, nullable=False),
        sa.Column("beats", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
