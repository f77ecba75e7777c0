import io
import re

import pytest
from rich.console import Console

from flows.cli.tables.live_table import LiveTable, Rates, print_summary
from flows.runtime.run_values import RunSummary
from flows.stream.analysis.line_totals import LineTotals
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Account
from flows.stream.ingest.camera_state import CameraState
from tests.support.stream_flow.build import fault


def _console(width: int = 120) -> Console:
    return Console(width=width, record=True, file=io.StringIO())


def _status(camera_id: str = "a40", decoded: int = 0, detected: int = 0) -> CameraStatus:
    return CameraStatus(camera_id, account=Account(decoded=decoded, detected=detected))


_BUSY = CameraStatus(
    camera_id="a40",
    state=CameraState.LIVE,
    account=Account(decoded=9051, detected=4011, gated=3021, dropped=2017, failed=2),
    reconnects=7,
    lag_p95_s=0.31,
    objects_by_class={"car": 512},
    lines={"gate": LineTotals({"car": {"in": 41, "out": 39}})},
)


def _rendered(*statuses: CameraStatus, width: int = 120) -> str:
    table = LiveTable("yolo26n.pt")
    table.update({status.camera_id: status for status in statuses})
    console = _console(width)
    console.print(table)
    return console.export_text()


def _summarized(*statuses: CameraStatus, width: int = 80) -> str:
    cameras = {status.camera_id: status for status in statuses}
    console = _console(width)
    print_summary(
        console, RunSummary(cameras, "/store/run=1", "/store/frames", {"version": "yolo26n-0123"}, 12.3)
    )
    return console.export_text()


# Rates


def test_a_rate_is_what_happened_between_snapshots() -> None:
    rates = Rates()
    rates.add({"a": _status(decoded=100, detected=10)}, 5.0)
    rates.add({"a": _status(decoded=150, detected=20)}, 7.0)

    assert rates.of("a") == (25.0, 5.0)


def test_a_rate_is_of_the_last_seconds_only() -> None:
    rates = Rates()
    for second in range(60):
        decoded = 1000 * second if second < 30 else 30_000 + 10 * (second - 30)
        rates.add({"a": _status(decoded=decoded)}, float(second))

    assert rates.of("a") == (pytest.approx(10.0), 0.0)


def test_there_is_no_rate_without_two_snapshots_of_a_camera() -> None:
    rates = Rates()
    assert rates.of("a") == (0.0, 0.0)

    rates.add({"a": _status(decoded=100)}, 5.0)
    assert rates.of("a") == (0.0, 0.0)

    rates.add({"b": _status(decoded=100)}, 6.0)
    assert rates.of("b") == (0.0, 0.0)


def test_two_snapshots_of_one_moment_make_no_rate() -> None:
    rates = Rates()
    rates.add({"a": _status(decoded=1)}, 5.0)
    rates.add({"a": _status(decoded=2)}, 5.0)

    assert rates.of("a") == (0.0, 0.0)


# The live table


def test_the_table_can_be_shown_before_there_is_anything_to_show() -> None:
    assert "yolo26n.pt" in _rendered()


def test_the_table_shows_what_a_camera_does() -> None:
    row = next(line for line in _rendered(_BUSY).splitlines() if "live" in line)

    assert re.findall(r"[\w.]+(?: s)?", row) == [
        *("a40", "live", "0.0", "0.0", "0.31 s", "3021", "2017", "2", "512", "7")
    ]


def test_the_table_shows_what_is_counted_and_what_ails() -> None:
    lost = CameraStatus("b", CameraState.LOST, "rtsp://***@10.0.0.7 broke off", faults=(fault("disk full"),))
    text = _rendered(_BUSY, lost)

    assert "a40: gate: 41 in, 39 out" in text
    assert "b: rtsp://***@10.0.0.7 broke off" in text
    assert "b: disk full" in text


def test_square_brackets_in_an_error_are_shown_as_they_are() -> None:
    text = _rendered(CameraStatus("a", CameraState.FAILED, "[/bold] is [red]no[/red] video"))

    assert "a: [/bold] is [red]no[/red] video" in text


@pytest.mark.parametrize("state", CameraState)
def test_every_state_can_be_shown(state: CameraState) -> None:
    assert state.value in _rendered(CameraStatus("a", state))


# The summary


def test_at_80_columns_the_summary_shows_all_numbers() -> None:
    text = _summarized(_BUSY)
    row = next(line for line in text.splitlines() if re.search(r"a40.*9051", line))

    assert re.findall(r"\w+", row) == ["a40", "9051", "4011", "3021", "2017", "2", "512", "7"]
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_the_summary_says_with_what_where_to_and_what_was_counted() -> None:
    text = _summarized(_BUSY, CameraStatus("b", CameraState.FAILED, "is not a video"))

    assert "12.3 s with yolo26n-0123" in text
    assert "a40: gate: 41 in, 39 out" in text
    assert "b: is not a video" in text
    assert "detection log: /store/run=1" in text


def test_a_long_note_is_not_broken_so_that_it_can_be_copied() -> None:
    error = "/clips/" + "north-gate/" * 12 + "clip.mp4 is empty"

    assert f"b: {error}" in _summarized(CameraStatus("b", CameraState.FAILED, error))
