from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from flows.stream.recording.segment_choice import SegmentChoice, SegmentDecision
from flows.stream.recording.segment_note import SegmentNote
from tests.support.stream_flow.build import NOON

_AT = [timedelta(seconds=10 * k) for k in range(12)]


def _segment(number: int, mode: str, motion: float | None = 0.0) -> SegmentNote:
    start = NOON + _AT[number]
    end = start + timedelta(seconds=10)
    return SegmentNote(str(number), "a", mode, start, end, "h264", 64, 48, motion=motion)


def _no_events(camera: str, start: datetime, end: datetime) -> Sequence[tuple[datetime, datetime]]:
    return []


def test_all_is_kept_of_a_camera_that_records_all() -> None:
    choice = SegmentChoice(10, 20, _no_events)
    assert choice.decide(_segment(0, "continuous"), NOON) is SegmentDecision.KEEP


def test_what_is_near_motion_is_kept_and_all_else_goes_once_that_is_certain() -> None:
    choice = SegmentChoice(10, 20, _no_events)
    segments = [_segment(k, "motion", 0.3 if k == 5 else 0.0) for k in range(10)]
    for segment in segments:
        choice.note(segment)
    late = NOON + timedelta(hours=1)
    kept = [k for k, segment in enumerate(segments) if choice.decide(segment, late) is SegmentDecision.KEEP]
    assert kept == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("after_s", "then"),
    [(5, SegmentDecision.WAIT), (19, SegmentDecision.WAIT), (20, SegmentDecision.DISCARD)],
)
def test_a_segment_waits_for_what_comes_after_it(after_s: float, then: SegmentDecision) -> None:
    segment = _segment(0, "motion")
    now = NOON + timedelta(seconds=10 + after_s)
    assert SegmentChoice(10, 20, _no_events).decide(segment, now) is then
    assert SegmentChoice(10, 20, _no_events).decide(segment, now, last=True) is SegmentDecision.DISCARD


def test_motion_that_nobody_looked_for_keeps_a_segment() -> None:
    assert SegmentChoice(0, 0, _no_events).decide(_segment(0, "motion", None), NOON) is SegmentDecision.KEEP


def test_what_is_near_an_event_is_kept_and_events_are_waited_for() -> None:
    event = NOON + timedelta(seconds=42), NOON + timedelta(seconds=55)

    def events(camera: str, start: datetime, end: datetime) -> Sequence[tuple[datetime, datetime]]:
        return [event] if event[0] <= end and event[1] >= start else []

    choice = SegmentChoice(10, 20, events)
    late = NOON + timedelta(hours=1)
    kept = [k for k in range(10) if choice.decide(_segment(k, "events"), late) is SegmentDecision.KEEP]
    assert kept == [3, 4, 5, 6, 7]
    assert choice.decide(_segment(0, "events"), NOON + timedelta(seconds=45)) is SegmentDecision.WAIT
