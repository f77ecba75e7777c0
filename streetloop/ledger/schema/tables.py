"""The tables of the ledger; `migrations` brings a database to this shape."""

import numpy as np
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
)

from streetloop.ledger.schema.column_types import BoxList, CauseList, ClassNames, Moment, Vector

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("camera_id", String(64)),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("model_version", String(200)),
    Column("coverage", Float),
    Column("detail", JSON, nullable=False),
    Column("cause", String(500)),
    Column("certainty", Float),
    Column("evidence", JSON, nullable=False, server_default="[]"),
    Column("rule_version", String(64)),
    Column("acknowledged_at", Moment),
    Column("acknowledged_by", String(100)),
    Column("comment", String(1000)),
    Column("commented_by", String(100)),
    Column("false_at", Moment),
    Column("false_by", String(100)),
    Column("muted", Boolean, nullable=False, server_default=false()),
    Index("events_by_camera", "camera_id", "started_at"),
    Index("events_by_time", "started_at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", Moment, nullable=False),
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=False),
    Column("incident_id", Integer, nullable=False),
    Index("events_by_incident", "incident_id"),
)

event_changes = Table(
    "event_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", Integer),  # none of a test of a sink
    Column("kind", String(64), nullable=False),
    Column("camera_id", String(64)),
    Column("change", String(16), nullable=False),
    Column("at", Moment, nullable=False),  # when it was written
    Column("message", JSON, nullable=False),
    Index("event_changes_by_time", "at"),
    sqlite_autoincrement=True,  # who reads on from a number must not meet it again
)

outbox = Table(
    "outbox",
    metadata,
    Column("sink", String(64), primary_key=True),
    Column("change", Integer, primary_key=True, autoincrement=False),
    Index("outbox_by_change", "change"),
)

event_sinks = Table(
    "event_sinks",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("type", String(16), nullable=False),
    Column("address", String(300), nullable=False),
    Column("kinds", JSON(none_as_null=True)),
    Column("cameras", JSON(none_as_null=True)),
    Column("listed", Boolean, nullable=False),
    Column("delivered", Integer, nullable=False, server_default="0"),
    Column("dropped", Integer, nullable=False, server_default="0"),
    Column("delivered_at", Moment),
    Column("failing_since", Moment),
    Column("error", String(500)),
)

mutes = Table(
    "mutes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mute", JSON, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("author", String(100), nullable=False),
    Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera_id", String(64), nullable=False),
    Column("since", Moment, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("model_version", String(200), nullable=False),
    Column("causes", CauseList, nullable=False),
    Column("asks_for_labels", Boolean, nullable=False),
    Column("features", JSON, nullable=False),
    Index("findings_by_camera", "camera_id", "opened_at"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("image_key", String(200), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("camera_id", String(64), nullable=False),
    Column("captured_at", Moment, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("score", Float, nullable=False),
    Column("rank", Integer),
    Column("model_version", String(200), nullable=False),
    Column("classes", ClassNames),
    Column("asked", ClassNames),
    Column("boxes", BoxList, nullable=False),
    Column("served", Float, nullable=False, server_default="0.25"),
    Column("drift", String(64), nullable=False),
    Column("origin", JSON, nullable=False),
    Column("fingerprint", Vector(np.uint64), nullable=False),
    Column("embedding", Vector(np.float32), nullable=False),
    Column("chosen_at", Moment),
    Column("pushed_at", Moment),
    Column("answered_at", Moment),
    Column("labeler", String(200)),
    Column("label", BoxList),
    Column("note", String(1000)),
    Column("url", String(500)),
    Column("doubt", String(500)),
    Column("asks", Integer, nullable=False, server_default="0"),
    Column("dataset", String(64)),
    Index("reviews_by_state", "state", "captured_at"),
)

rollouts = Table(
    "rollouts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("is_open", Boolean, unique=True),  # True or NULL: at most one is
    Column("state", String(16), nullable=False),
    Column("model", String(500), nullable=False),
    Column("champion", String(500), nullable=False),
    Column("city", String(100)),
    Column("policy", JSON, nullable=False),
    Column("phase", JSON, nullable=False),
    Column("evidence", JSON),
    Column("reading", JSON, nullable=False),
    Column("author", String(100), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("phase_at", Moment, nullable=False),
    Column("phase_frames", Integer, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("wanted", String(16)),
    Column("wanted_by", String(100)),
)

rollout_gains = Table(
    "rollout_gains",
    metadata,
    Column("rollout_id", Integer, primary_key=True, autoincrement=False),
    Column("second", BigInteger, primary_key=True, autoincrement=False),  # since 1970, begin of a step
    Column("mean", Float, nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("blocks", Integer, nullable=False),
    sqlite_with_rowid=False,
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rollout_id", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("action", String(16), nullable=False),
    Column("author", String(100), nullable=False),
    Column("reason", String(1000), nullable=False),
    Column("reading", JSON, nullable=False),
    Index("decisions_by_rollout", "rollout_id", "id"),
)

learning_runs = Table(
    "learning_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("is_open", Boolean, unique=True),  # True or NULL: at most one is
    Column("name", String(64), nullable=False),
    Column("step", String(16), nullable=False),
    Column("trigger", JSON, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", String(1000)),
    Column("started_at", Moment, nullable=False),
    Column("step_at", Moment, nullable=False),
    Column("next_at", Moment),
    Column("ended_at", Moment),
)

camera_changes = Table(
    "camera_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera_id", String(64), nullable=False),
    Column("document", JSON(none_as_null=True)),
    Column("author", String(100), nullable=False),
    Column("at", Moment, nullable=False),
)

camera_secrets = Table(
    "camera_secrets",
    metadata,
    Column("camera_id", String(64), primary_key=True),
    Column("uri", Text, nullable=False),  # of a camera that is there; its document shows *** for them
)

line_counts = Table(
    "line_counts",
    metadata,
    Column("camera_id", String(64), primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    Column("line", String(100), primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("class_name", String(200), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("inferred", Integer, nullable=False),
    sqlite_with_rowid=False,
)

line_speeds = Table(
    "line_speeds",
    metadata,
    Column("camera_id", String(64), primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    Column("line", String(100), primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("class_name", String(200), primary_key=True),
    Column("kmh", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

line_coverage = Table(
    "line_coverage",
    metadata,
    Column("camera_id", String(64), primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    Column("line", String(100), primary_key=True),
    Column("covered_ms", Integer, nullable=False),
    sqlite_with_rowid=False,
)

request_counts = Table(
    "request_counts",
    metadata,
    Column("minute", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    Column("route", String(100), primary_key=True),
    Column("requests", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    sqlite_with_rowid=False,
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("token", BigInteger, nullable=False),  # rises with every holder
    Column("host", String(255)),  # null: nobody holds it
    Column("process", BigInteger, nullable=False),
    Column("process_began", Float, nullable=False),  # seconds since 1970; ids of processes are used again
    Column("beats", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

app_answers = Table(
    "app_answers",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("asks", Integer, nullable=False),
    Column("classes", ClassNames, nullable=False),
    Column("boxes", BoxList),  # NULL: skipped
    Column("labeler", String(100), nullable=False),
    Column("at", Moment, nullable=False),
)

camera_minutes = Table(
    "camera_minutes",
    metadata,
    Column("camera_id", String(64), primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    Column("watched_ms", Integer, nullable=False),
    Column("decoded", Integer, nullable=False),
    Column("detected", Integer, nullable=False),
    Column("objects", Integer, nullable=False),
    Column("lag_ms", Integer, nullable=False),
    Column("reasons", JSON, nullable=False),  # frames that were not detected, by reason
    Column("classes", JSON, nullable=False),  # objects by class
    sqlite_with_rowid=False,
)

teacher_checks = Table(
    "teacher_checks",
    metadata,
    Column("teacher", String(200), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("class_name", String(200), primary_key=True),
    Column("camera_id", String(64), nullable=False),
    Column("right_boxes", Integer, nullable=False),
    Column("checked", Integer, nullable=False),
    Column("at", Moment, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(300), nullable=False, unique=True),
    Column("camera_id", String(64), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("codec", String(32), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("gaps", JSON, nullable=False),  # of pairs of ISO times
    Column("motion", Float),
    Column("events", Float),
    Column("run", String(64)),
    Column("frame_id", BigInteger),
    Column("pts_offset", Float),
    Index("segments_by_camera", "camera_id", "started_at"),
    Index("segments_by_time", "started_at"),
)

recorded_hours = Table(
    "recorded_hours",
    metadata,
    Column("camera_id", String(64), primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # since 1970 (UTC)
    Column("segments", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("runs", JSON, nullable=False),  # of triples: begin and end in seconds, and 1 if it moves
    Index("recorded_hours_by_time", "hour"),
    sqlite_with_rowid=False,
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("model", String(300), nullable=False),
    Column("dataset", String(64), nullable=False),
    Column("options", JSON, nullable=False),
    Column("author", String(100), nullable=False),
    Column("progress", Float, nullable=False),
    Column("result", JSON(none_as_null=True)),
    Column("error", String(1000)),
    Column("asked_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Index("evaluations_by_state", "state", "id"),
)
