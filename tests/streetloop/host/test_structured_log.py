"""Logs as JSON: one object a line, with ids, without secrets."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from streetloop.host.structured_log import begin_json_log, bind_ids, ids

OURS, FOREIGN = logging.getLogger("flows.runtime.session"), logging.getLogger("some.library")


@pytest.fixture
def begun() -> Iterator[None]:
    end = begin_json_log(lambda: {"trace_id": "ab"})
    yield
    end()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    said = capsys.readouterr()
    assert said.out == ""
    return [json.loads(line) for line in said.err.splitlines()]


@pytest.mark.usefixtures("begun")
def test_a_line_has_time_level_logger_message_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    bind_ids(run="r-1")
    OURS.info("camera %s: straße\nis lost", "a40", extra=ids(camera="a40", event=7, version=None))
    (line,) = lines(capsys)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "flows.runtime.session",
        "message": "camera a40: straße\nis lost",
        "run": "r-1",
        "camera": "a40",
        "event": 7,
        "trace_id": "ab",
    }


@pytest.mark.usefixtures("begun")
def test_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    FOREIGN.info("nothing")
    FOREIGN.warning("something")
    OURS.debug("nothing")
    assert [line["message"] for line in lines(capsys)] == ["something"]


@pytest.mark.usefixtures("begun")
def test_secrets_of_addresses_are_neither_in_messages_nor_in_exceptions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = "rtsp://admin:hunter2@10.0.0.7/ch1"
    OURS.error("%s is away", address, exc_info=OSError(f"cannot open {address}"))
    (line,) = lines(capsys)
    assert "hunter2" not in json.dumps(line)
    assert line["message"] == "rtsp://***@10.0.0.7/ch1 is away"
    assert "OSError: cannot open rtsp://***@10.0.0.7/ch1" in line["exception"]


def test_what_ends_leaves_no_trace(capsys: pytest.CaptureFixture[str]) -> None:
    levels = logging.getLogger("flows").level
    begin_json_log()()
    assert logging.getLogger("flows").level == levels
    OURS.info("nobody hears it")
    assert lines(capsys) == []
