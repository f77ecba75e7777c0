"""Changes of events, the outbox of event sinks, and mutes."""

import sqlalchemy as sa
from alembic import op

revision = "v14"
down_revision = "v13"


def upgrade() -> None:
    """From segments."""
    moment = sa.DateTime(timezone=True)
    with op.batch_alter_table("events") as batch:
        batch.add_column(sa.Column("muted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "event_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.Integer),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("camera_id", sa.String(64)),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("message", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("event_changes_by_time", "event_changes", ["at"])
    op.create_table(
        "outbox",
        sa.Column("sink", sa.String(64), primary_key=True),
        sa.Column("change", sa.Integer, primary_key=True, autoincrement=False),
    )
    op.create_index("outbox_by_change", "outbox", ["change"])
    op.create_table(
        "event_sinks",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("kinds", sa.JSON(none_as_null=True)),
        sa.Column("cameras", sa.JSON(none_as_null=True)),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("delivered", sa.Integer, nullable=False, server_default="0"),
        sa.Column("dropped", sa.Integer, nullable=False, server_default="0"),
        sa.Column("delivered_at", moment),
        sa.Column("failing_since", moment),
        sa.Column("error", sa.String(500)),
    )
    op.create_table(
        "mutes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mute", sa.JSON, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("at", moment, nullable=False),
        sqlite_autoincrement=True,
    )
