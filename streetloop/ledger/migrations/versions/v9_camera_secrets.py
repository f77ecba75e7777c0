"""Addresses with secrets in a table of their own, of cameras that are there; documents show ***."""

import sqlalchemy as sa
from alembic import op

from streetloop.secrets import redact

revision = "v9"
down_revision = "v8"


def upgrade() -> None:
    """From documents with passwords."""
    secrets = op.create_table(
        "camera_secrets",
        sa.Column("camera_id", sa.String(64), primary_key=True),
        sa.Column("uri", sa.Text, nullable=False),
    )
    changes = sa.table(
        "camera_changes",
        sa.column("id", sa.Integer),
        sa.column("camera_id", sa.String),
        sa.column("document", sa.JSON(none_as_null=True)),
    )
    connection = op.get_bind()
    newest: dict[str, str] = {}
    for number, camera, document in connection.execute(sa.select(changes).order_by(changes.c.id)).all():
        uri = str((document or {}).get("uri", ""))
        newest[camera] = uri
        if redact(uri) != uri:
            shown = {**document, "uri": redact(uri)}
            connection.execute(changes.update().where(changes.c.id == number).values(document=shown))
    for camera, uri in newest.items():
        if redact(uri) != uri:
            connection.execute(secrets.insert().values(camera_id=camera, uri=uri))
