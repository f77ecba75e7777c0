"""Logs as JSON, one object a line, with the ids of what a line is about.

A line names what it is about by ids: ``run``, ``camera``, ``frame_name``, ``event``, ``frame``,
``dataset``, ``version``, ``rollout``, ``learning``. A frame's name is on its candidate and on the
events that began in it; the digest of its picture (``frame``) is on its candidate and on its
label. The label's dataset is on the version that was trained with it.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from streetloop.secrets import redact

PACKAGES = ("streetloop", "labeling", "drift", "train", "serve", "flows")
"""Ours: their lines are logged from INFO on, those of libraries from WARNING on."""

_IDS = "streetloop_ids"

_bound: dict[str, str] = {}


def ids(**values: object) -> dict[str, Any]:
    """The ids of a line, for ``extra`` of a logger's methods; None is left out.

    >>> ids(camera="a40", version=None)
    {'streetloop_ids': {'camera': 'a40'}}
    """
    return {_IDS: {name: value for name, value in values.items() if value is not None}}


def bind_ids(**values: str) -> None:
    """Give every later line of this process these ids, such as its run."""
    _bound.update(values)


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON, without secrets of addresses.

    Args:
        span: Called for the ids of the span that is open, see `streetloop.host.tracing`.
    """

    def __init__(self, span: Callable[[], Mapping[str, str]] = dict) -> None:
        super().__init__()
        self._span = span

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_bound,
            **getattr(record, _IDS, {}),
            **self._span(),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def begin_json_log(span: Callable[[], Mapping[str, str]] = dict) -> Callable[[], None]:
    """Log JSON to standard error from now on; what it returns ends that.

    Args:
        span: See `JsonLines`.
    """
    handler, root = _Stderr(), logging.getLogger()
    handler.setFormatter(JsonLines(span))
    before = {name: logging.getLogger(name).level for name in PACKAGES}
    for name in PACKAGES:
        logging.getLogger(name).setLevel(logging.INFO)
    root.addHandler(handler)

    def end() -> None:
        root.removeHandler(handler)
        _bound.clear()
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)

    return end
