"""The index of recorded video by hour."""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from streetloop.ledger.history.recorded_hours import IndexedSegment, hours_of, index_hour, stretches
from streetloop.ledger.schema.column_types import Moment

revision = "v21"
down_revision = "v20"

_AT_ONCE = 10_000


def upgrade() -> None:
    """From an index of segments alone, camera by camera."""
    made = op.create_table(
        "recorded_hours",
        sa.Column("camera_id", sa.String(64), primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("runs", sa.JSON, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("recorded_hours_by_time", "recorded_hours", ["hour"])
    found = sa.table(
        "segments",
        sa.column("camera_id", sa.String),
        sa.column("started_at", Moment),
        sa.column("ended_at", Moment),
        sa.column("bytes", sa.BigInteger),
        sa.column("motion", sa.Float),
        sa.column("gaps", sa.JSON),
    )
    c = found.c
    connection = op.get_bind()
    for camera in connection.execute(sa.select(c.camera_id).distinct()).scalars().all():
        query = sa.select(c.started_at, c.ended_at, c.bytes, c.motion, c.gaps).where(c.camera_id == camera)
        hours: defaultdict[int, list[IndexedSegment]] = defaultdict(list)
        for started, ended, size, motion, gaps in connection.execute(query.order_by(c.started_at)):
            one = IndexedSegment(started, ended, size, motion, stretches(gaps))
            for hour in hours_of(started, ended):
                hours[hour].append(one)
        rows = [
            dict(zip(("camera_id", "hour", "segments", "bytes", "runs"), (camera, hour, *index), strict=True))
            for hour, index in ((hour, index_hour(some, hour)) for hour, some in hours.items())
        ]
        for start in range(0, len(rows), _AT_ONCE):
            op.bulk_insert(made, rows[start : start + _AT_ONCE])
