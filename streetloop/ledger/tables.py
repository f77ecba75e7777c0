"""The tables of the ledger; `migrations` brings a database to this shape."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from streetloop.boxes import Boxes, boxes_from_json, boxes_to_json
from streetloop.causes import Cause, causes_from_json, causes_to_record


class Moment(TypeDecorator[datetime]):
    """An aware UTC time; SQLite itself would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> datetime | None:
        """To the database."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> datetime | None:
        """From the database."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class BoxList(TypeDecorator[Boxes]):
    """The boxes of one image, stored as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self,
        value: Boxes | None,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> list[dict[str, Any]] | None:
        """To the database."""
        return None if value is None else boxes_to_json(value)

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> Boxes | None:
        """From the database."""
        return None if value is None else boxes_from_json(value)


class CauseList(TypeDecorator[list[Cause]]):
    """The likely causes of a drift, stored as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(
        self,
        value: list[Cause] | None,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> list[dict[str, Any]] | None:
        """To the database."""
        return None if value is None else causes_to_record(value)

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> list[Cause] | None:
        """From the database."""
        return None if value is None else causes_from_json(value)


class ClassNames(TypeDecorator[tuple[str, ...]]):
    """The class names of a model by class id, stored as JSON; no names are stored as NULL.

    Thousands of rows have one list: it is parsed once, and all rows share the value.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(
        self,
        value: tuple[str, ...] | None,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> str | None:
        """To the database."""
        return json.dumps(list(value), ensure_ascii=False) if value else None

    def process_result_value(
        self,
        value: str | None,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> tuple[str, ...]:
        """From the database."""
        return () if value is None else _names(value)


@lru_cache(maxsize=256)
def _names(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


class Vector(TypeDecorator[NDArray[Any]]):
    """A one-dimensional array, stored as the bytes of its numbers.

    Args:
        dtype: Type of the numbers.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, dtype: type[np.generic]) -> None:
        super().__init__()
        self.dtype = dtype

    def process_bind_param(
        self,
        value: NDArray[Any] | None,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> bytes | None:
        """To the database."""
        return None if value is None else np.asarray(value, self.dtype).tobytes()

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002 - as SQLAlchemy has it
    ) -> NDArray[Any] | None:
        """From the database."""
        return None if value is None else np.frombuffer(value, self.dtype)


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
    Index("events_by_camera", "camera_id", "started_at"),
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
    Column("boxes", BoxList, nullable=False),
    Column("served", Float, nullable=False),
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
    Column("asks", Integer, nullable=False),
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

line_coverage = Table(
    "line_coverage",
    metadata,
    Column("camera_id", String(64), primary_key=True),
    Column("minute", Integer, primary_key=True, autoincrement=False),  # since 1970, UTC
    Column("line", String(100), primary_key=True),
    Column("covered_ms", Integer, nullable=False),
    sqlite_with_rowid=False,
)
