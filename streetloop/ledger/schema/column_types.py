"""Types of columns: values of Python that a database keeps as something else."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import JSON, DateTime, Dialect, LargeBinary, Text, TypeDecorator

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
